package install

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"windlass/internal/fields"
	"windlass/internal/input"
)

// A mask names the object that was put into it, whatever its name, if it is
// known, and never a place above the config's content.
func FuzzContentPath(f *testing.F) {
	f.Add("config.content.read.objects.repositories", "repositories", "schedule")
	f.Add("config.content.write.objects.permissions/repositories", "permissions/repositories", "a.b")
	f.Add("config.content.read.objects.", "a.b", "disabled")
	f.Add("config.content.proxy.enabled", "", "")
	f.Add("config.content", "x", "y")
	f.Fuzz(func(t *testing.T, path, object, key string) {
		if keys, found := contentPath(path, []string{object, "repositories"}); found {
			if len(keys) > 4 || path != "config.content" && len(keys) == 0 {
				t.Errorf("%q became %q", path, keys)
			}
			if back := strings.Join(append([]string{"config.content"}, keys...), "."); back != path {
				t.Errorf("%q became %q", path, back)
			}
		}
		if object == "" {
			return
		}
		want := []string{"read", "objects", object}
		if keys, found := contentPath("config.content.read.objects."+object, []string{object}); !found || !slices.Equal(keys, want) {
			t.Errorf("the object %q became %q", object, keys)
		}
		keys, found := contentPath("config.content.read.objects."+object+"."+key, []string{object})
		switch {
		case key == "" || strings.Contains(key, "."):
			if found {
				t.Errorf("the key %q became %q", key, keys)
			}
		case !found || !slices.Equal(keys, append(want, key)):
			t.Errorf("%q of the object %q became %q", key, object, keys)
		}
	})
}

// A pointer leads where it was made for, and a patch that is refused or not never
// breaks the tree.
func FuzzPatch(f *testing.F) {
	f.Add("add", "/selectedFields/a~1b", `true`, "a/b")
	f.Add("remove", "/list/0", ``, "~0")
	f.Add("replace", "/list/-", `{"x":[1,null]}`, "")
	f.Add("add", "/list/1/x/y", `"z"`, "$['a']['b']")
	f.Fuzz(func(t *testing.T, op, path, value, key string) {
		escaped := "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
		if keys, wrong := pointer(escaped); wrong != "" || len(keys) != 1 || keys[0] != key {
			t.Errorf("the pointer to %q became %q, %s", key, keys, wrong)
		}
		node := map[string]any{"list": []any{"a", map[string]any{"x": map[string]any{}}}, "selectedFields": map[string]any{"a/b": true}, "text": "t"}
		wrong := Patch{Op: op, Path: path, Value: json.RawMessage(value)}.apply(node)
		if _, err := json.Marshal(node); err != nil {
			t.Errorf("%s %q: %v (%s)", op, path, err, wrong)
		}
		if wrong == "" && op != "add" && op != "remove" && op != "replace" {
			t.Errorf("%q was carried out", op)
		}
		added := map[string]any{}
		if wrong := (Patch{Op: "add", Path: escaped, Value: json.RawMessage(`1`)}).apply(added); wrong != "" || added[key] == nil {
			t.Errorf("add %q: %s", escaped, wrong)
		}
	})
}

// Whatever a config's text is, its form is judged without a panic, and what
// passes can be read.
func FuzzShape(f *testing.F) {
	f.Add([]byte(`{"read":{"objects":{"a":{"selectedFields":{"b":true},"backfill":{"defaultPeriod":{"days":1}}}}}}`))
	f.Add([]byte(`{"subscribe":{"objects":{"a":{"inheritFieldsAndMapping":true,"createEvent":{"enabled":"always"}}}}}`))
	f.Add([]byte(`{"write":{"objects":{"a":{"selectedValueDefaults":{"b":{"value":1e400}}}}},"proxy":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		object, err := input.Tree(text)
		if err != nil {
			return
		}
		d := &draft{Flow: New(nil, nil, nil), at: "content", tree: object, tables: map[string]*fields.Table{}}
		input.WithoutNulls(d.tree)
		if d.readTree(); len(d.Issues) == 0 {
			if _, err := treeOf(d.config); err != nil {
				t.Errorf("%s: %v", text, err)
			}
		}
	})
}
