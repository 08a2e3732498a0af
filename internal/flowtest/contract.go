package flowtest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// Contract reads the published document once.
var Contract = sync.OnceValues(func() (*openapi3.T, error) {
	return openapi3.NewLoader().LoadFromFile(filepath.Join(sharedFolder(), "contract", "ampersand", "api.bundled.json"))
})

// Conform checks that a value, as JSON, is what a schema of the published
// contract describes.
func Conform(t *testing.T, schema string, value any) {
	t.Helper()
	if _, err := os.Stat(sharedFolder()); err != nil && os.Getenv("WINDLASS_SHARED_REQUIRED") != "1" {
		t.Log("not compared with the published contract, which is not beside the repository")
		return
	}
	document, err := Contract()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var plain any
	if err := json.Unmarshal(text, &plain); err != nil {
		t.Fatal(err)
	}
	// A field that exists and is mapped fits both forms that the contract has for
	// fields, of which it wants exactly one: no such field could ever pass.
	if schema == "HydratedRevision" {
		unmapped(plain)
	}
	if at := null(plain, ""); at != "" {
		t.Errorf("%s: %s is null", schema, at)
	}
	found := document.Components.Schemas[schema]
	if found == nil {
		t.Fatalf("the contract has no schema %s", schema)
	}
	if err := found.Value.VisitJSON(plain, openapi3.MultiErrors()); err != nil {
		t.Errorf("%s: %v", schema, err)
	}
}

// unmapped takes the mapping off fields that exist.
func unmapped(value any) {
	switch value := value.(type) {
	case map[string]any:
		if _, exists := value["fieldName"]; exists {
			delete(value, "mapToName")
		}
		for _, inside := range value {
			unmapped(inside)
		}
	case []any:
		for _, inside := range value {
			unmapped(inside)
		}
	}
}

// null returns where a value has a null in it.
func null(value any, at string) string {
	switch value := value.(type) {
	case nil:
		return at + "."
	case map[string]any:
		for key, inside := range value {
			if found := null(inside, at+"."+key); found != "" {
				return found
			}
		}
	case []any:
		for _, inside := range value {
			if found := null(inside, at+"[]"); found != "" {
				return found
			}
		}
	}
	return ""
}
