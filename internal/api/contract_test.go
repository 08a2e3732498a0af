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

// deviations are the places where we leave the published document, by operation
// ("*" is all), each with its reason. A key is the operation's id, a space, and
// what the check says.
var deviations = []struct{ operation, says, because string }{
	{
		"*", "Value is not nullable",
		"null in a request is read as absent",
	},
	{
		"oauthConnect", "request: key projectId",
		"published clients send projectId instead of projectIdOrName",
	},
	{
		"oauthConnect", `property "projectIdOrName" is missing`,
		"the same",
	},
	{
		"createJWTKey|listJWTKeys|getJWTKey|updateJWTKey|deleteJWTKey", "status 4",
		"only some failures are in the document, and those as application/json; ours are problems like everywhere",
	},
	{
		"deleteApiKey", "status 4",
		"only 404 is in the document; a frontend key gets a 403",
	},
	{
		"updateConnection", "updateMask",
		"the document's list of masks has no customAuth, and credentials that we do not have",
	},
	{
		"listProviders|getProvider", "key providerOpts",
		"not in the document, yet published clients read it without asking",
	},
	{
		"createProject", `property "orgId" is missing`,
		"there are no organisations; it is taken where it is sent",
	},
}

// later are the operations of the published document that are not built yet.
var later = map[string]string{
	"listOperations": "issue 4", "getBackfillProgress": "issue 4", "getOperation": "issue 4", "listOperationLogs": "issue 4",
	"createTopic": "issue 4", "listTopics": "issue 4", "updateTopic": "issue 4", "deleteTopic": "issue 4",
	"createEventTopicRoute": "issue 4", "listEventTopicRoutes": "issue 4", "deleteEventTopicRoute": "issue 4",
	"createTopicDestinationRoute": "issue 4", "listTopicDestinationRoutes": "issue 4", "deleteTopicDestinationRoute": "issue 4",
}

// leftOut are those that will not be built.
var leftOut = map[string]string{
	"getMyInfo":                     "about a person who logs in to the hosted service; there is no such person here",
	"upsertMetadataForInstallation": "creates custom fields, which Bitbucket does not have",
	"upsertMetadataForConnection":   "the same",
}

// ownOperations are ours alone.
var ownOperations = map[string]string{
	"receiveUpload": "where the signed URL leads", "finishConsent": "where a provider sends people back to",
	"getDocument": "our own document",
}

// A contract is the published document, or nothing where it is not at hand.
type contract struct {
	doc *openapi3.T

	mu   sync.Mutex
	seen map[string]bool // the ids of the operations that succeeded
	used map[int]bool    // the deviations that excused something
}

var (
	publishedOnce sync.Once
	publishedDoc  *openapi3.T
	errPublished  error
)

// published loads the published document. Where it is not beside the repository
// exchanges are only checked for nulls, unless it is required.
func published(t *testing.T) *contract {
	t.Helper()
	publishedOnce.Do(func() {
		folder := os.Getenv("WINDLASS_SHARED")
		if folder == "" {
			folder = filepath.Join("..", "..", "..", "shared")
		}
		file := filepath.Join(folder, "contract", "ampersand", "api.bundled.json")
		if _, errPublished = os.Stat(file); errPublished == nil {
			publishedDoc, errPublished = openapi3.NewLoader().LoadFromFile(file)
		}
	})
	if errPublished != nil && os.Getenv("WINDLASS_SHARED_REQUIRED") == "1" {
		t.Fatalf("WINDLASS_SHARED_REQUIRED=1, but: %v", errPublished)
	}
	return &contract{doc: publishedDoc, seen: map[string]bool{}, used: map[int]bool{}}
}

// operations lists the published operations by id, each with its method and path.
func (c *contract) operations() map[string]published1 {
	all := map[string]published1{}
	for path, item := range c.doc.Paths.Map() {
		for method, op := range item.Operations() {
			all[op.OperationID] = published1{method: method, path: path, op: op}
		}
	}
	return all
}

type published1 struct {
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
	for _, candidate := range c.operations() {
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
func (c *contract) check(t *testing.T, r *http.Request, sent string, got answer) {
	t.Helper()
	if kind, _, _ := mime.ParseMediaType(got.header.Get("Content-Type")); strings.HasSuffix(kind, "json") {
		if place := findNull(got.body); place != "" {
			t.Errorf("%s: null at %s: %s", got.what, place, got.body)
		}
	}
	op := c.find(r)
	if op == nil {
		return
	}
	succeeded := got.status < 300
	for _, fault := range c.faults(op, sent, got, succeeded) {
		if !c.excused(op.OperationID, fault) {
			t.Errorf("%s: %s leaves the published contract: %s\nsent: %s\ngot: %s", got.what, op.OperationID, fault, sent, got.body)
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
	if succeeded && op.RequestBody != nil {
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
	for id, op := range c.operations() {
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
		if _, known := c.operations()[id]; !known && ownOperations[id] == "" {
			t.Errorf("%s is not in the document: list it with a reason", id)
		}
	}
}
