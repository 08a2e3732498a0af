package ui_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/read"
	"windlass/internal/sink/sinktest"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

// idle takes what reads hand on, and does nothing with it.
type idle struct{}

func (idle) AddBatches(context.Context, []windlass.Batch) error { return nil }
func (idle) Enqueue(context.Context, string, time.Time) error   { return nil }
func (idle) open(context.Context, windlass.Connection, string) (connector.Reader, error) {
	return nil, windlass.Unavailable
}

// newReads is a flow of reads that begins none.
func newReads(t *testing.T, s *store.Store) *read.Flow {
	t.Helper()
	sinks, _ := sinktest.Webhook(t, nil)
	reads, err := read.New(read.Config{Store: s, Outbox: idle{}, Sinks: sinks, Jobs: idle{}, Open: idle{}.open})
	if err != nil {
		t.Fatal(err)
	}
	return reads
}

// keepInstallation puts an installation into a store, with whatever name its customer
// has, and returns it.
func keepInstallation(t *testing.T, s *store.Store, customer string) windlass.Installation {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Microsecond)
	project := windlass.Project{ID: "p-1", Name: "acme", Created: now, Updated: now}
	integration := windlass.Integration{
		ID: "i-1", ProjectID: project.ID, Name: "repos", Provider: "bitbucket", Created: now, Updated: now,
		Latest: windlass.Revision{ID: "r-1", IntegrationID: "i-1", SpecVersion: "1.0.0", Content: json.RawMessage(`{"name":"repos"}`), Created: now},
	}
	c := windlass.Connection{
		ID: "c-1", ProjectID: project.ID, Provider: "bitbucket", Group: windlass.Group{ProjectID: project.ID, Ref: "g-1", Name: customer},
		Workspace: customer, Scheme: windlass.AuthAPIKey, Status: windlass.ConnectionWorking, StatusReason: customer, Created: now, Updated: now,
	}
	in := windlass.Installation{
		ID: "n-1", ProjectID: project.ID, IntegrationID: integration.ID, Group: c.Group, Connection: c, Healthy: true, Created: now, Updated: now,
		Config: windlass.Config{
			ID: "g-1", RevisionID: "r-1", Created: now, CreatedBy: customer,
			Content: json.RawMessage(`{"read":{"objects":{"repositories":{"objectName":"repositories","schedule":"0 3 * * *"}}}}`),
		},
	}
	err := errors.Join(s.CreateProject(t.Context(), project), s.SaveIntegrations(t.Context(), project.ID, []windlass.Integration{integration}),
		s.CreateConnection(t.Context(), c, windlass.Credentials{APIKey: windlass.NewSecret("key")}), s.CreateInstallation(t.Context(), in, nil))
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func TestAStreamEndsWithTheSessionAndWithTheServer(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		d := newDesk(t, s)
		in := keepInstallation(t, s, `<script>alert(1)</script>`)
		site := httptest.NewServer(d)
		defer site.Close()
		for _, row := range []struct {
			name, last string
			end        func(windlass.Session) error
		}{
			{"the person signs out", "event: end\ndata: \n\n", func(session windlass.Session) error { return d.people.SignOut(t.Context(), session) }},
			{"the server stops", "", func(windlass.Session) error { d.Stop(); return nil }},
		} {
			cookie := d.session(windlass.Viewer)
			session, err := d.people.Session(t.Context(), windlass.NewSecret(cookie.Value))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, site.URL+"/dashboard/p/acme/installations/"+in.ID+"/live", nil)
			if err != nil {
				t.Fatal(err)
			}
			r.AddCookie(cookie)
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			stream := bufio.NewReader(resp.Body)
			first, err := stream.ReadString('\n')
			if err != nil || first != "event: part\n" || resp.Header.Get("Content-Type") != "text/event-stream" {
				t.Fatalf("%s: the stream begins with %q, %v, %v", row.name, first, err, resp.Header)
			}
			if err := row.end(session); err != nil {
				t.Fatal(err)
			}
			rest, err := io.ReadAll(stream)
			_ = resp.Body.Close()
			if err != nil || !strings.HasSuffix(string(rest), row.last) || !strings.Contains(string(rest), "data: <table>") || strings.Contains(string(rest), "<script") {
				t.Errorf("%s: the stream ends with %v: %s", row.name, err, rest)
			}
		}
	})
}

// Whatever customers are called stays text.
func TestNamesOfCustomersAreText(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		d := newDesk(t, s)
		const evil = `"><script>alert(1)</script>`
		in := keepInstallation(t, s, evil)
		cookie := d.session(windlass.Editor)
		for _, page := range []string{"/installations?search=%22%3E%3Cscript%3E", "/installations", "/connections", "/installations/" + in.ID + "/live"} {
			ctx, cancel := context.WithCancel(t.Context())
			if strings.HasSuffix(page, "/live") {
				d.Stop()
			}
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, "https://windlass.example.com/dashboard/p/acme"+page, nil)
			r.AddCookie(cookie)
			w := httptest.NewRecorder()
			d.ServeHTTP(w, r)
			cancel()
			if body := w.Body.String(); w.Code != 200 || strings.Contains(body, "<script>") {
				t.Errorf("%s: %d %s", page, w.Code, body)
			} else if page == "/installations" && !strings.Contains(body, "&lt;script&gt;") {
				t.Errorf("%s does not show the name: %s", page, body)
			}
		}
	})
}
