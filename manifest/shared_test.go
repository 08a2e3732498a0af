package manifest_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"windlass/manifest"
)

// shared returns the path of a document of the published contract. Where the
// documents are not at hand the test is skipped, unless they are required.
func shared(t *testing.T, name string) string {
	t.Helper()
	folder := os.Getenv("WINDLASS_SHARED")
	if folder == "" {
		folder = filepath.Join("..", "..", "shared")
	}
	file := filepath.Join(folder, "contract", "ampersand", name)
	if _, err := os.Stat(file); err != nil {
		if os.Getenv("WINDLASS_SHARED_REQUIRED") == "1" {
			t.Fatalf("WINDLASS_SHARED_REQUIRED=1, but: %v", err)
		}
		t.Skipf("the published contract is not beside the repository: %v", err)
	}
	return file
}

func TestPublishedSampleIsAccepted(t *testing.T) {
	t.Parallel()
	file := shared(t, "sample-bitbucket-amp.yaml")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m, err := manifest.Parse(data, &manifest.Options{File: file, Providers: []string{"bitbucket"}})
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Integrations) != 1 || len(m.Integrations[0].Read.Objects) != 2 || len(m.Integrations[0].Write.Objects) != 3 {
		t.Errorf("got %+v", m)
	}
	validate(t, publishedSchema(t), m)
}

// What we accept, the published schema accepts, and what it refuses we refuse,
// with the exceptions that are listed here.
func TestParserIsNotLaxerThanThePublishedSchema(t *testing.T) {
	t.Parallel()
	schema := publishedSchema(t)
	golden, err := os.ReadFile("testdata/accepted-all-of-it.golden")
	if err != nil {
		t.Fatal(err)
	}
	var whole map[string]any
	if err := json.Unmarshal(golden, &whole); err != nil {
		t.Fatal(err)
	}
	validate(t, schema, whole)

	laxOnPurpose := map[string]string{
		"no integrations[0].read.objects[0].schedule": "an object without a schedule is read when it is asked for",
		"no integrations[0].read.objects[2].schedule": "the same",
	}
	count := 0
	for what, changed := range variations(whole) {
		text, err := json.Marshal(changed)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := manifest.FromJSON(text, nil); err != nil {
			count++
			continue
		}
		if err := schema.VisitJSON(plainJSON(t, changed)); err != nil && laxOnPurpose[what] == "" {
			t.Errorf("%s: we accept what the published schema refuses: %v", what, err)
		}
	}
	if count < 100 {
		t.Errorf("only %d variations were refused: are there any?", count)
	}
}

// Every manifest under testdata that is accepted is written as the schema wants.
func TestWhatWeWriteKeepsThePublishedSchema(t *testing.T) {
	t.Parallel()
	schema := publishedSchema(t)
	validate(t, schema, manifest.Manifest{})
	files, err := filepath.Glob("testdata/accepted-*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no accepted manifest", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		m, err := manifest.Parse(data, nil)
		if err != nil {
			t.Fatal(err)
		}
		validate(t, schema, m)
	}
}

func validate(t *testing.T, schema *openapi3.Schema, value any) {
	t.Helper()
	if err := schema.VisitJSON(plainJSON(t, value)); err != nil {
		t.Errorf("the published schema refuses it: %v", err)
	}
}

func plainJSON(t *testing.T, value any) any {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// publishedSchema loads the schema of a manifest. Its oneOf for fields refuses
// what its own text explains: a field with fieldName and mapToName matches both
// alternatives. We take it for anyOf.
func publishedSchema(t *testing.T) *openapi3.Schema {
	t.Helper()
	document, err := openapi3.NewLoader().LoadFromFile(shared(t, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	schema := document.Components.Schemas["Manifest"].Value
	object := schema.Properties["integrations"].Value.Items.Value.Properties["read"].Value.Properties["objects"].Value.Items.Value
	for _, list := range []string{"requiredFields", "optionalFields"} {
		field := object.Properties[list].Value.Items.Value
		field.AnyOf, field.OneOf = field.OneOf, nil
		if len(field.AnyOf) != 2 {
			t.Fatalf("the schema of %s is not what this test knows: %v", list, field)
		}
	}
	return schema
}

// variations changes one thing of a value in every way that comes to mind: each
// key is left out, and each value replaced by one of another type.
func variations(value any) map[string]any {
	out := map[string]any{}
	vary(value, "", func(what string, changed any) { out[what] = changed })
	return out
}

func vary(value any, path string, emit func(what string, changed any)) {
	for name, other := range map[string]any{
		"null": nil, "a text": "x", "an empty text": "", "a number": 7.0, "a fraction": 0.5, "a negative number": -1.0,
		"true": true, "an empty list": []any{}, "a list": []any{"x"}, "an empty mapping": map[string]any{},
	} {
		emit(name+" as "+path, other)
	}
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			at := strings.TrimPrefix(path+"."+key, ".")
			without := maps.Clone(value)
			delete(without, key)
			emit("no "+at, without)
			vary(inner, at, func(what string, changed any) {
				with := maps.Clone(value)
				with[key] = changed
				emit(what, with)
			})
		}
	case []any:
		for i, inner := range value {
			vary(inner, path+"["+string(rune('0'+i))+"]", func(what string, changed any) {
				with := append([]any{}, value...)
				with[i] = changed
				emit(what, with)
			})
		}
	}
}
