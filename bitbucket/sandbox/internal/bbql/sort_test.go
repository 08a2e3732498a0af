package bbql_test

import (
	"slices"
	"strings"
	"testing"

	"windlass/bitbucket/sandbox/internal/bbql"
)

func TestParseSort(t *testing.T) {
	tests := []struct{ reads, sort, want, message string }{
		{"nothing is no order", "", "", ""},
		{"a field ascends", "updated_on", "updated_on", ""},
		{"a hyphen descends", "-updated_on", "-updated_on", ""},
		{"a field the endpoint does not have", "-stars", "", `Field "stars" does not support sorting`},
		{"two hyphens", "--updated_on", "", `Field "-updated_on" does not support sorting`},
		{"two fields", "name,-size", "", "Only one field can be sorted on"},
	}
	for _, tt := range tests {
		t.Run(tt.reads, func(t *testing.T) {
			s, err := bbql.ParseSort(tt.sort, repositoryFields())
			if message := errorText(err); s.String() != tt.want || message != tt.message {
				t.Errorf("got %q, %q; want %q, %q", s, message, tt.want, tt.message)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestSortCompare(t *testing.T) {
	tests := []struct {
		reads, sort string
		values      []any
		want        string // the positions of values in their new order
	}{
		{"text by its bytes", "name", []any{"b", "a", "B"}, "2 1 0"},
		{"numbers of either kind", "size", []any{int64(3), 2.5, 1}, "2 1 0"},
		{"moments, newest first", "-updated_on", []any{at("2026-01-01T00:00:00Z"), at("2026-02-01T00:00:00Z")}, "1 0"},
		{"false before true", "is_private", []any{true, false}, "1 0"},
		{"permissions by what they allow", "permission", []any{"admin", "read", "write"}, "1 2 0"},
		{"absent values last", "name", []any{nil, "b", "a"}, "2 1 0"},
		{"absent values first when descending", "-name", []any{"a", nil, "b"}, "1 2 0"},
		{"no field leaves the order", "", []any{"b", "a"}, "0 1"},
	}
	for _, tt := range tests {
		t.Run(tt.reads, func(t *testing.T) {
			s, err := bbql.ParseSort(tt.sort, repositoryFields())
			if err != nil {
				t.Fatal(err)
			}
			order := make([]int, len(tt.values))
			for i := range order {
				order[i] = i
			}
			value := func(i int) bbql.Lookup { return func(string) any { return tt.values[i] } }
			slices.SortStableFunc(order, func(a, b int) int { return s.Compare(value(a), value(b)) })
			var got []string
			for _, i := range order {
				got = append(got, string(rune('0'+i)))
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %v, want %s", got, tt.want)
			}
		})
	}
}
