package proxy_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	pathpkg "path"
	"regexp"
	"strings"
	"testing"
	"time"

	"windlass/connector"
	"windlass/internal/proxy"
)

// Invariant 6: whatever stands in a request's first line, it goes below the base
// URL or nowhere.
func TestNoPathLeavesTheBaseURL(t *testing.T) {
	t.Parallel()
	w := newWorld(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s went on", r.Method, r.RequestURI)
	}), nil)
	for _, target := range []string{
		"//evil.example/2.0/user", "///evil.example", `/\evil.example/x`, `/\\evil.example`, "/%2Fevil.example/x", "/%2f%2fevil.example", "/%5Cevil.example", "/%255Cevil.example",
		"/2.0/../x", "/..", "/../", "/2.0/..", "/2.0/%2e%2e/x", "/2.0/%2E%2E/x", "/2.0/.%2e/x", "/2.0/%2e./x", "/2.0/%252e%252e/x", "/2.0/%25252e%25252e/x",
		"/2.0/a%2F..%2Fb", "/2.0/a%5C..%5Cb", "/2.0/..%2fx", "/2.0/..%5cx", "/2.0/..;/x", "/2.0/..;a=b/x", `/2.0/..\x`, `/2.0/a\b`,
		"/2.0/x%0d%0aHost:%20evil.example", "/2.0/x%0A", "/2.0/x%00", "/2.0/x%7f", "/2.0/x%01y", "/2.0/x#y", "/2.0/x?a#b",
		"http://evil.example/2.0/user", "https://api.bitbucket.org/2.0/user", "http://evil.example", "evil.example:443", "@evil.example/x", ".evil.example/x", "*", "2.0/user",
		"/2.0/%zz", "/2.0/%2", "/2.0/%",
		// The fifth unescaping would find it, or the second fails before.
		"/2.0/%2525252e%2525252e/x", "/2.0/%252525252e%252525252e/x", "/2.0/%25252525252e%25252525252e/x", "/2.0/a%252525252f..%252525252fb",
		"/2.0/%25zz/%252e%252e/x", "/2.0/%25/%252e%252e/x", "/2.0/%252e%252e/%25zz", "/2.0/a%255c..%255cb%25", "/2.0/..%253b/x", "/2.0/x%250d%250aHost:", "/2.0/%25zz/x%2500",
	} {
		for name, status := range map[string]int{"over a socket": w.first(target), "handed over": w.handed(target)} {
			if status != 400 {
				t.Errorf("%s, %s: %d, want 400", target, name, status)
			}
		}
	}
	for _, method := range []string{"TRACE", "TRACK", "CONNECT"} {
		if resp, text := w.do(w.request(method, "/2.0/x", nil)); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d %s", method, resp.StatusCode, text)
		}
	}
}

// first sends a target as it is, and returns the status of the answer.
func (w *world) first(target string) int {
	w.Helper()
	conn := w.raw("GET " + target + " HTTP/1.1\r\nHost: proxy\r\nX-Amp-Installation-Id: " + installationID + "\r\nConnection: close\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		w.Fatalf("%s: %v", target, err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// handed serves a target that a server let through, whatever net/http makes of it.
func (w *world) handed(target string) int {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RequestURI = target
	r.Header.Set("X-Amp-Installation-Id", installationID)
	rw := httptest.NewRecorder()
	w.serve(rw, r)
	return rw.Code
}

// What is escaped twice and leads nowhere is a name like another.
func TestNamesWithPercentSignsPass(t *testing.T) {
	t.Parallel()
	w := newWorld(t, http.HandlerFunc(mirror), nil)
	for _, target := range []string{"/2.0/100%25", "/2.0/a%2520b", "/2.0/50%25%20off", "/2.0/%25zz", "/2.0/a%2Fb/...", "/2.0/a%3Bb"} {
		if status := w.first(target); status != 200 {
			t.Errorf("%s: %d", target, status)
		}
	}
}

func TestABaseURLWithAPathIsNotLeftEither(t *testing.T) {
	t.Parallel()
	w := newWorld(t, http.HandlerFunc(mirror), func(c *proxy.Config) { *baseOf(t, c) += "/gate%2Fway/" })
	if _, text := w.do(w.request("GET", "/2.0/user?a=b", nil)); !strings.HasPrefix(text, "GET /gate%2Fway/2.0/user?a=b\n") {
		t.Errorf("it went to %s", text)
	}
}

// A line cannot be broken in HTTP/1.1, where net/http refuses it, nor in HTTP/2,
// where a header's value may hold anything on the wire.
func TestHeadersThatBreakLines(t *testing.T) {
	t.Parallel()
	w := newWorld(t, http.HandlerFunc(mirror), nil)
	const head = "GET /2.0/x HTTP/1.1\r\nHost: proxy\r\nX-Amp-Installation-Id: " + installationID + "\r\n"
	for _, bad := range []string{"X-A: b\rHost: evil\r\n", "X-A: b\x00c\r\n", "X A: b\r\n", "X-A\r\n", ": b\r\n", "Content-Length: 1\r\nContent-Length: 2\r\n", "Transfer-Encoding: chunked, identity\r\n"} {
		resp, err := http.ReadResponse(bufio.NewReader(w.raw(head+bad+"\r\n")), nil)
		if err != nil || resp.StatusCode < 400 {
			t.Errorf("%q: %v %v", bad, resp, err)
		}
	}
	// Both lengths: what net/http makes of it is one request, which ends where the chunks do.
	text, _ := io.ReadAll(w.raw(head + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\nConnection: close\r\n\r\n0\r\n\r\n"))
	if strings.Count(string(text), "HTTP/1.1 ") != 1 {
		t.Errorf("got %s", text)
	}
	// Within a process the token has not been checked.
	r := httptest.NewRequest(http.MethodGet, "/2.0/x", nil)
	r.Header.Set("X-Amp-Installation-Id", installationID)
	r.Header["X-A"] = []string{"b\r\nHost: evil.example"}
	rw := httptest.NewRecorder()
	w.serve(rw, r)
	if rw.Code < 400 {
		t.Errorf("%d %s", rw.Code, rw.Body)
	}
}

func TestWhatIsRefused(t *testing.T) {
	w := newWorld(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err == nil {
			t.Errorf("%s went on", r.URL)
		}
	}), func(c *proxy.Config) {
		c.Limits.Body = 10
	})
	for _, row := range []struct {
		name   string
		set    map[string]string
		body   any
		status int
		says   string
	}{
		{"no customer named", map[string]string{"X-Amp-Installation-Id": ""}, nil, 400, "send X-Amp-Installation-Id, or X-Amp-Integration-Name and X-Amp-Group-Ref"},
		{"an integration and no group", map[string]string{"X-Amp-Installation-Id": "", "X-Amp-Integration-Name": "acme"}, nil, 400, "does not name a customer"},
		{"an installation that is not there", map[string]string{"X-Amp-Installation-Id": "nope"}, nil, 404, `there is no installation \"nope\"`},
		{"an integration that is not there", map[string]string{"X-Amp-Installation-Id": "", "X-Amp-Integration-Name": "nope", "X-Amp-Group-Ref": "group-1"}, nil, 404, `there is no integration \"nope\"`},
		{"a group without it", map[string]string{"X-Amp-Installation-Id": "", "X-Amp-Integration-Name": "acme", "X-Amp-Group-Ref": "nope"}, nil, 404, `not installed for the group \"nope\"`},
		{"a revision without a proxy", map[string]string{"X-Amp-Installation-Id": "installation-old"}, nil, 403, "add proxy: {enabled: true}"},
		{"a config that switches it off", map[string]string{"X-Amp-Installation-Id": "installation-off"}, nil, 403, "set proxy.enabled to true"},
		{"another version", map[string]string{"X-Amp-Proxy-Version": "2"}, nil, 400, "send 1"},
		{"another mode", map[string]string{"X-Amp-Rate-Limiter-Mode": "wait"}, nil, 400, "send throttle"},
		{"another protocol", map[string]string{"Connection": "keep-alive, Upgrade", "Upgrade": "websocket"}, nil, 400, "leave the header Upgrade out"},
		{"a body that is too long", nil, "eleven bytes", 413, "longer than the 10 bytes"},
		{"one that turns out to be", nil, io.MultiReader(strings.NewReader("eleven bytes")), 413, "longer than the 10 bytes"},
	} {
		t.Run(row.name, func(t *testing.T) {
			req := w.request("POST", "/2.0/x", row.body)
			for name, value := range row.set {
				req.Header.Set(name, value)
				if value == "" {
					req.Header.Del(name)
				}
			}
			resp, text := w.do(req)
			if resp.StatusCode != row.status || !strings.Contains(text, row.says) || resp.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("got %d %s, want %d and %q", resp.StatusCode, text, row.status, row.says)
			}
		})
	}
	if n := w.proxy.Open(); n != 0 {
		t.Errorf("%d requests are still open", n)
	}
}

func TestAnotherProjectSeesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, http.NotFoundHandler(), nil)
	for _, name := range []map[string]string{{"X-Amp-Installation-Id": installationID}, {"X-Amp-Integration-Name": "acme", "X-Amp-Group-Ref": "group-1"}} {
		r := httptest.NewRequest(http.MethodGet, "/2.0/user", nil)
		for header, value := range name {
			r.Header.Set(header, value)
		}
		rw := httptest.NewRecorder()
		w.proxy.Serve(rw, r, proxy.Call{ProjectID: "project-2", Fail: fail})
		if rw.Code != 404 {
			t.Errorf("%v: %d %s", name, rw.Code, rw.Body)
		}
	}
}

func TestWhoIsMeant(t *testing.T) {
	t.Parallel()
	w := newWorld(t, http.HandlerFunc(mirror), nil)
	for name, set := range map[string]map[string]string{
		"by id":                   {"X-Amp-Installation-Id": installationID},
		"by integration":          {"X-Amp-Integration-Name": "acme", "X-Amp-Group-Ref": "group-1"},
		"the installation wins":   {"X-Amp-Installation-Id": installationID, "X-Amp-Integration-Name": "nope", "X-Amp-Group-Ref": "nope"},
		"h2c is not asked for us": {"X-Amp-Installation-Id": installationID, "Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "Http2-Settings": "x"},
	} {
		req := w.request("GET", "/2.0/user", nil)
		req.Header.Del("X-Amp-Installation-Id")
		for header, value := range set {
			req.Header.Set(header, value)
		}
		if resp, text := w.do(req); resp.StatusCode != http.StatusOK || strings.Contains(text, "Upgrade") {
			t.Errorf("%s: %d %s", name, resp.StatusCode, text)
		}
	}
	if n := w.entries.asked.Load(); n != 1 {
		t.Errorf("the revision, which never changes, was looked up %d times", n)
	}
}

// The credential follows nothing: not even a provider that is configured wrong.
func TestTheCredentialGoesToTheAPIAlone(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%q was sent elsewhere", r.Header.Get("Authorization"))
	}))
	defer other.Close()
	w := newWorld(t, http.RedirectHandler(other.URL+"/take", http.StatusFound), nil)
	resp, _ := w.do(w.request("GET", "/2.0/x", nil))
	if resp.StatusCode != http.StatusFound || resp.Header.Get("Location") != other.URL+"/take" {
		t.Errorf("got %d to %s", resp.StatusCode, resp.Header.Get("Location"))
	}
	wrong := newWorld(t, http.NotFoundHandler(), func(c *proxy.Config) { *baseOf(t, c) = other.URL })
	if resp, text := wrong.do(wrong.request("GET", "/2.0/x", nil)); resp.StatusCode != http.StatusInternalServerError || !strings.Contains(text, "refused to send the credential") {
		t.Errorf("got %d %s", resp.StatusCode, text)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	good := proxy.Config{Directory: newEntries(), Credentials: &keeper{}, Providers: connector.Providers{at("", "")}, Budget: &budget{}}
	if _, err := proxy.New(good); err != nil {
		t.Error(err)
	}
	if _, err := proxy.New(proxy.Config{}); err == nil {
		t.Error("nothing is enough")
	}
	for _, base := range []string{"api.bitbucket.org", "ftp://x", "https://", "https://user@x", "https://x?a=b", "https://x#a", "https://%zz"} {
		bad := good
		bad.Providers = connector.Providers{at("", base)}
		if _, err := proxy.New(bad); err == nil {
			t.Errorf("%q is taken for a base URL", base)
		}
	}
}

func sends(f roundTripper) func(string) http.RoundTripper {
	return func(string) http.RoundTripper { return f }
}

func FuzzNoTargetLeavesTheBaseURL(f *testing.F) {
	for _, seed := range []string{"/2.0/user", "/2.0/../x", "//evil", `/\x`, "/%2e%2e", "http://a@b/c", "/a%2Fb?x#y", "*", "/{x}%2F"} {
		f.Add(seed)
	}
	var sent *http.Request
	p, err := proxy.New(proxy.Config{
		Directory: newEntries(), Credentials: &keeper{token: "t"}, Budget: &budget{}, Providers: connector.Providers{at("https://api.example.com/2.0", "https://api.example.com/base")},
		Base: sends(func(req *http.Request) (*http.Response, error) {
			sent = req
			return &http.Response{StatusCode: http.StatusNoContent, Header: http.Header{}, Body: http.NoBody}, nil
		}),
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, target string) {
		if target == "" {
			return // no server hands that over
		}
		sent = nil
		r := &http.Request{Method: http.MethodGet, RequestURI: target, URL: &url.URL{}, Header: http.Header{"X-Amp-Installation-Id": {installationID}}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
		p.Serve(httptest.NewRecorder(), r.WithContext(context.Background()), proxy.Call{ProjectID: projectID, Fail: fail})
		if sent == nil {
			return
		}
		line := sent.URL.RequestURI()
		if sent.URL.Host != "api.example.com" || sent.URL.Scheme != "https" || line != "/base"+target || strings.ContainsAny(line, " \r\n\x00#") {
			t.Fatalf("%q went to %s as %q", target, sent.URL.Host, line)
		}
		// However often it is unescaped, no reader comes out above /base.
		path, _, _ := strings.Cut(line, "?")
		for {
			if clean := pathpkg.Clean(strings.ReplaceAll(path, `\`, "/")); clean != "/base" && !strings.HasPrefix(clean, "/base/") {
				t.Fatalf("%q leads out", target)
			}
			plain := unescaped(path)
			if plain == path {
				break
			}
			path = plain
		}
	})
}

// unescaped takes the escapes of a text away, and leaves what is none as it is.
func unescaped(text string) string {
	return regexp.MustCompile(`%[0-9A-Fa-f]{2}`).ReplaceAllStringFunc(text, func(escape string) string {
		plain, _ := url.PathUnescape(escape) // the pattern matches escapes alone
		return plain
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestPlaces(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	w := newWorld(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hold }), func(c *proxy.Config) {
		c.Limits.PerConnection, c.Limits.Overall = 2, 3
	})
	w.entries.add("installation-2", "group-2", "with", `{}`)
	second := w.entries.installations["installation-2"]
	second.Connection.ID = "connection-2"
	w.entries.installations["installation-2"] = second
	done := make(chan int, 3)
	for range 2 {
		go func() {
			resp, _ := w.do(w.request("GET", "/2.0/slow", nil))
			done <- resp.StatusCode
		}()
	}
	for deadline := time.Now().Add(10 * time.Second); w.proxy.Open() < 2 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if resp, text := w.do(w.request("GET", "/2.0/third", nil)); resp.StatusCode != http.StatusTooManyRequests || !strings.Contains(text, "2 requests of this connection") {
		t.Errorf("got %d %s", resp.StatusCode, text)
	}
	close(hold)
	for range 2 {
		if status := <-done; status != 200 {
			t.Errorf("got %d", status)
		}
	}
	if resp, _ := w.do(w.request("GET", "/2.0/fourth", nil)); resp.StatusCode != http.StatusOK {
		t.Errorf("a place that was free was not given: %d", resp.StatusCode)
	}
}
