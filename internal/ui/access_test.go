package ui_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/auth"
	"windlass/internal/budget"
	"windlass/internal/connect"
	"windlass/internal/deliver"
	"windlass/internal/deploy"
	"windlass/internal/install"
	"windlass/internal/notify"
	"windlass/internal/setup"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
	"windlass/internal/ui"
)

// noBudgets has none.
type noBudgets struct{}

func (noBudgets) Budgets(context.Context, string) ([]budget.State, error) { return nil, nil }

// desk is a dashboard without a server around it.
type desk struct {
	*ui.UI

	t      *testing.T
	people *auth.People
	store  *store.Store
}

func newDesk(t *testing.T, s *store.Store, providers ...connector.Provider) *desk {
	t.Helper()
	people := auth.New(s, nil)
	made, err := ui.New(ui.Config{
		People: people, Setup: setup.New(s, providers, nil), Deploy: deploy.New(s, providers, nil), Install: install.New(s, providers, nil),
		Connect: new(connect.Service), Reads: newReads(t, s),
		Deliver: new(deliver.Service), Notify: new(notify.Service), Budgets: noBudgets{}, Lookup: s, PublicURL: "https://windlass.example.com",
	})
	if err != nil {
		t.Fatal(err)
	}
	return &desk{made, t, people, s}
}

// session begins a session of a role, and returns its cookie.
func (d *desk) session(role windlass.Role) *http.Cookie {
	d.t.Helper()
	token := windlass.NewSecret("token of a " + string(role))
	now := time.Now().UTC()
	err := d.store.CreateSession(d.t.Context(), windlass.Session{
		Hash: token.Hash(), Subject: "test|" + string(role), Name: string(role), Role: role, Created: now, Seen: now, Expires: now.Add(time.Hour),
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return &http.Cookie{Name: "__Host-windlass", Value: token.Reveal()}
}

// send sends a request as a browser does.
func (d *desk) send(method, path string, cookie *http.Cookie, header map[string]string) *httptest.ResponseRecorder {
	d.t.Helper()
	return d.submit(method, path, url.Values{"name": {"new"}}, cookie, header)
}

// submit sends a form as a browser does.
func (d *desk) submit(method, path string, form url.Values, cookie *http.Cookie, header map[string]string) *httptest.ResponseRecorder {
	d.t.Helper()
	r := httptest.NewRequestWithContext(d.t.Context(), method, "https://windlass.example.com"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for name, value := range header {
		r.Header.Set(name, value)
	}
	if cookie != nil {
		r.AddCookie(cookie)
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w
}

// A table of route × role: see also routes_internal_test.go, which holds every
// route to it.
func TestAViewerChangesNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		d := newDesk(t, open())
		viewer, editor := d.session(windlass.Viewer), d.session(windlass.Editor)
		for _, row := range []struct {
			name         string
			method, path string
			cookie       *http.Cookie
			header       map[string]string
			want         int
		}{
			{"a stranger is asked to sign in", "GET", "/dashboard/audit", nil, nil, 303},
			{"a stranger changes nothing", "POST", "/dashboard/projects", nil, nil, 401},
			{"a made-up session is none", "POST", "/dashboard/projects", &http.Cookie{Name: "__Host-windlass", Value: "x"}, nil, 401},
			{"a viewer looks", "GET", "/dashboard/audit", viewer, nil, 200},
			{"a viewer changes nothing", "POST", "/dashboard/projects", viewer, nil, 403},
			{"nor by another method", "PUT", "/dashboard/projects", viewer, nil, 404},
			{"another site changes nothing in an editor's browser", "POST", "/dashboard/projects", editor, map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example.com"}, 403},
			{"nor does one with an old browser", "POST", "/dashboard/projects", editor, map[string]string{"Sec-Fetch-Site": "", "Origin": "https://evil.example.com"}, 403},
			{"an editor changes", "POST", "/dashboard/projects", editor, nil, 303},
		} {
			if got := d.send(row.method, row.path, row.cookie, row.header); got.Code != row.want {
				t.Errorf("%s: got %d, want %d: %s", row.name, got.Code, row.want, got.Body)
			}
		}
		projects, err := d.store.Projects(t.Context(), windlass.Page{})
		if err != nil || len(projects) != 1 || projects[0].Name != "new" {
			t.Errorf("the projects are %+v, %v: one was to be made, by the editor", projects, err)
		}
		entries, err := d.people.Audit(t.Context(), windlass.AuditFilter{})
		if err != nil || len(entries) != 1 || entries[0].Action != "project.create" || entries[0].Name != "editor" {
			t.Errorf("the audit log has %+v, %v", entries, err)
		}
	})
}

func TestAPageLoadsNothingFromElsewhere(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		d := newDesk(t, open())
		cookie := d.session(windlass.Editor)
		got := d.send("GET", "/dashboard/?all", cookie, nil)
		policy := got.Header().Get("Content-Security-Policy")
		if strings.Contains(policy, "unsafe") || !strings.HasPrefix(policy, "default-src 'none'") {
			t.Errorf("the policy is %q", policy)
		}
		body := got.Body.String()
		for _, bad := range []string{"http://", "https://", "style=", "onclick=", "<style"} {
			if strings.Contains(body, bad) {
				t.Errorf("the page has %q:\n%s", bad, body)
			}
		}
	})
}

func TestSigningInLeadsToOurOwnPagesOnly(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		d := newDesk(t, open())
		cookie := d.session(windlass.Viewer)
		for next, want := range map[string]string{
			"https://evil.example.com/": "/dashboard/", "//evil.example.com": "/dashboard/", "/dashboard/\\evil": "/dashboard/",
			"/dashboard/audit": "/dashboard/audit", "": "/dashboard/", "/dashboard/sign-out": "/dashboard/",
		} {
			got := d.send("GET", "/dashboard/sign-in?next="+url.QueryEscape(next), cookie, nil)
			if at := got.Header().Get("Location"); got.Code != 303 || at != want {
				t.Errorf("next=%q leads to %d %q, want %q", next, got.Code, at, want)
			}
		}
	})
}
