package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/api"
	"windlass/internal/connect"
	"windlass/internal/deliver"
	"windlass/internal/deploy"
	"windlass/internal/install"
	"windlass/internal/notify"
	"windlass/internal/read"
	"windlass/internal/setup"
	"windlass/internal/sink/sinktest"
	"windlass/internal/sink/webhook"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

const operatorKey = "operator-key-of-this-test"

// A world is a server with the real flows over a real database, and a provider
// that does what it is told. Every exchange with it is held against the published
// contract, and against the promise that nothing is null.
type world struct {
	t        testing.TB
	api      http.Handler
	setup    *setup.Flow
	connect  *connect.Service
	store    *store.Store
	provider *fakeProvider
	clock    *clock
	logs     *lockedBuffer
	contract *contract

	jobs    *readJobs
	reads   *read.Flow
	deliver *deliver.Service
	notify  *notify.Service

	project       windlass.Project
	key, frontend string
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newWorld makes a server with one project, a key of each scope, and nothing else.
func newWorld(tb testing.TB) *world {
	tb.Helper()
	return newWorldWith(tb, func(*api.Config) {})
}

func newWorldWith(tb testing.TB, change func(*api.Config)) *world {
	tb.Helper()
	return newWorldOn(tb, storetest.New(tb, store.SQLite).Open(tb, nil), change)
}

func newWorldOn(tb testing.TB, database *store.Store, change func(*api.Config)) *world {
	tb.Helper()
	w := &world{
		t: tb, store: database, provider: &fakeProvider{}, logs: &lockedBuffer{}, contract: published(tb),
		clock: &clock{now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)},
	}
	logger := slog.New(slog.NewTextHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	sinks, webhooks := sinktest.Webhook(tb, func(c *webhook.Config) { c.Records, c.Now = w.store, w.clock.Now })
	providers := connector.Providers{w.provider}
	started := func(ctx context.Context, in windlass.Installation, objects []string) error {
		return w.reads.Started(ctx, in, objects)
	}
	w.setup = setup.New(w.store, providers, &setup.Options{Now: w.clock.Now, Destinations: sinks})
	var err error
	w.connect, err = connect.New(connect.Config{
		Store: w.store, Providers: providers,
		CallbackURL: "https://windlass.example.com/callbacks/v1/oauth", Logger: logger, Now: w.clock.Now,
	})
	if err != nil {
		tb.Fatal(err)
	}
	config := api.Config{
		Destinations: sinks, Downloads: webhooks,
		Setup: w.setup, Deploy: deploy.New(w.store, providers, &deploy.Options{Now: w.clock.Now, Started: started}),
		Install: install.New(w.store, providers, &install.Options{Now: w.clock.Now, Started: started}),
		Connect: w.connect, Lookup: w.store, PublicURL: "https://windlass.example.com",
		OperatorKey: windlass.NewSecret(operatorKey), Logger: logger, Now: w.clock.Now,
	}
	w.addReads(tb, &config)
	change(&config)
	w.api, err = api.New(config)
	if err != nil {
		tb.Fatal(err)
	}
	w.project = w.newProject("acme")
	w.key, w.frontend = w.newKey(w.project, "full"), w.newKey(w.project, "frontend")
	return w
}

// as is the same world, whose failures are those of a subtest.
func (w *world) as(tb testing.TB) *world {
	tb.Helper()
	same := *w
	same.t = tb
	return &same
}

func (w *world) newProject(name string) windlass.Project {
	w.t.Helper()
	made, err := w.setup.CreateProject(w.t.Context(), setup.CreateProjectRequest{Name: name, AppName: name + "!", OrgID: "org"})
	if err != nil {
		w.t.Fatal(err)
	}
	return made
}

func (w *world) newKey(p windlass.Project, scope string) string {
	w.t.Helper()
	made, err := w.setup.CreateAPIKey(w.t.Context(), p.ID, setup.APIKeyRequest{Label: scope, Scopes: []string{scope}})
	if err != nil {
		w.t.Fatal(err)
	}
	return made.Key.Reveal()
}

// A request is sent as it stands; send fills in the full key and the content type.
type request struct {
	method, path string
	body         any // a string is sent as it is, anything else as JSON
	key          string
	header       map[string]string
}

type answer struct {
	t      testing.TB
	what   string
	status int
	header http.Header
	body   string
}

// noKey is the key of a request that has none.
const noKey = "none"

func (w *world) do(r request) answer {
	w.t.Helper()
	body, isText := r.body.(string)
	if r.body != nil && !isText {
		data, err := json.Marshal(r.body)
		if err != nil {
			w.t.Fatal(err)
		}
		body = string(data)
	}
	sent := httptest.NewRequestWithContext(w.t.Context(), r.method, "http://windlass.example.com"+r.path, strings.NewReader(body))
	if r.body != nil {
		sent.Header.Set("Content-Type", "application/json")
	}
	if r.key != noKey {
		sent.Header.Set("X-Api-Key", r.key)
		if r.key == "" {
			sent.Header.Set("X-Api-Key", w.key)
		}
	}
	for name, value := range r.header {
		if name == "Authorization" {
			sent.Header.Del("X-Api-Key")
		}
		sent.Header.Set(name, value)
	}
	recorder := httptest.NewRecorder()
	w.api.ServeHTTP(recorder, sent)
	got := answer{
		t: w.t, what: r.method + " " + r.path, status: recorder.Code,
		header: recorder.Result().Header, body: recorder.Body.String(),
	}
	w.contract.check(w.t, sent, body, got)
	return got
}

func (w *world) get(path string) answer {
	w.t.Helper()
	return w.do(request{method: "GET", path: path})
}

func (w *world) send(method, path string, body any) answer {
	w.t.Helper()
	return w.do(request{method: method, path: path, body: body})
}

// in is the path of something in the world's project.
func (w *world) in(path string) string { return "/v1/projects/" + w.project.Name + path }

func (a answer) is(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("%s: got %d, want %d: %s", a.what, a.status, status, a.body)
	}
	return a
}

// object reads an answer that is a JSON object.
func (a answer) object() map[string]any {
	a.t.Helper()
	var value map[string]any
	if err := json.Unmarshal([]byte(a.body), &value); err != nil {
		a.t.Fatalf("%s: %v: %s", a.what, err, a.body)
	}
	return value
}

func (a answer) list() []map[string]any {
	a.t.Helper()
	var value []map[string]any
	if err := json.Unmarshal([]byte(a.body), &value); err != nil {
		a.t.Fatalf("%s: %v: %s", a.what, err, a.body)
	}
	return value
}

func (a answer) text(key string) string {
	a.t.Helper()
	value, ok := a.object()[key].(string)
	if !ok {
		a.t.Fatalf("%s: no %s in %s", a.what, key, a.body)
	}
	return value
}

// problem checks that an answer is a problem of a sort, and returns it.
func (a answer) problem(status int, slug string) map[string]any {
	a.t.Helper()
	a.is(status)
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		a.t.Errorf("%s: content type %q", a.what, got)
	}
	p := a.object()
	if p["type"] != "urn:windlass:problem:"+slug || int(p["status"].(float64)) != status {
		a.t.Errorf("%s: got %v %v, want %s", a.what, p["type"], p["status"], slug)
	}
	for _, key := range []string{"title", "detail", "instance", "subsystem", "time", "requestId"} {
		if text, _ := p[key].(string); text == "" {
			a.t.Errorf("%s: the problem has no %s: %s", a.what, key, a.body)
		}
	}
	if p["requestId"] != a.header.Get("X-Request-Id") {
		a.t.Errorf("%s: the problem and the header name different requests", a.what)
	}
	return p
}

// issueNames lists the names of a problem's issues.
func issueNames(p map[string]any) (names []string) {
	issues, _ := p["issues"].([]any)
	for _, i := range issues {
		name, _ := i.(map[string]any)["name"].(string)
		names = append(names, name)
	}
	return names
}
