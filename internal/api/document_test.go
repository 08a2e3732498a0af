package api_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"windlass/internal/api"
)

type operation struct{ id, method, path string }

// ourOperations lists what our document lists.
func ourOperations(t *testing.T) (all []operation) {
	t.Helper()
	for path, item := range ourDocument(t).Paths.Map() {
		for method, op := range item.Operations() {
			all = append(all, operation{op.OperationID, method, path})
		}
	}
	return all
}

func ourDocument(t *testing.T) *openapi3.T {
	t.Helper()
	w := newWorld(t)
	text := w.do(request{method: "GET", path: "/openapi.json", key: noKey}).is(200).body
	doc, err := openapi3.NewLoader().LoadFromData([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestDocumentIsValidOpenAPI31(t *testing.T) {
	t.Parallel()
	doc := ourDocument(t)
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("it says that it is OpenAPI %s", doc.OpenAPI)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	for name, schema := range doc.Components.Schemas {
		if schema.Value.Type.Is("object") && len(schema.Value.Properties) > 0 {
			if closed := schema.Value.AdditionalProperties.Has; closed == nil || *closed {
				t.Errorf("%s takes any key", name)
			}
		}
	}
}

func TestDocumentListsEveryRouteOnce(t *testing.T) {
	t.Parallel()
	doc := ourDocument(t)
	listed := 0
	for _, item := range doc.Paths.Map() {
		listed += len(item.Operations())
	}
	if want := api.CountRoutes(); listed != want {
		t.Errorf("the document lists %d operations, the table has %d", listed, want)
	}
	for _, op := range ourOperations(t) {
		if op.id == "" {
			t.Errorf("%s %s has no id", op.method, op.path)
		}
	}
}

// A document that says which keys are required is a promise that the types keep.
func TestDocumentHoldsNoNullAndNoSchemaKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	text := w.do(request{method: "GET", path: "/openapi.json", key: noKey}).body
	if strings.Contains(text, `"null"`) || strings.Contains(text, "$schema") {
		t.Error("a schema allows null, or has $schema")
	}
	if !json.Valid([]byte(text)) {
		t.Error("it is not JSON")
	}
	if got := w.do(request{method: http.MethodGet, path: "/openapi.json", key: noKey}).header.Get("Content-Type"); got != "application/json" {
		t.Errorf("content type %q", got)
	}
}
