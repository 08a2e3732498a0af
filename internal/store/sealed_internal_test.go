package store

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"windlass"
	"windlass/internal/seal"
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

// What is stored of a destination is what the versions before stored and read: one of
// them may run beside this one.
func TestDestinationsAreStoredAsBefore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keyset, err := seal.FromFile(filepath.Join(dir, "keyset.json"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), Options{URL: filepath.Join(dir, "windlass.db"), Keyset: keyset})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for settings, want := range map[string]string{
		`{"url":"https://example.com/x","headers":{"X-Token":"1"}}`: `{"X-Token":"1"}`,
		`{"url":"https://example.com/x"}`:                           `null`,
		`{"path":"/srv","headers":7}`:                               `null`, // of another type
	} {
		sealed, err := s.sealDestination(windlass.Destination{ID: "d", Settings: json.RawMessage(settings)})
		if err != nil {
			t.Fatal(err)
		}
		headers, err := s.unseal(destinationHeaders, "d", sealed[0])
		if err != nil || string(headers) != want {
			t.Errorf("%s: column headers has %s, want %s: %v", settings, headers, want, err)
		}
		metadata, err := s.unseal(destinationMetadata, "d", sealed[1])
		if err != nil || string(metadata) != settings {
			t.Errorf("%s: column metadata has %s: %v", settings, metadata, err)
		}
	}
}
