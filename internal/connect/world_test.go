package connect_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"windlass"
	"windlass/bitbucket"
	"windlass/bitbucket/sandbox"
	"windlass/connector"
	"windlass/internal/connect"
)

// kept is a store as the tests need it: what the flow asks for, and what sets
// the scene.
type kept interface {
	connect.Store
	CreateProject(ctx context.Context, project windlass.Project) error
	CreateProviderApp(ctx context.Context, app windlass.ProviderApp) error
	UpdateProviderApp(ctx context.Context, app windlass.ProviderApp) error
	SaveIntegrations(ctx context.Context, projectID string, integrations []windlass.Integration) error
}

const (
	callbackURL = "https://windlass.example.com/callbacks/v1/oauth"
	origin      = "https://app.example.com"
	projectID   = "018f0000-0000-7000-8000-000000000001"
	appID       = "018f0000-0000-7000-8000-00000000000a"
)

// world is a product, its customers' Bitbucket, and what was seen of both.
type world struct {
	testing.TB
	server  *sandbox.Server
	store   kept
	clock   *clock
	spy     *spy
	notices *notices
	logs    *logs
	app     windlass.ProviderApp
	seen    *seen

	tokenRequests atomic.Int64 // those that a fault kept from the server too
}

// scene are the ways in which worlds differ.
type scene struct {
	sandbox sandbox.Options
	scopes  []string // of the consumer; nil is all
}

// virtually runs a test in a world of its own, with a store in memory, and a
// clock that only waiting moves.
func virtually(t *testing.T, set scene, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		test(newWorld(t, set, newMemory(), &clock{virtual: true}))
	})
}

func newWorld(tb testing.TB, set scene, store kept, clock *clock) *world {
	tb.Helper()
	set.sandbox.CallbackURL, set.sandbox.Now = callbackURL, clock.Now
	set.sandbox.Repositories, set.sandbox.Projects, set.sandbox.Members = 3, 2, 2
	server := sandbox.New(&set.sandbox)
	w := &world{TB: tb, server: server, store: store, clock: clock, seen: &seen{}, logs: &logs{}, notices: &notices{}}
	w.spy = &spy{OAuth: &bitbucket.OAuth{Base: w.network()}, seen: w.seen}
	key, secret := server.Credentials().ConsumerKey, server.Credentials().ConsumerSecret
	if set.scopes != nil {
		key, secret = server.NewConsumer(callbackURL, set.scopes...)
	}
	w.app = windlass.ProviderApp{
		ID: appID, ProjectID: projectID, Provider: "bitbucket", ClientID: key, ClientSecret: windlass.NewSecret(secret),
		Created: clock.Now(), Updated: clock.Now(),
	}
	w.seen.secret(secret)
	w.must(store.CreateProject(w.ctx(), windlass.Project{ID: projectID, Name: "mail", AppName: "Mail", Created: clock.Now(), Updated: clock.Now()}))
	w.must(store.CreateProviderApp(w.ctx(), w.app))
	tb.Cleanup(func() { w.seen.search(tb, w.logs.String()) })
	return w
}

func (w *world) ctx() context.Context { return w.Context() }

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// network sends requests to the sandbox, and fails those that are made within a
// transaction (invariant 3).
func (w *world) network() http.RoundTripper {
	to := w.server.Transport()
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if inTransaction(req.Context()) {
			w.Error("a request within a transaction: " + req.URL.Path)
		}
		if req.URL.Path == "/site/oauth2/access_token" {
			w.tokenRequests.Add(1)
		}
		return to.RoundTrip(req)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// service starts another process on the store.
func (w *world) service() *connect.Service { return w.serviceOn(w.store) }

func (w *world) serviceOn(store connect.Store) *connect.Service {
	w.Helper()
	service, err := connect.New(connect.Config{
		Store: store, Providers: connector.Providers{&spying{spy: w.spy}}, CallbackURL: callbackURL,
		Notifier: w.notices, Base: func(windlass.Connection, windlass.Credentials) http.RoundTripper { return w.network() },
		Logger: slog.New(slog.NewTextHandler(w.logs, nil)), Now: w.clock.Now,
	})
	w.must(err)
	w.Cleanup(service.Wait)
	return service
}

// ask is what a product asks for by default.
func (w *world) ask() connect.Ask {
	return connect.Ask{
		Project: "mail", Provider: "bitbucket", GroupRef: "group-1", GroupName: "Acme", ConsumerRef: "person-1",
		Workspace: w.server.Credentials().Workspace,
	}
}

// visit is a browser that opens the page of ours, and goes on from there.
type visit struct {
	opening  connect.Opening
	provider string // the address that it was sent on to
}

// visit opens a consent that has begun, in a new browser.
func (w *world) visit(begun connect.Consent) visit {
	w.Helper()
	s := w.service()
	ticket := w.param(begun.URL, callbackURL+connect.BeginPath, connect.TicketParam)
	opening, err := s.Open(w.ctx(), ticket, windlass.Secret{})
	w.must(err)
	w.seen.secret(ticket, opening.Browser.Reveal())
	if again := w.param(opening.Continue, callbackURL+connect.ContinuePath, connect.TicketParam); again != ticket {
		w.Fatalf("it goes on with %s", again)
	}
	next, err := s.Continue(w.ctx(), ticket, opening.Browser, w.param(opening.Continue, callbackURL+connect.ContinuePath, connect.ConfirmParam))
	w.must(err)
	return visit{opening, next.Continue}
}

// param reads a parameter of an address, which is to be one of ours.
func (w *world) param(address, page, name string) string {
	w.Helper()
	at, err := url.Parse(address)
	w.must(err)
	if got, _, _ := strings.Cut(address, "?"); got != page || at.Query().Get(name) == "" {
		w.Fatalf("the address is %s, want %s with %s", address, page, name)
	}
	return at.Query().Get(name)
}

// consent goes from a consent that has begun to what the provider's page answers.
func (w *world) consent(begun connect.Consent) connect.Answer {
	w.Helper()
	at := w.visit(begun)
	back, err := w.server.Consent(at.provider)
	w.must(err)
	return w.answer(at.opening.Browser, back)
}

// answer reads the address that a person comes back to.
func (w *world) answer(browser windlass.Secret, back string) connect.Answer {
	w.Helper()
	address, err := url.Parse(back)
	w.must(err)
	if got, _, _ := strings.Cut(back, "?"); got != callbackURL {
		w.Fatalf("back to %s, want %s", got, callbackURL)
	}
	q := address.Query()
	w.seen.secret(q.Get("state"), q.Get("code"))
	return connect.Answer{
		State: q.Get("state"), Code: q.Get("code"), Error: q.Get("error"), Description: q.Get("error_description"), Browser: browser,
	}
}

// connected goes the whole way of a consent.
func (w *world) connected(service *connect.Service) windlass.Connection {
	w.Helper()
	begun, err := service.Start(w.ctx(), w.ask(), connect.Opener{Origin: origin})
	w.must(err)
	outcome, err := service.Callback(w.ctx(), w.consent(begun))
	w.must(err)
	return outcome.Connection
}

// stored returns a connection as it is in the store.
func (w *world) stored(c windlass.Connection) windlass.Connection {
	w.Helper()
	found, err := w.store.Connection(w.ctx(), c.ProjectID, c.ID)
	w.must(err)
	w.seen.said(found.StatusReason)
	return found
}

func (w *world) credentials(c windlass.Connection) windlass.Credentials {
	w.Helper()
	found, err := w.store.Credentials(w.ctx(), c.ID)
	w.must(err)
	return found
}

// fails checks an error's kind and words, and keeps it for the search for secrets.
func (w *world) fails(err error, kind windlass.Kind, words ...string) {
	w.Helper()
	_ = w.failure(err, kind, words...)
}

// failure is fails for a test that looks at more of it.
func (w *world) failure(err error, kind windlass.Kind, words ...string) *windlass.Error {
	w.Helper()
	w.seen.failed(err)
	var failure *windlass.Error
	if !errors.As(err, &failure) || !errors.Is(err, kind) || failure.Kind != kind {
		w.Fatalf("got %T %v, want a failure of the kind %q", err, err, kind)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			w.Errorf("%q does not say %q", err, word)
		}
	}
	return failure
}

// inject makes something go wrong at the sandbox.
func (w *world) inject(fault string) {
	w.Helper()
	parsed, err := sandbox.ParseFault(fault)
	w.must(err)
	w.server.Inject(parsed)
}

// injectAll injects several faults, separated by spaces.
func (w *world) injectAll(faults string) {
	w.Helper()
	for fault := range strings.FieldsSeq(faults) {
		w.inject(fault)
	}
}

// clock is the time of everything in a world.
type clock struct {
	virtual bool // the test runs in a bubble: sleeping moves time
	mu      sync.Mutex
	ahead   time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

// pass lets time go by.
func (c *clock) pass(long time.Duration) {
	if c.virtual {
		time.Sleep(long)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += long
}
