package command

import (
	"encoding/json"
	"io"
	"strings"
	"text/tabwriter"
)

// Table aligns columns with two spaces between them.
type Table struct{ *tabwriter.Writer }

// NewTable begins a table with its titles; without any it is rows alone.
func NewTable(w io.Writer, titles ...string) Table {
	t := Table{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	if len(titles) > 0 {
		t.Row(titles...)
	}
	return t
}

// Row adds a row. Flush, at the end, prints the table.
func (t Table) Row(cells ...string) { Tellf(t, "%s\n", strings.Join(cells, "\t")) }

// Dash is a cell, or a dash where it is empty.
func Dash(cell string) string {
	if cell == "" {
		return "-"
	}
	return cell
}

// WriteJSON prints a value for machines that people can read, too.
func WriteJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
