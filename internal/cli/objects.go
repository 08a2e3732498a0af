package cli

import (
	"encoding/json"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"windlass/bitbucket"
	"windlass/connector"
)

func newObjects(env *Env) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "objects",
		Short: "List the objects, how each is read and written, and the scopes it needs",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return writeJSON(env.Stdout, bitbucket.Objects())
			}
			return tableOfObjects(env.Stdout)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON list")
	return cmd
}

func tableOfObjects(w io.Writer) error {
	table := newTable(w, "OBJECT", "READS", "WRITES", "SCOPES")
	for _, object := range bitbucket.Objects() {
		table.row(object.Name, reads(object), dash(writes(object)), dash(scopes(object)))
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

// table aligns columns with two spaces between them.
type table struct{ *tabwriter.Writer }

func newTable(w io.Writer, titles ...string) table {
	t := table{newTabs(w)}
	t.row(titles...)
	return t
}

func newTabs(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) }

func (t table) row(cells ...string) { tellf(t, "%s\n", strings.Join(cells, "\t")) }

func dash(cell string) string {
	if cell == "" {
		return "-"
	}
	return cell
}

// writeJSON prints a value for machines that people can read, too.
func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
