package bitbucket_test

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"windlass/bitbucket"
	"windlass/bitbucket/sandbox"
	"windlass/connector"
	"windlass/connector/connectortest"
)

// undocumentedRequests are what the connector sends though the document does
// not have it, and why.
var undocumentedRequests = map[string]string{
	"GET /addon/linkers":                        "gone from the document since early 2026; still the only way to a Connect app's linkers",
	"GET /workspaces/{workspace}/projects?q":    "undocumented there: sent as a probe, and for a span of time once the probe worked",
	"GET /workspaces/{workspace}/projects?sort": "the same",
}

// everywhere are the parameters that the document describes once for all lists,
// in its introduction.
var everywhere = []string{"pagelen", "page", "fields"}

// TestEveryRequestIsInTheDocument runs the whole conformance suite, and reads
// every object since a time, and looks each request up in Atlassian's document.
func TestEveryRequestIsInTheDocument(t *testing.T) {
	t.Parallel()
	document := decode(t, shared(t, "bitbucket/swagger.2026-08.json"))
	r := setUp(t, &sandbox.Options{Limit: -1, Repositories: 250})
	checker := &requestChecker{t: t, document: document, used: map[string]bool{}}
	r.before = func(_ int, req *http.Request) { checker.check(req) }
	connectortest.Run(t, conformance(r, t))
	subject := conformance(r, t)
	for _, object := range bitbucket.Objects() {
		read(t, subject.Connector, connector.ReadRequest{Object: object.Name, Since: time.Now().AddDate(-20, 0, 0)})
	}
	for name := range undocumentedRequests {
		if !checker.used[name] {
			t.Errorf("%s is exempted and never sent", name)
		}
	}
	if checker.checked < 100 {
		t.Errorf("only %d requests were looked up", checker.checked)
	}
}

// requestChecker looks requests up in the document.
type requestChecker struct {
	t        *testing.T
	document map[string]any

	mu      sync.Mutex // guards what follows
	used    map[string]bool
	checked int
}

func (c *requestChecker) check(req *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.checked++
	path := strings.TrimPrefix(req.URL.EscapedPath(), "/2.0")
	template, item := c.find(path)
	name := req.Method + " " + template
	if template == "" {
		name = req.Method + " " + path
	}
	operation, _ := at(item, strings.ToLower(req.Method)).(map[string]any)
	if operation == nil {
		c.exempt(name, "the request")
		return
	}
	known := slices.Clone(everywhere)
	body := ""
	for _, list := range []any{at(item, "parameters"), operation["parameters"]} {
		parameters, _ := list.([]any)
		for _, parameter := range parameters {
			switch in, _ := at(parameter, "in").(string); in {
			case "query":
				text, _ := at(parameter, "name").(string)
				known = append(known, text)
			case "body":
				ref, _ := at(parameter, "schema", "$ref").(string)
				body = ref[strings.LastIndexByte(ref, '/')+1:]
			}
		}
	}
	for parameter := range req.URL.Query() {
		if !slices.Contains(known, parameter) {
			c.exempt(name+"?"+parameter, "the parameter "+parameter)
		}
	}
	c.checkBody(name, body, req)
}

// exempt passes what the table of exemptions has, and fails for all else.
func (c *requestChecker) exempt(name, what string) {
	if undocumentedRequests[name] == "" {
		c.t.Errorf("%s is not in the document: %s", what, name)
	}
	c.used[name] = true
}

// find finds the document's template for a path.
func (c *requestChecker) find(path string) (string, any) {
	parts := strings.Split(path, "/")
	paths, _ := c.document["paths"].(map[string]any)
	best, literal := "", -1
	for template := range paths {
		names := strings.Split(template, "/")
		if len(names) != len(parts) {
			continue
		}
		score := 0
		for i, name := range names {
			switch {
			case name == parts[i]:
				score++
			case !strings.HasPrefix(name, "{") || parts[i] == "":
				score = -1000
			}
		}
		if score > literal {
			best, literal = template, score
		}
	}
	return best, paths[best]
}

// checkBody checks the members of a JSON body against the document's definition.
func (c *requestChecker) checkBody(name, definition string, req *http.Request) {
	if req.Body == nil || req.Body == http.NoBody {
		return
	}
	data, err := io.ReadAll(req.Body)
	if err != nil {
		c.t.Error(err)
	}
	req.Body = io.NopCloser(bytes.NewReader(data))
	if req.ContentLength != int64(len(data)) {
		c.t.Errorf("%s: the length is not said, and Bitbucket answers 411", name)
	}
	kind, params, err := mime.ParseMediaType(req.Header.Get("Content-Type"))
	if err != nil || (kind == "multipart/form-data") != (params["boundary"] != "") {
		c.t.Errorf("%s: content type %q: %v", name, req.Header.Get("Content-Type"), err)
	}
	if kind != "application/json" {
		return
	}
	var members map[string]any
	if err := json.Unmarshal(data, &members); err != nil {
		c.t.Errorf("%s: %v", name, err)
	}
	known := properties(c.document, at(c.document, "definitions", definition))
	for member := range members {
		if _, ok := known[member]; definition != "" && !ok {
			c.exempt(name+" body "+member, "the member "+member)
		}
	}
}
