package admin

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"windlass"
	"windlass/internal/cli/command"
)

// dialed is a client of a server that always gives one answer.
func dialed(t *testing.T, status int, header http.Header, body string) *client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		maps.Copy(w.Header(), header)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	at := &atServer{server: server.URL}
	c, err := at.dial(&command.Env{Environ: func() []string { return nil }, Getenv: func(name string) string { return map[string]string{command.EnvKey: "wlk_public_s3cret"}[name] }})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAnswerBecomesOneLineAndAnExitCode(t *testing.T) {
	t.Parallel()
	problem := http.Header{"Content-Type": {"application/problem+json"}}
	for _, test := range []struct {
		name   string
		status int
		header http.Header
		body   string
		code   int
		says   string
	}{
		{"a wrong key", 401, problem, `{"title":"t","detail":"the key is not accepted","remedy":"check it"}`, 3, "the key is not accepted; check it"},
		{"a title alone", 403, problem, `{"title":"Not allowed"}`, 4, "Not allowed"},
		{"no such thing", 404, problem, `{"detail":"there is no connection"}`, 5, "there is no connection"},
		{"a conflict", 409, problem, `{"detail":"it exists"}`, 6, "it exists"},
		{"several issues", 422, problem, `{"detail":"bad","issues":[{"in":"body","name":"url","detail":"is required"},{"in":"body","detail":"x","remedy":"y"}]}`, 2, "bad (url: is required) (x: y)"},
		{"an issue with its place", 422, problem, `{"detail":"bad","issues":[{"in":"body","name":"a.b","detail":"no","context":{"line":3,"column":7}}]}`, 2, "bad (3:7: no)"},
		{"a customer who has to connect again", 422, problem, `{"type":"urn:windlass:problem:needs-reconnect","detail":"revoked"}`, 3, "revoked"},
		{"causes", 503, problem, `{"detail":"cannot reach it","causes":["dial: refused"]}`, 8, "cannot reach it: dial: refused"},
		{"a limit", 429, problem, `{"detail":"wait"}`, 7, "wait"},
		{"a defect names the request", 500, problem, `{"detail":"broken","requestId":"r-1"}`, 1, "broken (request r-1)"},
		{"something else that listens there", 404, http.Header{"Content-Type": {"text/html"}}, "<html>", 5, "is WINDLASS_URL its address?"},
		{"a gateway's page", 502, nil, "<html>", 8, "the server answered 502 Bad Gateway, without saying why"},
		{"a redirect is not followed with a key", 302, http.Header{"Location": {"https://elsewhere.example/"}}, "", 2, "a redirect to https://elsewhere.example/"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := dialed(t, test.status, test.header, test.body)
			_, err := c.get(t.Context(), to("projects"), nil)
			if err == nil {
				t.Fatal("no error")
			}
			if got := command.ExitCode(err); got != test.code {
				t.Errorf("exit code %d, want %d", got, test.code)
			}
			if got := command.OneLine(err.Error()); !strings.Contains(got, test.says) || strings.Contains(got, "s3cret") {
				t.Errorf("it says %q, want %q", got, test.says)
			}
		})
	}
}

func TestAnswerThatIsNoJSONIsMalformed(t *testing.T) {
	t.Parallel()
	c := dialed(t, 200, nil, "<html>")
	if _, err := c.inProject(t.Context()); command.KindOf(err) != windlass.Malformed {
		t.Errorf("got %v", err)
	}
}

func TestNoAnswerIsUnavailable(t *testing.T) {
	t.Parallel()
	at := &atServer{server: "http://127.0.0.1:1"}
	c, err := at.dial(&command.Env{Environ: func() []string { return nil }, Getenv: func(string) string { return "key" }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.get(t.Context(), "/", nil); command.KindOf(err) != windlass.Unavailable || !strings.Contains(err.Error(), "is windlass serve running") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.get(ctx, "/", nil); command.KindOf(err) != windlass.Canceled {
		t.Errorf("interrupted: got %v", err)
	}
}

func TestProjectIsTheOnlyOneOrNamed(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`[{"id":"p 1","name":"one"}]`: "/projects/p%201/x",
		`[]`:                          "sees no project",
		`[{"id":"1","name":"one"},{"id":"2","name":"two"}]`:     "one, two",
		`[{"id":"a/b:c","name":"an id that has to be quoted"}]`: "/projects/a%2Fb%3Ac/x",
	} {
		path, err := dialed(t, 200, nil, body).inProject(t.Context(), "x")
		if got := path; (err == nil && got != want) || (err != nil && !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %q, %v", body, path, err)
		}
	}
}

func TestKeyIsNotSentInTheClearOverTheInternet(t *testing.T) {
	t.Parallel()
	for address, fine := range map[string]bool{
		"https://windlass.example.com": true, "http://127.0.0.1:8080": true, "http://[::1]:8080": true,
		"http://localhost:8080": true, "http://windlass:8080": true, "http://10.1.2.3": true,
		"http://windlass.example.com": false, "http://203.0.113.7": false, "ftp://x": false, "windlass.example.com": false,
		"https://user:pass@windlass.example.com": false, "https://": false, "https://x/?key=1": false,
	} {
		if err := checkServer(address); (err == nil) != fine {
			t.Errorf("%s: got %v", address, err)
		}
	}
}

func TestServerNeedsAKey(t *testing.T) {
	t.Parallel()
	_, err := (&atServer{}).dial(&command.Env{Getenv: func(string) string { return "" }})
	if command.KindOf(err) != windlass.Unauthorized || !strings.Contains(err.Error(), command.EnvKey) {
		t.Errorf("got %v", err)
	}
}
