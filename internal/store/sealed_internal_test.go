package store

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A column that a migration calls sealed and that a rotation leaves out would
// be lost with the key after the next one.
func TestRotationKnowsEverySealedColumn(t *testing.T) {
	t.Parallel()
	all, err := readMigrations()
	if err != nil {
		t.Fatal(err)
	}
	table := regexp.MustCompile(`^CREATE TABLE (\w+)`)
	column := regexp.MustCompile(`^\s*(?:ALTER TABLE (\w+) ADD COLUMN )?(\w+)\s+BYTEA.*-- sealed`)
	var declared []string
	for _, m := range all {
		within := ""
		for line := range strings.Lines(m.sql) {
			if found := table.FindStringSubmatch(line); found != nil {
				within = found[1]
			}
			if found := column.FindStringSubmatch(line); found != nil {
				if found[1] != "" {
					within = found[1]
				}
				declared = append(declared, within+"."+found[2])
			}
		}
	}
	known := []string{canary.table + "." + canary.column}
	for _, c := range sealedColumns {
		known = append(known, c.table+"."+c.column)
	}
	if len(declared) < 7 {
		t.Fatalf("this test finds only %q", declared)
	}
	for _, name := range declared {
		if !slices.Contains(known, name) {
			t.Errorf("%s is sealed, and sealedColumns does not name it", name)
		}
	}
}
