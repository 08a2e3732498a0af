package bbql_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"windlass/bitbucket/sandbox/internal/bbql"
)

func repositoryFields() bbql.Fields {
	return bbql.Fields{
		"name": bbql.String, "slug": bbql.String, "project.key": bbql.String, "parent.full_name": bbql.String,
		"size": bbql.Number, "is_private": bbql.Bool, "created_on": bbql.Time, "updated_on": bbql.Time,
		"permission": bbql.Permission, "events": bbql.String,
	}
}

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return t
}

func record() bbql.Lookup {
	values := map[string]any{
		"name": `The "Anchor" Chain`, "slug": "anchor-chain", "project.key": "DECK", "size": int64(4096), "is_private": true,
		"created_on": at("2026-03-04T10:00:00Z"), "updated_on": at("2026-06-18T18:51:11.250001Z"),
		"permission": "write", "events": []string{"repo:push", "issue:created"},
	}
	return func(field string) any { return values[field] }
}

func TestMatch(t *testing.T) {
	tests := []struct {
		reads, q string
		want     bool
	}{
		{"an empty query matches everything", "  ", true},
		{"equality respects case", `slug = "Anchor-chain"`, false},
		{"equality of the same text", `slug = "anchor-chain"`, true},
		{"escaped quotes are part of the text", `name = "The \"Anchor\" Chain"`, true},
		{"contains ignores case", `name ~ "ANCHOR"`, true},
		{"not-contains is its opposite", `name !~ "ANCHOR"`, false},
		{"an absent field equals null", `parent.full_name = null`, true},
		{"a present field is not null", `name != NULL`, true},
		{"an absent field differs from any text", `parent.full_name != "a/b"`, true},
		{"an absent field contains nothing", `parent.full_name ~ ""`, false},
		{"an absent field is in no list", `parent.full_name NOT IN ("a/b", "c/d")`, true},
		{"null may stand in a list", `parent.full_name IN ("a/b", null)`, true},
		{"an absent field is not ordered", `parent.full_name < "zzz"`, false},
		{"strings are ordered by their bytes", `slug > "anchor"`, true},
		{"a number in a list", `size in (1, 4096)`, true},
		{"a fraction is compared exactly", `size < 4096.0000000000000000000000000001`, true},
		{"a negative number", `size >= -10.302`, true},
		{"booleans in capitals", `is_private = TRUE`, true},
		{"a boolean that differs", `is_private != true`, false},
		{"a bare date is midnight in UTC", `updated_on >= 2026-06-18`, true},
		{"a date without a zone is UTC", `updated_on < 2026-06-18T18:51:11`, false},
		{"an offset is respected", `updated_on < 2026-06-18T20:51:12+02:00`, true},
		{"a quoted datetime", `updated_on > "2026-06-18T18:51:11.250000+00:00"`, true},
		{"a datetime with Z", `updated_on = 2026-06-18T18:51:11.250001Z`, true},
		{"a datetime without seconds", `updated_on >= 2026-06-18T18:51`, true},
		{"an offset without a colon", `updated_on < 2026-06-18T20:51:12+0200`, true},
		{"permissions are ordered by what they allow", `permission > "read" AND permission < "admin"`, true},
		{"permissions of different ladders are not ordered", `permission > "member" OR permission <= "owner"`, false},
		{"permissions are compared as text for equality", `permission IN ("write", "admin")`, true},
		{"one of several values is enough", `events = "issue:created"`, true},
		{"none of several values", `events != "issue:updated"`, true},
		{"AND binds tighter than OR", `slug = "x" AND slug = "y" OR size = 4096`, true},
		{"parentheses bind tighter than AND", `slug = "x" AND (slug = "y" OR size = 4096)`, false},
		{"keywords in small letters", `slug = "x" or size in (4096) and name != null`, true},
	}
	for _, tt := range tests {
		t.Run(tt.reads, func(t *testing.T) {
			e, err := bbql.Parse(tt.q, repositoryFields())
			if err != nil {
				t.Fatal(err)
			}
			if got := e.Match(record()); got != tt.want {
				t.Errorf("%s: match = %t, want %t", tt.q, got, tt.want)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	tests := []struct{ reads, q, message string }{
		{"a field the endpoint does not filter by", `wiki = 1`, `Field "wiki" does not support filtering`},
		{"the values prefix is not part of a field", `values.name = "x"`, `Field "values.name" does not support filtering`},
		{"no operator", `name`, `Invalid query at position 4: expected an operator after "name", not the end of the query`},
		{"no value", `name =`, `Invalid query at position 6: expected a value after =, not the end of the query`},
		{"single quotes", `name = 'x'`, `Invalid query at position 7: unexpected character '\''`},
		{"an open string", `name = "x`, `Invalid query at position 7: the string that begins here has no closing quote`},
		{"an open parenthesis", `(name = "x"`, `Invalid query at position 11: expected AND, OR or ')', not the end of the query`},
		{"a word too many", `name = "x" name`, `Invalid query at position 11: expected AND, OR or the end of the query, not 'name'`},
		{"NOT without IN", `name NOT "x"`, `Invalid query at position 9: expected IN after NOT, not "x"`},
		{"an empty list", `name IN ()`, `Invalid query at position 9: expected a value after IN, not ')'`},
		{"a list without brackets", `name IN "x"`, `Invalid query at position 8: expected '(' and a list of values, not "x"`},
		{"text for a number", `size = "big"`, `Invalid query at position 7: field "size" is compared with a number, not "big"`},
		{"an exponent", `size < 1e999999999`, `Invalid query at position 8: expected AND, OR or the end of the query, not 'e999999999'`},
		{"a day that does not exist", `updated_on > 2026-02-30`, `Invalid query at position 13: field "updated_on" is compared with a datetime, not '2026-02-30'`},
		{"a plus sign that became a space", `updated_on > 2026-02-03T00:00:00 00:00`, `Invalid query at position 33: expected AND, OR or the end of the query, not '00:00'`},
		{"order of null", `updated_on > null`, `Invalid query at position 13: null cannot be compared with >`},
		{"order of booleans", `is_private > true`, `Invalid query at position 13: field "is_private" is a boolean and cannot be compared with >`},
		{"contains on a datetime", `updated_on ~ "2026"`, `Invalid query at position 13: field "updated_on" is a datetime and cannot be compared with ~`},
		{"an unknown permission in an order", `permission > "god"`, `Invalid query at position 13: "god" is not a permission`},
		{"bytes that are not text", "name = \"\xff\"", `Invalid query: not UTF-8`},
	}
	for _, tt := range tests {
		t.Run(tt.reads, func(t *testing.T) {
			e, err := bbql.Parse(tt.q, repositoryFields())
			if err == nil {
				t.Fatalf("%s parsed to %s", tt.q, e)
			}
			var refused *bbql.Error
			if !errors.As(err, &refused) || err.Error() != tt.message {
				t.Errorf("%s: %v\nwant %s", tt.q, err, tt.message)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	t.Run("nesting is limited", func(t *testing.T) {
		nested := func(n int) string { return strings.Repeat("(", n) + `name = "x"` + strings.Repeat(")", n) }
		if _, err := bbql.Parse(nested(bbql.MaxDepth), repositoryFields()); err != nil {
			t.Error(err)
		}
		if _, err := bbql.Parse(nested(bbql.MaxDepth+1), repositoryFields()); err == nil {
			t.Error("one parenthesis too many was accepted")
		}
	})
	t.Run("length is limited", func(t *testing.T) {
		if _, err := bbql.Parse(`name = "`+strings.Repeat("x", bbql.MaxLength)+`"`, repositoryFields()); err == nil {
			t.Error("a query that is too long was accepted")
		}
	})
}

func TestTimeBounds(t *testing.T) {
	const lo, hi = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"
	tests := []struct {
		reads, q, lo, hi string
		exact            bool
	}{
		{"no query, no bounds", "", "", "", true},
		{"at least", "updated_on >= 2026-01-01", lo, "", true},
		{"after begins a nanosecond later", "updated_on > 2026-01-01", "2026-01-01T00:00:00.000000001Z", "", true},
		{"before ends a nanosecond earlier", "updated_on < 2026-02-01", "", "2026-01-31T23:59:59.999999999Z", true},
		{"a window", "updated_on >= 2026-01-01 AND updated_on <= 2026-02-01", lo, hi, true},
		{"the narrowest of several", "(updated_on >= 2025-01-01 AND updated_on >= 2026-01-01) AND updated_on <= 2026-02-01", lo, hi, true},
		{"one moment", "updated_on = 2026-01-01", lo, lo, true},
		{"another field beside it", `updated_on >= 2026-01-01 AND name ~ "x"`, lo, "", false},
		{"an alternative gives no bound", `updated_on >= 2026-01-01 OR name ~ "x"`, "", "", false},
		{"a bound beside an alternative", `updated_on >= 2026-01-01 AND (name ~ "x" OR name ~ "y")`, lo, "", false},
		{"a list gives no bound", "updated_on IN (2026-01-01)", "", "", false},
		{"null gives no bound", "updated_on != null", "", "", false},
		{"another field of time gives no bound", "created_on > 2026-01-01", "", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.reads, func(t *testing.T) {
			e, err := bbql.Parse(tt.q, repositoryFields())
			if err != nil {
				t.Fatal(err)
			}
			gotLo, gotHi, exact := e.TimeBounds("updated_on")
			if stamp(gotLo) != tt.lo || stamp(gotHi) != tt.hi || exact != tt.exact {
				t.Errorf("%s: [%s, %s] exact %t, want [%s, %s] exact %t", tt.q, stamp(gotLo), stamp(gotHi), exact, tt.lo, tt.hi, tt.exact)
			}
		})
	}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}

func TestString(t *testing.T) {
	tests := []struct{ reads, q, want string }{
		{"spaces and keywords are made regular", `name="x"  and size   not in(1,2)`, `name = "x" AND size NOT IN (1, 2)`},
		{"only parentheses that matter stay", `((name="x") and (size=1 or size=2))`, `name = "x" AND (size = 1 OR size = 2)`},
		{"strings are escaped again", `name = "a\"b\\c"`, `name = "a\"b\\c"`},
		{"datetimes keep their writing", `updated_on > "2026-01-01"`, `updated_on > "2026-01-01"`},
	}
	for _, tt := range tests {
		t.Run(tt.reads, func(t *testing.T) {
			e, err := bbql.Parse(tt.q, repositoryFields())
			if err != nil {
				t.Fatal(err)
			}
			if e.String() != tt.want {
				t.Errorf("got %s, want %s", e, tt.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", `name = "x"`, `name ~ "a\"b" AND (size IN (1, -2.5) or not_a_field = 1)`, `updated_on >= 2015-03-04T14:08:59.123+02:00`,
		`parent.full_name = null AND is_private != true`, `permission > "read" AND events NOT IN ("a", null)`, `((name="x"))`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, q string) {
		first, err := bbql.Parse(q, repositoryFields())
		if err != nil {
			return
		}
		printed := first.String()
		if len(printed) > bbql.MaxLength {
			return // spaces were added
		}
		second, err := bbql.Parse(printed, repositoryFields())
		if err != nil {
			t.Fatalf("%q prints as %q, which does not parse: %v", q, printed, err)
		}
		if second.String() != printed {
			t.Fatalf("%q prints as %q and then as %q", q, printed, second)
		}
		if first.Match(record()) != second.Match(record()) {
			t.Fatalf("%q and its printed form %q differ", q, printed)
		}
		lo, hi, _ := first.TimeBounds("updated_on")
		if updated := at("2026-06-18T18:51:11.250001Z"); first.Match(record()) && (updated.Before(lo) || !hi.IsZero() && updated.After(hi)) {
			t.Fatalf("%q matches a record outside its bounds", q)
		}
	})
}
