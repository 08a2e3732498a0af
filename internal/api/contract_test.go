package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// A contract is the published document, or nothing where it is not at hand.
type contract struct {
	doc *openapi3.T
	// onlyAnswers leaves requests alone: we take some that the document does not.
	onlyAnswers bool

	mu   sync.Mutex
	seen map[string]bool // the ids of the operations that succeeded
	used map[int]bool    // the deviations that excused something
}

var (
	publishedOnce sync.Once
	publishedDoc  *openapi3.T
	publishedOps  map[string]publishedOperation // by id
	errPublished  error
)

// published loads the published document. Where it is not beside the repository
// exchanges are only checked for nulls, unless it is required.
func published(tb testing.TB) *contract {
	tb.Helper()
	publishedOnce.Do(func() {
		folder := os.Getenv("WINDLASS_SHARED")
		if folder == "" {
			folder = filepath.Join("..", "..", "..", "shared")
		}
		folder = filepath.Join(folder, "contract", "ampersand")
		if publishedDoc, errPublished = load(filepath.Join(folder, "api.bundled.json")); errPublished != nil {
			return
		}
		publishedOps = operationsOf(publishedDoc)
		var searching *openapi3.T // the one document beside it whose operation has a place of its own
		if searching, errPublished = load(filepath.Join(folder, "search.json")); errPublished == nil {
			for id, op := range operationsOf(searching) {
				// Our document has this path once, by the name that the other has it.
				op.path = strings.ReplaceAll(op.path, "{integrationId}", "{integrationIdOrName}")
				publishedOps[id] = op
			}
		}
	})
	if errPublished != nil && os.Getenv("WINDLASS_SHARED_REQUIRED") == "1" {
		tb.Fatalf("WINDLASS_SHARED_REQUIRED=1, but: %v", errPublished)
	}
	return &contract{doc: publishedDoc, seen: map[string]bool{}, used: map[int]bool{}}
}

func load(file string) (*openapi3.T, error) {
	if _, err := os.Stat(file); err != nil {
		return nil, err
	}
	return openapi3.NewLoader().LoadFromFile(file)
}

func operationsOf(doc *openapi3.T) map[string]publishedOperation {
	all := map[string]publishedOperation{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			all[op.OperationID] = publishedOperation{method: method, path: path, op: op}
		}
	}
	return all
}

// A publishedOperation is one published operation.
type publishedOperation struct {
	method, path string
	op           *openapi3.Operation
}

// find returns the published operation of a request, nil where there is none.
func (c *contract) find(r *http.Request) *openapi3.Operation {
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), "/v1")
	if c.doc == nil || !ok {
		return nil
	}
	parts := strings.Split(path, "/")
	for _, candidate := range publishedOps {
		if candidate.method != r.Method {
			continue
		}
		pattern := strings.Split(candidate.path, "/")
		if len(pattern) == len(parts) && !slices.ContainsFunc(pattern, func(part string) bool {
			at := slices.Index(pattern, part)
			return !segmentFits(part, parts[at])
		}) {
			return candidate.op
		}
	}
	return nil
}

func segmentFits(pattern, part string) bool {
	if !strings.HasPrefix(pattern, "{") {
		return pattern == part
	}
	_, verb, _ := strings.Cut(pattern, "}")
	return strings.HasSuffix(part, verb) && (verb != "" || !strings.Contains(part, ":"))
}

// check holds one exchange against the document.
func (c *contract) check(tb testing.TB, r *http.Request, sent string, got answer) {
	tb.Helper()
	if kind, _, _ := mime.ParseMediaType(got.header.Get("Content-Type")); strings.HasSuffix(kind, "json") {
		if place := findNull(got.body); place != "" {
			tb.Errorf("%s: null at %s: %s", got.what, place, got.body)
		}
	}
	op := c.find(r)
	if op == nil {
		return
	}
	succeeded := got.status < 300
	for _, fault := range c.faults(op, sent, got, succeeded) {
		if !c.excused(op.OperationID, fault) {
			tb.Errorf("%s: %s leaves the published contract: %s\nsent: %s\ngot: %s", got.what, op.OperationID, fault, sent, got.body)
		}
	}
	if succeeded {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.seen[op.OperationID] = true
	}
}

func (c *contract) excused(operation, fault string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, d := range deviations {
		if (d.operation == "*" || slices.Contains(strings.Split(d.operation, "|"), operation)) && strings.Contains(fault, d.says) {
			c.used[i] = true
			return true
		}
	}
	return false
}

func (c *contract) faults(op *openapi3.Operation, sent string, got answer, succeeded bool) (faults []string) {
	// What was refused need not have been a good request.
	if succeeded && op.RequestBody != nil && !c.onlyAnswers {
		schema := op.RequestBody.Value.Content.Get("application/json").Schema.Value
		for _, fault := range schemaFaults(schema, sent) {
			faults = append(faults, "request: "+fault)
		}
	}
	response := op.Responses.Status(got.status)
	if response == nil {
		response = op.Responses.Default()
	}
	if response == nil {
		return append(faults, fmt.Sprintf("status %d is not in the document", got.status))
	}
	kind, _, _ := mime.ParseMediaType(got.header.Get("Content-Type"))
	media := response.Value.Content.Get(kind)
	switch {
	case len(response.Value.Content) == 0 && got.body == "":
		return faults
	case media == nil:
		return append(faults, fmt.Sprintf("status %d with content type %q is not in the document", got.status, kind))
	case kind == "text/plain":
		return faults
	}
	schema := media.Schema.Value
	if kind == "application/problem+json" {
		// The document names the form without issues in places where there are some.
		schema = c.doc.Components.Schemas["InputValidationProblem"].Value
	}
	for _, fault := range schemaFaults(schema, got.body) {
		faults = append(faults, "answer: "+fault)
	}
	return faults
}

func schemaFaults(schema *openapi3.Schema, text string) (faults []string) {
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return []string{"not JSON: " + err.Error()}
	}
	for _, err := range flatten(schema.VisitJSON(value, openapi3.MultiErrors())) {
		var fault *openapi3.SchemaError
		if !errors.As(err, &fault) {
			faults = append(faults, err.Error())
			continue
		}
		faults = append(faults, strings.Join(fault.JSONPointer(), ".")+": "+fault.Reason)
	}
	return append(faults, extraKeys(schema, value, "")...)
}

func flatten(err error) (all []error) {
	var many openapi3.MultiError
	switch {
	case err == nil:
	case errors.As(err, &many):
		for _, one := range many {
			all = append(all, flatten(one)...)
		}
	default:
		all = append(all, err)
	}
	return all
}

// extraKeys lists the keys of a value that its schema does not have: answers are
// closed, even where the document forgets to say so.
func extraKeys(schema *openapi3.Schema, value any, place string) (extra []string) {
	switch value := value.(type) {
	case []any:
		for i, member := range value {
			if schema.Items != nil {
				extra = append(extra, extraKeys(schema.Items.Value, member, fmt.Sprintf("%s[%d]", place, i))...)
			}
		}
	case map[string]any:
		known, more := properties(schema)
		for _, key := range slices.Sorted(maps.Keys(value)) {
			switch member := known[key]; {
			case member != nil:
				extra = append(extra, extraKeys(member, value[key], place+"."+key)...)
			case more != nil:
				extra = append(extra, extraKeys(more, value[key], place+"."+key)...)
			case len(known) > 0:
				extra = append(extra, "key "+key+" at "+place+" is not in the document")
			}
		}
	}
	return extra
}

// properties gathers what a schema and its parts know, and the schema of the rest.
func properties(schema *openapi3.Schema) (known map[string]*openapi3.Schema, more *openapi3.Schema) {
	known = map[string]*openapi3.Schema{}
	for name, property := range schema.Properties {
		known[name] = property.Value
	}
	if schema.AdditionalProperties.Schema != nil {
		more = schema.AdditionalProperties.Schema.Value
	}
	for _, part := range slices.Concat(schema.AllOf, schema.OneOf, schema.AnyOf) {
		partKnown, partMore := properties(part.Value)
		for name, property := range partKnown {
			if before := known[name]; before != nil && before != property {
				property = &openapi3.Schema{AllOf: openapi3.SchemaRefs{{Value: before}, {Value: property}}}
			}
			known[name] = property
		}
		if more == nil {
			more = partMore
		}
	}
	return known, more
}

// findNull returns where a JSON text holds a null, or nothing.
func findNull(text string) string {
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	var value any
	if decoder.Decode(&value) != nil {
		return ""
	}
	return nullIn(value, "$")
}

func nullIn(value any, place string) string {
	switch value := value.(type) {
	case nil:
		return place
	case map[string]any:
		for key, member := range value {
			if found := nullIn(member, place+"."+key); found != "" {
				return found
			}
		}
	case []any:
		for i, member := range value {
			if found := nullIn(member, fmt.Sprintf("%s[%d]", place, i)); found != "" {
				return found
			}
		}
	}
	return ""
}

// Every published operation is built, or comes later, or is left out with a reason;
// what is built has the published method and path.
func TestEveryPublishedOperationIsAccountedFor(t *testing.T) {
	t.Parallel()
	c := published(t)
	if c.doc == nil {
		t.Skipf("the published contract is not beside the repository: %v", errPublished)
	}
	ours := map[string]string{}
	for _, r := range ourOperations(t) {
		ours[r.id] = r.method + " " + strings.TrimPrefix(r.path, "/v1")
	}
	for id, op := range publishedOps {
		want := op.method + " " + op.path
		switch got, built := ours[id]; {
		case built && got != want:
			t.Errorf("%s: we have %s, the document has %s", id, got, want)
		case built && (later[id] != "" || leftOut[id] != ""):
			t.Errorf("%s is built, and listed as if it were not", id)
		case !built && later[id] == "" && leftOut[id] == "":
			t.Errorf("%s (%s) is neither built nor listed with a reason", id, want)
		}
	}
	for id := range ours {
		if _, known := publishedOps[id]; !known && ownOperations[id] == "" {
			t.Errorf("%s is not in the document: list it with a reason", id)
		}
	}
}
