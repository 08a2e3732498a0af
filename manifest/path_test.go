package manifest_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"windlass"
	"windlass/manifest"
)

func TestPathsLeadWhereTheySay(t *testing.T) {
	t.Parallel()
	key := func(name string) manifest.Step { return manifest.Step{Key: name} }
	every := manifest.Step{Every: true}
	for _, test := range []struct {
		name, text string
		want       manifest.Path
		written    string
	}{
		{"a plain name is a key at the top", "full_name", manifest.Path{key("full_name")}, "full_name"},
		{"dots and spaces are part of a plain name", "a.b c", manifest.Path{key("a.b c")}, "a.b c"},
		{"nested keys", "$['a']['b']", manifest.Path{key("a"), key("b")}, "$['a']['b']"},
		{"one key as a path", "$['a']", manifest.Path{key("a")}, "a"},
		{"every entry of a list", "$['a'][*]['b']", manifest.Path{key("a"), every, key("b")}, "$['a'][*]['b']"},
		{"double quotes", `$["a"]["it's"]`, manifest.Path{key("a"), key("it's")}, `$['a']['it\'s']`},
		{"escaped quotes and backslashes", `$['it\'s']['\\']`, manifest.Path{key("it's"), key(`\`)}, `$['it\'s']['\\']`},
		{"brackets inside of a key", "$['a'][']']", manifest.Path{key("a"), key("]")}, "$['a'][']']"},
		{"a key that begins with a dollar", "$['$a']", manifest.Path{key("$a")}, "$['$a']"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := manifest.ParsePath(test.text)
			if err != nil || !slices.Equal(got, test.want) || got.String() != test.written {
				t.Errorf("%s: got %#v written %q (%v), want %#v written %q", test.text, got, got, err, test.want, test.written)
			}
			if got.Nested() != (len(test.want) > 1) {
				t.Errorf("%s: nested is %v", test.text, got.Nested())
			}
		})
	}
}

func TestPathsThatLeadNowhereAreInvalid(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "$", "$a", "$.a", "$[", "$['", "$['a", "$['a'", "$['a']x", "$['a'][0]", "$['']", "$[*]", "$['a\"]",
		"$" + strings.Repeat("['a']", 33),
	} {
		if path, err := manifest.ParsePath(text); !errors.Is(err, windlass.Invalid) || path != nil {
			t.Errorf("%q: got %v and %v, want an invalid path", text, path, err)
		}
	}
}

func FuzzParsePath(f *testing.F) {
	for _, text := range []string{"name", "$['a'][*]", `$["a\"\\"]`, "$['a", "$"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		path, err := manifest.ParsePath(text)
		if err != nil {
			return
		}
		again, err := manifest.ParsePath(path.String())
		if err != nil || !slices.Equal(path, again) {
			t.Errorf("%q became %#v, which is written %q, which becomes %#v (%v)", text, path, path, again, err)
		}
	})
}
