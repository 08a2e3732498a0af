package workspace

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"windlass/bitbucket"
	"windlass/connector"
	"windlass/internal/cli/command"
)

func newDescribe(env *command.Env) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "describe OBJECT",
		Short:   "List the fields of an object, with their types and what a write may set",
		Example: "  windlass describe repositories",
		Args:    command.OneObject,
		RunE: func(_ *cobra.Command, args []string) error {
			fields, err := bitbucket.Describe(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return command.WriteJSON(env.Stdout, fields)
			}
			return tableOfFields(env.Stdout, fields)
		},
		ValidArgsFunction: command.CompleteObjects,
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON list")
	return cmd
}

func tableOfFields(w io.Writer, fields []connector.Field) error {
	table := command.NewTable(w, "FIELD", "TYPE", "PROVIDER TYPE", "ACCESS", "VALUES")
	for _, field := range fields {
		values := strings.Join(field.Values, " ")
		if len(field.ReferenceTo) > 0 {
			values = "-> " + strings.Join(field.ReferenceTo, " ")
		}
		table.Row(field.Name, string(field.Type), field.ProviderType, access(field), command.Dash(values))
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
