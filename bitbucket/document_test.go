package bitbucket_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"windlass/bitbucket"
	"windlass/connector"
)

// shared returns the path of a file in the folder of shared documents, which is
// no part of the project. Where it is not there the test is skipped, unless
// WINDLASS_SHARED_REQUIRED says that it has to be.
func shared(tb testing.TB, name string) []byte {
	tb.Helper()
	root := os.Getenv("WINDLASS_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "shared")
	}
	data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err == nil {
		return data
	}
	if os.Getenv("WINDLASS_SHARED_REQUIRED") != "" {
		tb.Fatalf("the shared documents are required: %v", err)
	}
	tb.Skipf("the shared documents are not here: %v", err)
	return nil
}

func decode(tb testing.TB, data []byte) map[string]any {
	tb.Helper()
	var tree map[string]any
	if err := json.Unmarshal(data, &tree); err != nil {
		tb.Fatal(err)
	}
	return tree
}

// at walks a tree of JSON objects.
func at(tree any, path ...string) any {
	for _, name := range path {
		object, _ := tree.(map[string]any)
		tree = object[name]
	}
	return tree
}

// unlisted are the paths below which the table does not list every field:
// links of people and things, whose addresses only Bitbucket's pages need.
func unlisted(path string) bool {
	return strings.Contains(path, "links.")
}

// TestRecordedBodiesHaveTheFieldsOfTheTable walks bodies that Bitbucket
// returned: every member has to be a field of the table, with its type.
func TestRecordedBodiesHaveTheFieldsOfTheTable(t *testing.T) {
	t.Parallel()
	for object, files := range map[string][]string{
		"repositories": {"repositories.json", "repositories_sorted.json", "repository.json"},
		"projects":     {"projects.json"},
		"members":      {"members.json"},
		"hooks":        {"repository_hooks.json"},
		"workspaces":   {"workspace.json"},
	} {
		for _, file := range files {
			t.Run(object+" in "+file, func(t *testing.T) {
				t.Parallel()
				recorded := decode(t, shared(t, "bitbucket/recorded/2026-06/"+file))
				records, ok := at(recorded, "body", "values").([]any)
				if !ok {
					records = []any{recorded["body"]}
				}
				for _, record := range records {
					compare(t, fieldsOf(t, object), "", record)
				}
			})
		}
	}
}

func fieldsOf(tb testing.TB, object string) map[string]connector.Field {
	tb.Helper()
	fields, err := bitbucket.Describe(object)
	if err != nil {
		tb.Fatal(err)
	}
	byName := map[string]connector.Field{}
	for _, f := range fields {
		byName[f.Name] = f
	}
	return byName
}

// compare checks every member of a recorded object against the table.
func compare(t *testing.T, fields map[string]connector.Field, parent string, value any) {
	t.Helper()
	object, ok := value.(map[string]any)
	if !ok {
		return
	}
	for name, member := range object {
		path := parent + name
		if unlisted(path) {
			continue
		}
		field, ok := fields[path]
		if !ok {
			t.Errorf("%s is not in the table", path)
			continue
		}
		if !fits(field, member) {
			t.Errorf("%s is a %s in the table, and %v in the body", path, field.ProviderType, member)
		}
		compare(t, fields, path+".", member)
	}
}

// fits reports whether a value can be what the table says of its field.
func fits(field connector.Field, value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case bool:
		return field.Type == connector.Boolean
	case float64:
		return field.Type == connector.Int || field.Type == connector.Float
	case []any:
		return strings.HasPrefix(field.ProviderType, "array")
	case map[string]any:
		return field.ProviderType == "object"
	case string:
		if field.Type == connector.SingleSelect && !slices.Contains(field.Values, v) {
			return false
		}
		return strings.HasPrefix(field.ProviderType, "string")
	default:
		return false
	}
}

// documented are the definitions of Atlassian's document behind each object,
// with the members that the table leaves out or types otherwise, and why.
var documented = map[string]struct {
	definition string
	except     map[string]string
}{
	"repositories":                  {"repository", nil},
	"projects":                      {"project", nil},
	"hooks":                         {"webhook_subscription", nil},
	"members":                       {"workspace_membership", nil},
	"permissions":                   {"workspace_membership", nil},
	"user/permissions/workspaces":   {"workspace_membership", nil},
	"permissions/repositories":      {"repository_permission", nil},
	"user/permissions/repositories": {"repository_permission", nil},
	"pipelines-config/variables":    {"pipeline_variable", nil},
	"snippets":                      {"snippet", map[string]string{"id": "the document says integer; Bitbucket sends a short string"}},
	"hook_events":                   {"hook_event", nil},
	"workspaces":                    {"workspace", nil},
}

// undocumented are the objects whose fields the document does not give.
var undocumented = map[string]string{
	"addon/linkers": "gone from the document since early 2026",
	"user/emails":   "the document has the path and no shape",
}

func TestTheDocumentHasTheFieldsOfTheTable(t *testing.T) {
	t.Parallel()
	document := decode(t, shared(t, "bitbucket/swagger.2026-08.json"))
	for _, object := range bitbucket.Objects() {
		t.Run(object.Name, func(t *testing.T) {
			t.Parallel()
			row, ok := documented[object.Name]
			if !ok {
				if undocumented[object.Name] == "" {
					t.Fatal("neither documented nor exempted")
				}
				return
			}
			fields := fieldsOf(t, object.Name)
			for name, property := range properties(document, at(document, "definitions", row.definition)) {
				field, ok := fields[name]
				if !ok {
					t.Errorf("%s is in the document, not in the table", name)
					continue
				}
				if row.except[name] == "" && !agrees(field, property) {
					t.Errorf("%s is a %s in the table, and in the document %v", name, field.ProviderType, property)
				}
			}
		})
	}
}

// properties collects the members of a definition through allOf and $ref.
func properties(document map[string]any, definition any) map[string]map[string]any {
	all := map[string]map[string]any{}
	if ref, ok := at(definition, "$ref").(string); ok {
		definition = at(document, "definitions", ref[strings.LastIndexByte(ref, '/')+1:])
	}
	parts, _ := at(definition, "allOf").([]any)
	for _, part := range parts {
		maps.Copy(all, properties(document, part))
	}
	own, _ := at(definition, "properties").(map[string]any)
	for name, property := range own {
		all[name], _ = property.(map[string]any)
	}
	return all
}

// agrees reports whether the table and the document say the same of a field.
func agrees(field connector.Field, property map[string]any) bool {
	switch property["type"] {
	case "boolean":
		return field.Type == connector.Boolean
	case "integer":
		return field.Type == connector.Int
	case "array":
		return strings.HasPrefix(field.ProviderType, "array")
	case "string":
		if values, ok := property["enum"].([]any); ok {
			for _, value := range values {
				if text, _ := value.(string); !slices.Contains(field.Values, text) {
					return false
				}
			}
			return field.Type == connector.SingleSelect
		}
		if property["format"] == "date-time" {
			return field.Type == connector.DateTime
		}
		return field.Type == connector.String || field.Type == connector.SingleSelect
	default: // an object, or a reference to one
		return field.ProviderType == "object"
	}
}
