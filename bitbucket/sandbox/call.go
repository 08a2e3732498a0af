package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// A call is one API request on its way through the server.
type call struct {
	server  *Server
	request *http.Request
	path    string // escaped, without "/2.0"
	query   url.Values
	params  map[string]string
	who     principal
	ws      *workspace // of {ws} in the route
	at      links
	body    []byte
	spoiled spoiled
}

// An answer is what a handler has to say when nothing is wrong.
type answer struct {
	status int
	header http.Header
	kind   string // content type; "" means JSON
	body   []byte
}

// reply is a 200 with a body.
func reply(body object) (*answer, error) {
	return &answer{status: http.StatusOK, body: appendObject(nil, body)}, nil
}

// created is an answer with a Location.
func created(status int, location string, body object) (*answer, error) {
	return &answer{status: status, header: http.Header{"Location": {location}}, body: appendObject(nil, body)}, nil
}

func nothing() (*answer, error) { return &answer{status: http.StatusNoContent}, nil }

func (c *call) param(name string) string { return c.params[name] }

func (c *call) world() *world { return c.server.world }

// owner says whether the caller may do what only owners of the workspace may.
func (c *call) owner() bool { return c.who.user != nil && c.ws.owner(c.who.user) }

// member says whether the caller belongs to the workspace.
func (c *call) member() bool { return c.who.user != nil && c.ws.membership(c.who.user) != nil }

// maxBody is more than any body Bitbucket's limits allow for these endpoints.
const maxBody = 32 << 20

func (c *call) readBody() error {
	if c.request.Body == nil {
		return nil
	}
	b, err := io.ReadAll(io.LimitReader(c.request.Body, maxBody+1))
	if err != nil {
		return fail(http.StatusBadRequest, "The request body ended early.")
	}
	if len(b) > maxBody {
		return fail(http.StatusRequestEntityTooLarge, "The request body is too large.")
	}
	c.body = b
	return nil
}

// document is the JSON object that a request carries.
type document map[string]any

// document reads the body as a JSON object. An empty body is an empty object.
func (c *call) document() (document, error) { return parseDocument(c.body) }

func parseDocument(body []byte) (document, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return document{}, nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var doc document
	if err := d.Decode(&doc); err != nil || doc == nil {
		return nil, fail(http.StatusBadRequest, messageBadJSON)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fail(http.StatusBadRequest, messageBadJSON)
	}
	return doc, nil
}

// blame makes the failure for a field that is wrong; groups of endpoints have
// different ones.
type blame func(field, why string) *failure

// text reads a nullable text; set is false when the field is not there.
func (d document) text(field string, b blame) (value *string, set bool, err error) {
	v, set := d[field]
	if !set || v == nil {
		return nil, set, nil
	}
	s, ok := v.(string)
	if !ok {
		return nil, true, b(field, "expected a string")
	}
	return &s, true, nil
}

// flag reads a boolean; set is false when the field is not there.
func (d document) flag(field string, b blame) (value, set bool, err error) {
	v, set := d[field]
	if !set {
		return false, false, nil
	}
	value, ok := v.(bool)
	if !ok {
		return false, true, b(field, "expected true or false")
	}
	return value, true, nil
}

// object reads a nested object; nil when it is absent or null.
func (d document) object(field string, b blame) (document, error) {
	m, ok := d[field].(map[string]any)
	if !ok && d[field] != nil {
		return nil, b(field, "expected an object")
	}
	return m, nil
}

// unescape splits an escaped path and undoes the escapes of each segment. A
// trailing slash counts for nothing.
func unescape(path string) ([]string, bool) {
	segments := strings.Split(strings.Trim(path, "/"), "/")
	for i, s := range segments {
		u, err := url.PathUnescape(s)
		if err != nil {
			return nil, false
		}
		segments[i] = u
	}
	return segments, true
}
