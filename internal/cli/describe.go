package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"windlass/bitbucket"
	"windlass/connector"
)

func newDescribe(env *Env) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "describe OBJECT",
		Short:   "List the fields of an object, with their types and what a write may set",
		Example: "  windlass describe repositories",
		Args:    oneObject,
		RunE: func(_ *cobra.Command, args []string) error {
			fields, err := bitbucket.Describe(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(env.Stdout, fields)
			}
			return tableOfFields(env.Stdout, fields)
		},
		ValidArgsFunction: completeObjects,
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON list")
	return cmd
}

func tableOfFields(w io.Writer, fields []connector.Field) error {
	table := newTable(w, "FIELD", "TYPE", "PROVIDER TYPE", "ACCESS", "VALUES")
	for _, field := range fields {
		values := strings.Join(field.Values, " ")
		if len(field.ReferenceTo) > 0 {
			values = "-> " + strings.Join(field.ReferenceTo, " ")
		}
		table.row(field.Name, string(field.Type), field.ProviderType, access(field), dash(values))
	}
	return table.Flush()
}

func access(field connector.Field) string {
	switch {
	case field.ReadOnly:
		return "read-only"
	case field.WriteOnly:
		return "write-only"
	case field.Required:
		return "required"
	default:
		return "writable"
	}
}
