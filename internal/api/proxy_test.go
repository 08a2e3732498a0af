package api_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"windlass"
	"windlass/internal/api"
	"windlass/internal/proxy"
)

// passing is a proxy that says what it was handed, or fails.
type passing struct {
	calls []proxy.Call
	err   error
}

func (p *passing) Serve(w http.ResponseWriter, _ *http.Request, call proxy.Call) {
	p.calls = append(p.calls, call)
	if p.err != nil {
		call.Fail(w, p.err)
		return
	}
	w.WriteHeader(http.StatusTeapot)
}

func TestWhoMayUseTheProxy(t *testing.T) {
	through := &passing{}
	w := newWorldWith(t, func(c *api.Config) { c.Proxy, c.ProxyHost = through, "proxy.example.com" })
	other := w.newProject("other")
	type header = map[string]string
	for _, row := range []struct {
		name, host, path string
		set              header
		status           int
		project          string
	}{
		{"by the header", "", "/2.0/user", header{"X-Amp-Proxy-Version": "1", "X-Api-Key": w.key, "X-Amp-Project-Id": w.project.ID}, 418, w.project.ID},
		{"by the project's name", "", "/2.0/user", header{"X-Amp-Proxy-Version": "1", "X-Api-Key": w.key, "X-Amp-Project-Id": "acme"}, 418, w.project.ID},
		{"in the key's own project", "", "/2.0/user", header{"X-Amp-Proxy-Version": "1", "X-Api-Key": w.key}, 418, w.project.ID},
		{"by the host", "proxy.example.com", "/2.0/user", header{"X-Api-Key": w.key}, 418, w.project.ID},
		{"by the host with a port, in capitals", "PROXY.example.com.:8443", "/2.0/user", header{"X-Api-Key": w.key}, 418, w.project.ID},
		{"a path of ours", "", "/v1/projects", header{"X-Amp-Proxy-Version": "1", "X-Api-Key": w.key}, 418, w.project.ID},
		{"with the provider's sort of credential beside the key", "", "/2.0/user", header{"X-Amp-Proxy-Version": "1", "X-Api-Key": w.key, "Authorization": "Bearer theirs"}, 418, w.project.ID},
		{"the operator, in a project", "", "/2.0/user", header{"X-Amp-Proxy-Version": "1", "X-Api-Key": operatorKey, "X-Amp-Project-Id": other.ID}, 418, other.ID},
		{"the operator, nowhere", "", "/2.0/user", header{"X-Amp-Proxy-Version": "1", "X-Api-Key": operatorKey}, 400, ""},
		{"no key", "", "/2.0/user", header{"X-Amp-Proxy-Version": "1"}, 401, ""},
		{"a key that there is not", "", "/2.0/user", header{"X-Amp-Proxy-Version": "1", "X-Api-Key": "wlk_x_y"}, 401, ""},
		{"a token instead of a key", "", "/2.0/user", header{"X-Amp-Proxy-Version": "1", "Authorization": "Bearer a.b.c"}, 401, ""},
		{"a front end's key", "", "/2.0/user", header{"X-Amp-Proxy-Version": "1", "X-Api-Key": w.frontend}, 403, ""},
		{"another project", "", "/2.0/user", header{"X-Amp-Proxy-Version": "1", "X-Api-Key": w.key, "X-Amp-Project-Id": other.ID}, 404, ""},
		{"neither header nor host", "www.proxy.example.com", "/2.0/user", header{"X-Api-Key": w.key}, 404, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			through.calls = nil
			r := httptest.NewRequest(http.MethodPost, row.path, nil)
			if row.host != "" {
				r.Host = row.host
			}
			for name, value := range row.set {
				r.Header.Set(name, value)
			}
			rw := httptest.NewRecorder()
			w.api.ServeHTTP(rw, r)
			if rw.Code != row.status || (row.project != "") != (len(through.calls) == 1) {
				t.Fatalf("got %d %s, handed over %d", rw.Code, rw.Body, len(through.calls))
			}
			if row.project == "" {
				if rw.Header().Get("X-Request-Id") == "" || rw.Header().Get("Content-Type") != "application/problem+json" {
					t.Errorf("the refusal has %v", rw.Header())
				}
				return
			}
			if call := through.calls[0]; call.ProjectID != row.project || call.RequestID == "" || call.Caller == "" {
				t.Errorf("handed over with %+v", call)
			}
			if len(rw.Header()) != 0 {
				t.Errorf("something was added to the provider's answer: %v", rw.Header())
			}
		})
	}
}

func TestProblemsOfTheProxy(t *testing.T) {
	t.Parallel()
	through := &passing{}
	w := newWorldWith(t, func(c *api.Config) { c.Proxy = through })
	for kind, status := range map[windlass.Kind]int{proxy.TooLarge: 413, proxy.TooSlow: 408, proxy.TimedOut: 504, windlass.NeedsReconnect: 422} {
		through.err = &windlass.Error{Kind: kind, Message: "so it is"}
		r := httptest.NewRequest(http.MethodGet, "/2.0/user", nil)
		r.Header.Set("X-Amp-Proxy-Version", "1")
		r.Header.Set("X-Api-Key", w.key)
		rw := httptest.NewRecorder()
		w.api.ServeHTTP(rw, r)
		if rw.Code != status || rw.Header().Get("Content-Type") != "application/problem+json" || rw.Header().Get("X-Request-Id") == "" {
			t.Errorf("%s: %d %s", kind, rw.Code, rw.Body)
		}
	}
}

func TestWithoutAProxyTheHeaderMeansNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := httptest.NewRequest(http.MethodGet, "/2.0/user", nil)
	r.Header.Set("X-Amp-Proxy-Version", "1")
	rw := httptest.NewRecorder()
	w.api.ServeHTTP(rw, r)
	if rw.Code != 404 {
		t.Errorf("%d %s", rw.Code, rw.Body)
	}
}
