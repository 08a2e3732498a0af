package bitbucket_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"windlass"
	"windlass/bitbucket"
	"windlass/connector"
)

// transportFunc answers requests in the tests that need no whole server.
type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// reply is an answer with a status, a body and headers given in pairs.
func reply(status int, body string, headers ...string) *http.Response {
	resp := &http.Response{
		StatusCode: status, Status: strconv.Itoa(status), ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
	for i := 0; i+1 < len(headers); i += 2 {
		resp.Header.Set(headers[i], headers[i+1])
	}
	return resp
}

// always answers every request alike.
func always(status int, body string, headers ...string) transportFunc {
	return func(*http.Request) (*http.Response, error) { return reply(status, body, headers...), nil }
}

// over returns a connector for the workspace acme whose requests go to t.
func over(tb testing.TB, t http.RoundTripper) *bitbucket.Connector {
	tb.Helper()
	c, err := bitbucket.New(&http.Client{Transport: t}, &bitbucket.Options{Workspace: "acme"})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// typed returns the *windlass.Error in err, or fails.
func typed(tb testing.TB, err error) *windlass.Error {
	tb.Helper()
	var known *windlass.Error
	if !errors.As(err, &known) {
		tb.Fatalf("want a *windlass.Error, got %T: %v", err, err)
	}
	return known
}

// cutBody breaks off after its text.
type cutBody struct{ io.Reader }

func (c cutBody) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func (cutBody) Close() error { return nil }

// cut is an answer that breaks off.
func cut(body string) *http.Response {
	resp := reply(http.StatusOK, "")
	resp.Body = cutBody{bytes.NewBufferString(body)}
	resp.ContentLength = int64(len(body)) + 100
	return resp
}

// readHooks is a read of an object that is nothing special.
var readHooks = connector.ReadRequest{Object: "hooks"}

// stringIn returns a string member of a record.
func stringIn(tb testing.TB, raw []byte, name string) string {
	tb.Helper()
	var members map[string]any
	if err := json.Unmarshal(raw, &members); err != nil {
		tb.Fatal(err)
	}
	text, ok := members[name].(string)
	if !ok {
		tb.Fatalf("%s is %v in %.100s", name, members[name], raw)
	}
	return text
}
