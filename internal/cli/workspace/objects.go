package workspace

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"windlass/bitbucket"
	"windlass/connector"
	"windlass/internal/cli/command"
)

func newObjects(env *command.Env) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "objects",
		Short: "List the objects, how each is read and written, and the scopes it needs",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return command.WriteJSON(env.Stdout, bitbucket.Objects())
			}
			return tableOfObjects(env.Stdout)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON list")
	return cmd
}

func tableOfObjects(w io.Writer) error {
	table := command.NewTable(w, "OBJECT", "READS", "WRITES", "SCOPES")
	for _, object := range bitbucket.Objects() {
		table.Row(object.Name, reads(object), command.Dash(writes(object)), command.Dash(scopes(object)))
	}
	return table.Flush()
}

func reads(object connector.Object) string {
	switch {
	case object.Incremental == "":
		return "full"
	case object.IncrementalIfProbed:
		return "incremental, if the probe works"
	default:
		return "incremental"
	}
}

func writes(object connector.Object) string {
	var verbs []string
	for _, verb := range []struct {
		name string
		can  bool
	}{{"create", object.Create}, {"update", object.Update}, {"delete", object.Delete}} {
		if verb.can {
			verbs = append(verbs, verb.name)
		}
	}
	return strings.Join(verbs, " ")
}

// scopes names those for reading first, and then those that a write needs on
// top.
func scopes(object connector.Object) string {
	all := strings.Join(object.ReadScopes, " ")
	write, erase := strings.Join(object.WriteScopes, " "), strings.Join(object.DeleteScopes, " ")
	if write != "" && write != all {
		all += "; write " + write
	}
	if erase != "" && erase != write {
		all += "; delete " + erase
	}
	return all
}
