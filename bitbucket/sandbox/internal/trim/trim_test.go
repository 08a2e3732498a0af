package trim_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"windlass/bitbucket/sandbox/internal/trim"
)

const page = `{"pagelen":10,"size":2,"next":"n","values":[
	{"uuid":"{1}","name":"a","parent":null,"links":{"self":{"href":"s"},"clone":[{"name":"https","href":"h"},{"name":"ssh","href":"g"}]},"owner":{"uuid":"{u}","type":"user"}},
	{"uuid":"{2}","name":"b","links":{},"owner":{"uuid":"{t}","type":"team"}}]}`

func TestApply(t *testing.T) {
	whole := strings.NewReplacer("\n", "", "\t", "").Replace(page)
	tests := []struct{ reads, fields, want string }{
		{"nothing asked, nothing cut", "", whole},
		{"only the listed fields", "size,next", `{"next":"n","size":2}`},
		{"a path goes through arrays", "values.uuid", `{"values":[{"uuid":"{1}"},{"uuid":"{2}"}]}`},
		{
			"several paths into the same objects", "values.uuid,values.owner.type,next",
			`{"next":"n","values":[{"owner":{"type":"user"},"uuid":"{1}"},{"owner":{"type":"team"},"uuid":"{2}"}]}`,
		},
		{
			"a parent selects what is beneath it", "values.owner",
			`{"values":[{"owner":{"type":"user","uuid":"{u}"}},{"owner":{"type":"team","uuid":"{t}"}}]}`,
		},
		{"arrays within arrays", "values.links.clone.href", `{"values":[{"links":{"clone":[{"href":"h"},{"href":"g"}]}},{"links":{}}]}`},
		{"a field that is not there leaves its parents", "values.wiki", `{"values":[{},{}]}`},
		{"a null on the way stays", "values.parent.name", `{"values":[{"parent":null},{}]}`},
		{"text on the way goes", "values.name.first", `{"values":[{},{}]}`},
		{"a removed field", "-values", `{"next":"n","pagelen":10,"size":2}`},
		{"removed beneath arrays", "-values.links,-values.owner,-values.parent", `{"next":"n","pagelen":10,"size":2,"values":[{"name":"a","uuid":"{1}"},{"name":"b","uuid":"{2}"}]}`},
		{"a removed part of a selected whole", "values.owner,-values.owner.type", `{"values":[{"owner":{"uuid":"{u}"}},{"owner":{"uuid":"{t}"}}]}`},
		{"added to the defaults", "+values.owner.created_on", whole},
		{"every name at a level", "values.*.type", `{"values":[{"links":{},"owner":{"type":"user"},"parent":null},{"links":{},"owner":{"type":"team"}}]}`},
		{"a wildcard alone is everything", "*", whole},
		{"all but two", "-*,+size,+next", `{"next":"n","size":2}`},
		{"the later path wins over a part", "-values.uuid,+values,-size,-next", strings.NewReplacer(`"size":2,`, "", `"next":"n",`, "").Replace(whole)},
		{"removing everything beneath leaves an empty object", "-values.*", `{"next":"n","pagelen":10,"size":2,"values":[{},{}]}`},
		{"a plus that became a space matches nothing", " size", `{}`},
		{"empty items are no items", ",,size,", `{"size":2}`},
	}
	for _, tt := range tests {
		t.Run(tt.reads, func(t *testing.T) {
			doc := decode(t, page)
			got := trim.Parse(tt.fields).Apply(doc)
			if !reflect.DeepEqual(got, decode(t, tt.want)) {
				text, _ := json.Marshal(got)
				t.Errorf("fields=%s\n got %s\nwant %s", tt.fields, text, tt.want)
			}
			if !reflect.DeepEqual(doc, decode(t, page)) {
				t.Error("the document itself was changed")
			}
		})
	}
}

func decode(t *testing.T, text string) (doc any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestIsIdentity(t *testing.T) {
	tests := []struct {
		reads, fields string
		want          bool
	}{
		{"no parameter", "", true},
		{"additions only", "+a.b,+c", true},
		{"a removal", "+a,-b", false},
		{"a plain path", "a", false},
	}
	for _, tt := range tests {
		t.Run(tt.reads, func(t *testing.T) {
			if got := trim.Parse(tt.fields).IsIdentity(); got != tt.want {
				t.Errorf("fields=%s: %t, want %t", tt.fields, got, tt.want)
			}
		})
	}
}

func TestWants(t *testing.T) {
	tests := []struct {
		reads, fields, path string
		want                bool
	}{
		{"by default nothing more is wanted", "", "values.owner.created_on", false},
		{"an addition", "+values.owner.created_on", "values.owner.created_on", true},
		{"a plain path", "values.owner.created_on", "values.owner.created_on", true},
		{"a parent of it", "+values.owner", "values.owner.created_on", true},
		{"only a part of it", "+values.owner.created_on.year", "values.owner.created_on", false},
		{"a wildcard", "*", "values.owner.created_on", true},
		{"taken back", "*,-values.owner", "values.owner.created_on", false},
	}
	for _, tt := range tests {
		t.Run(tt.reads, func(t *testing.T) {
			if got := trim.Parse(tt.fields).Wants(tt.path); got != tt.want {
				t.Errorf("fields=%s wants %s: %t, want %t", tt.fields, tt.path, got, tt.want)
			}
		})
	}
}

func FuzzTrim(f *testing.F) {
	for _, fields := range []string{"", "values.uuid,next", "-values.links.*", "+values.x", "-*,+next", "*.*.self", "..,-,+,-+a"} {
		f.Add(fields, page)
	}
	f.Fuzz(func(t *testing.T, fields, text string) {
		var doc any
		if json.Unmarshal([]byte(text), &doc) != nil {
			return
		}
		filter := trim.Parse(fields)
		once := filter.Apply(doc)
		if filter.IsIdentity() && !reflect.DeepEqual(once, doc) {
			t.Fatalf("fields=%q is called an identity but changes %s", fields, text)
		}
		if twice := filter.Apply(once); !reflect.DeepEqual(once, twice) {
			t.Fatalf("fields=%q cuts %s further the second time", fields, text)
		}
	})
}
