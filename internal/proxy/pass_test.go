package proxy_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"windlass/bitbucket/sandbox"
)

// mirror answers with what it was sent.
func mirror(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	fmt.Fprintf(rw, "%s %s\nhost: %s\nlength: %d\nbody: %s\n", r.Method, r.RequestURI, r.Host, r.ContentLength, body)
	_ = r.Header.Write(rw)
	for name, values := range r.Trailer {
		fmt.Fprintf(rw, "trailer %s: %s\n", name, values)
	}
}

func TestARequestGoesOnAsItCame(t *testing.T) {
	w := newWorld(t, http.HandlerFunc(mirror), nil)
	for _, row := range []struct{ name, method, path, body string }{
		{"a path", "GET", "/2.0/user", ""},
		{"no path", "GET", "/", ""},
		{"escapes", "GET", "/2.0/workspaces/%7Bws%7D/src/a%2Fb%20c%25d", ""},
		{"escapes in small letters", "GET", "/2.0/a%2fb", ""},
		{"characters that Go would escape", "GET", `/2.0/repositories/{ws}/a%2Fb"<x>`, ""},
		{"two slashes in the middle", "GET", "/2.0/src//master//file", ""},
		{"dots that lead nowhere", "GET", "/2.0/diff/main..feature", ""},
		{"a commercial at", "GET", "/2.0/@evil.example/x", ""},
		{"a query as it is", "GET", `/2.0/x?q=updated_on>2024-01-01T00%3A00%3A00%2B00:00&a=1;b=2&%zz&a&&=`, ""},
		{"a query that looks like a path", "GET", "/2.0/x?next=https://evil.example/../..", ""},
		{"an empty query", "GET", "/2.0/x?", ""},
		{"a body", "POST", "/2.0/x", `{"a":1}`},
		{"a body with GET", "GET", "/2.0/x", "odd"},
		{"any method", "PROPFIND", "/2.0/x", ""},
		{"a method to override", "DELETE", "/2.0/x", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: proxy\r\nX-Amp-Installation-Id: %s\r\nConnection: close\r\n", row.method, row.path, installationID)
			if row.body != "" {
				head += fmt.Sprintf("Content-Length: %d\r\n", len(row.body))
			}
			resp, err := http.ReadResponse(bufio.NewReader(w.raw(head+"\r\n"+row.body)), nil)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(resp.Body)
			want := fmt.Sprintf("%s %s\nhost: %s\nlength: %d\nbody: %s\n", row.method, row.path, w.provider.Listener.Addr(), len(row.body), row.body)
			if resp.StatusCode != http.StatusOK || !strings.HasPrefix(string(text), want) {
				t.Errorf("got %d %s\nwant %s", resp.StatusCode, text, want)
			}
		})
	}
}

func TestHeadersOfARequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, http.HandlerFunc(mirror), nil)
	req := w.request("GET", "/2.0/user", nil)
	for name, value := range map[string]string{
		"Accept": "application/json", "Accept-Encoding": "br", "X-Custom": "1", "If-None-Match": `"a"`, "User-Agent": "my-tool/1",
		"Origin": "https://app.example.com", "X-Http-Method-Override": "PUT",
		"Connection": "X-Named, close", "X-Named": "2", "Keep-Alive": "3", "Te": "trailers", "Proxy-Authorization": "Basic 4", "Proxy-Connection": "5",
		"Cookie": "a=b", "Authorization": "Bearer mine", "X-Amp-Anything": "6", "X-Amp-Rate-Limiter-Mode": "throttle",
		"Forwarded": "for=7", "X-Forwarded-For": "8", "X-Forwarded-Prefix": "9", "X-Real-Ip": "10", "Via": "11", "X-Original-Url": "/12", "X-Rewrite-Url": "/13",
	} {
		req.Header.Set(name, value)
	}
	_, text := w.do(req)
	for _, line := range []string{
		"Accept: application/json", "Accept-Encoding: br", "X-Custom: 1", `If-None-Match: "a"`, "User-Agent: my-tool/1",
		"Origin: https://app.example.com", "X-Http-Method-Override: PUT", "Te: trailers", "Authorization: Bearer token-1",
	} {
		if !strings.Contains(text, line+"\r\n") {
			t.Errorf("%q did not go on", line)
		}
	}
	if n := strings.Count(text, "\r\n"); n != 9 {
		t.Errorf("%d headers went on, want the nine above: %s", n, text)
	}
}

func TestARequestWithoutHeadersGetsNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, http.HandlerFunc(mirror), nil)
	conn := w.raw("GET /2.0/user HTTP/1.1\r\nHost: proxy\r\nX-Amp-Installation-Id: " + installationID + "\r\nConnection: close\r\n\r\n")
	text, _ := io.ReadAll(conn)
	if strings.Contains(string(text), "User-Agent") || strings.Contains(string(text), "Accept-Encoding") {
		t.Errorf("something was added: %s", text)
	}
}

func TestAnAnswerComesBackAsItIs(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, _ = zip.Write([]byte(`{"packed":true}`))
	_ = zip.Close()
	w := newWorld(t, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		h := rw.Header()
		h.Set("Content-Encoding", "gzip")
		h.Set("Content-Type", "application/json")
		h.Set("X-RateLimit-Limit", "1000")
		h.Set("X-RateLimit-NearLimit", "false")
		h.Set("Location", "https://elsewhere.example/x?a=b")
		h.Add("Link", "<a>")
		h.Add("Link", "<b>")
		h.Set("Set-Cookie", "session=of-the-customer")
		h.Set("Alt-Svc", `h3=":443"`)
		h.Set("Connection", "X-Hop")
		h.Set("X-Hop", "1")
		rw.WriteHeader(http.StatusTemporaryRedirect)
		_, _ = rw.Write(packed.Bytes())
	}), nil)
	for _, accept := range []string{"", "gzip"} {
		req := w.request("GET", "/2.0/x", nil)
		if accept != "" {
			req.Header.Set("Accept-Encoding", accept)
		}
		resp, text := w.do(req)
		if resp.StatusCode != http.StatusTemporaryRedirect || text != packed.String() {
			t.Errorf("got %d and %d bytes, want the redirect itself, and its body as it is", resp.StatusCode, len(text))
		}
		for name, want := range map[string]string{
			"Content-Encoding": "gzip", "X-Ratelimit-Limit": "1000", "X-Ratelimit-Nearlimit": "false",
			"Location": "https://elsewhere.example/x?a=b", "Set-Cookie": "", "Alt-Svc": "", "X-Hop": "", "Link": "<a>,<b>",
		} {
			if got := strings.Join(resp.Header[name], ","); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
	}
	if paid := w.budget.paid.Load(); paid != 2 || w.budget.learnt.Load() != 2 {
		t.Errorf("paid for %d of 2 requests, learnt from %d", paid, w.budget.learnt.Load())
	}
}

func TestStatusesOfEverySort(t *testing.T) {
	t.Parallel()
	w, server := inSandbox(t, &sandbox.Options{Repositories: 3}, nil)
	for _, row := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/2.0/user", "", 200},
		{"HEAD", "/2.0/user", "", 200},
		{"GET", "/2.0/repositories/acme?pagelen=2&q=name+~+%22a%22", "", 200},
		{"GET", "/2.0/repositories/acme/no-such", "", 404},
		{"GET", "/2.0/repositories/acme?pagelen=1000", "", 400},
		{"GET", "/2.0/workspaces", "", 410},
		{"POST", "/2.0/workspaces/acme/projects", `{"key":"PRX","name":"Proxied"}`, 201},
		{"DELETE", "/2.0/workspaces/acme/projects/PRX", "", 204},
	} {
		var body any
		if row.body != "" {
			body = row.body
		}
		req := w.request(row.method, row.path, body)
		if row.body != "" {
			req.Header.Set("Content-Type", "application/json")
		}
		resp, text := w.do(req)
		if resp.StatusCode != row.status {
			t.Errorf("%s %s: %d %s, want %d", row.method, row.path, resp.StatusCode, text, row.status)
		}
	}
	if n := server.Requests(); n != 8 {
		t.Errorf("%d requests arrived, want 8", n)
	}
}

func TestTrailersGoBothWays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Trailer", "X-Sum")
		mirror(rw, r)
		rw.Header().Set("X-Sum", "42")
		rw.Header().Set(http.TrailerPrefix+"X-Late", "43")
	}), nil)
	req := w.request("POST", "/2.0/x", io.MultiReader(strings.NewReader("streamed")))
	req.Trailer = http.Header{"X-Check": nil, "X-Amp-Secret": nil, "Authorization": nil}
	req.Body = &onEnd{req.Body, func() {
		req.Trailer.Set("X-Check", "7")
		req.Trailer.Set("X-Amp-Secret", "8")
		req.Trailer.Set("Authorization", "9")
	}}
	resp, text := w.do(req)
	if !strings.Contains(text, "body: streamed\n") || !strings.Contains(text, "trailer X-Check: [7]\n") || strings.Count(text, "trailer ") != 1 {
		t.Errorf("the provider got %s", text)
	}
	if resp.Trailer.Get("X-Sum") != "42" || resp.Trailer.Get("X-Late") != "43" {
		t.Errorf("the caller got %v", resp.Trailer)
	}
}

// onEnd does something when a body has been read.
type onEnd struct {
	io.ReadCloser

	do func()
}

func (b *onEnd) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		b.do()
	}
	return n, err
}

func TestEverythingOverHTTP2(t *testing.T) {
	t.Parallel()
	w := newWorld(t, http.HandlerFunc(mirror), nil)
	transport := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	for range 3 {
		resp, err := transport.RoundTrip(w.request("POST", "/2.0/a%2Fb?x=1", strings.Repeat("long", 50_000)))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.ProtoMajor != 2 || !strings.HasPrefix(string(text), "POST /2.0/a%2Fb?x=1\n") || !strings.Contains(string(text), "length: 200000\n") {
			t.Errorf("HTTP/%d: %.200s (%v)", resp.ProtoMajor, text, err)
		}
	}
}
