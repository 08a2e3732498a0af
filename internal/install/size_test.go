package install_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"windlass"
	"windlass/internal/flowtest"
)

// withUnknown is a config of repositories with so many unknown fields.
func withUnknown(n int) string {
	fields := make([]string, n)
	for i := range fields {
		fields[i] = fmt.Sprintf(`"unknown_%d":true`, i)
	}
	return `{"read":{"objects":{"repositories":{"selectedFields":{` + strings.Join(fields, ",") + `}}}}}`
}

// Looking for what was meant costs much for each name, and stops at the last issue
// that is said.
func TestCheckingStopsWithTheLastIssue(t *testing.T) {
	w := flowtest.Once(t)
	w.Ready(flowtest.Reader)
	cost := func(content string, issues int) uint64 {
		t.Helper()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := w.Installed("acme", content)
		runtime.ReadMemStats(&after)
		failure, ok := err.(*windlass.Error) //nolint:errorlint // it is one
		if !ok || len(failure.Issues) != issues {
			t.Fatalf("got %v, want %d issues", err, issues)
		}
		return after.Mallocs - before.Mallocs
	}
	cost(withUnknown(1), 1)
	hundred, thousand := cost(withUnknown(100), 100), cost(withUnknown(900), 100)
	if thousand > 2*hundred {
		t.Errorf("100 unknown fields took %d allocations, 900 took %d", hundred, thousand)
	}
	if all := cost(withUnknown(48_000), 1); all > 12*hundred { // they are parsed, and not looked at
		t.Errorf("100 unknown fields took %d allocations, 48,000 took %d", hundred, all)
	}
}

func TestConfigsAreBounded(t *testing.T) {
	w := flowtest.Once(t)
	w.Ready(flowtest.Reader)
	quoted := func(n int) string { return `"` + strings.Repeat("ä", n) + `"` }
	filters := func(n int) string {
		return `[` + strings.TrimSuffix(strings.Repeat(`{"fieldName":"slug","operator":"eq","value":"a"},`, n), ",") + `]`
	}
	for _, test := range []struct{ name, object, says string }{
		{"too many fields", `"selectedFields":` + withFields(1001), "selectedFields: has 1001 keys: at most 1000 are allowed"},
		{"too many filters", `"fieldFilters":` + filters(1001), "fieldFilters: has 1001 entries: at most 1000 are allowed"},
		{"a field of a long name", `"selectedFields":{` + quoted(257) + `:true}`, "has a name of more than 256 characters"},
		{"a mapping to a long name", `"selectedFieldMappings":{"person":` + quoted(257) + `}`, "selectedFieldMappings.person: is longer than 256 characters"},
		{"a filter with a long value", `"fieldFilters":[{"fieldName":"slug","operator":"eq","value":` + quoted(4097) + `}]`, "fieldFilters.value: is longer than 4096 characters"},
	} {
		_, err := w.Installed("acme", `{"read":{"objects":{"repositories":{`+test.object+`}}}}`)
		w.Refused(err, windlass.Invalid, test.says)
	}
	_, err := w.Installed("acme", `{"read":{"objects":{"repositories":{"fieldFilters":[{"fieldName":"slug","operator":"eq","value":`+quoted(4096)+`}]}}}}`)
	w.OK(err)
}

func withFields(n int) string {
	fields := map[string]bool{}
	for i := range n {
		fields[fmt.Sprint("f", i)] = true
	}
	text, _ := json.Marshal(fields) // a map of booleans always marshals
	return string(text)
}
