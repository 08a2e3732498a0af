package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"windlass/bitbucket/sandbox"
)

const api = "https://api.bitbucket.org/2.0"

// A client talks to a sandbox as a program on the other side would.
type client struct {
	t       *testing.T
	server  *sandbox.Server
	token   string // bearer; "" for anonymous
	headers map[string]string
}

func newClient(t *testing.T, opts *sandbox.Options) *client {
	t.Helper()
	s := sandbox.New(opts)
	return &client{t: t, server: s, token: s.Credentials().AccessToken}
}

// as returns the same client with other scopes.
func (c *client) as(scopes ...string) *client {
	return &client{t: c.t, server: c.server, token: c.server.NewAccessToken(scopes...)}
}

func (c *client) anonymous() *client { return &client{t: c.t, server: c.server} }

// A reply is an answer, read to its end.
type reply struct {
	status int
	header http.Header
	text   string
	body   map[string]any // nil when it is not a JSON object
}

// do sends a request: a path is taken to be below the API, and a body that is
// not text is sent as JSON.
func (c *client) do(method, path string, body any) reply {
	c.t.Helper()
	r, err := c.try(method, path, body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return r
}

func (c *client) try(method, path string, body any) (reply, error) {
	c.t.Helper()
	address := path
	if strings.HasPrefix(path, "/") {
		address = api + path
	}
	content, kind := []byte(nil), ""
	switch b := body.(type) {
	case nil:
	case form:
		content, kind = b.content, b.kind
	default:
		var err error
		if content, err = json.Marshal(b); err != nil {
			c.t.Fatal(err)
		}
		kind = "application/json"
	}
	req, err := http.NewRequestWithContext(c.t.Context(), method, address, bytes.NewReader(content))
	if err != nil {
		c.t.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	for name, value := range c.headers {
		req.Header.Set(name, value)
	}
	resp, err := c.server.Transport().RoundTrip(req)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return reply{}, err
	}
	return reply{status: resp.StatusCode, header: resp.Header, text: string(b), body: lenient(string(b))}, nil
}

// form is a body with a content type of its own.
type form struct {
	kind    string
	content []byte
}

// get is do for reading something that must be there.
func (c *client) get(path string) reply {
	c.t.Helper()
	r := c.do(http.MethodGet, path, nil)
	if r.status != http.StatusOK {
		c.t.Fatalf("GET %s: %d %s", path, r.status, r.text)
	}
	return r
}

// at digs into a body: at("error.fields.name") and at("values.0.uuid").
func (r reply) at(path string) any { return dig(r.body, path) }

func dig(v any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[name]
		case []any:
			i := 0
			for _, c := range name {
				i = 10*i + int(c-'0')
			}
			if i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

func (r reply) values() []any {
	values, _ := r.body["values"].([]any)
	return values
}

// walk follows next from a path to the end and returns every value.
func (c *client) walk(path string) []any {
	c.t.Helper()
	var all []any
	for path != "" {
		r := c.get(path)
		all = append(all, r.values()...)
		path, _ = r.body["next"].(string)
	}
	return all
}

// each returns one field of every value.
func each(values []any, field string) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = dig(v, field)
	}
	return out
}

// fetch reads a page and throws it away.
func fetch(ctx context.Context, s *sandbox.Server, token, path string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, api+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := s.Transport().RoundTrip(r)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close())
}

func readAll(t *testing.T, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func decode(t *testing.T, text string) map[string]any {
	t.Helper()
	body, err := tryDecode(text)
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return body
}

func tryDecode(text string) (body map[string]any, err error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	err = d.Decode(&body)
	return body, err
}
