package deliver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"windlass"
	"windlass/internal/deliver"
	"windlass/internal/sink/sinktest"
	"windlass/internal/sink/webhook"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
	signing "windlass/webhook"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// A clock is one that stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// A request as it reached a receiver.
type request struct {
	at     time.Time
	url    string
	header http.Header
	body   string
}

func (r request) id() string { return r.header.Get("Svix-Id") }

// A receiver answers for every host, and remembers what reached it.
type receiver struct {
	now func() time.Time
	// answer says what becomes of a request; nil is 200.
	answer func(n int, r request) (*http.Response, error)

	mu  sync.Mutex
	got []request
}

func (r *receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	one := request{at: r.now(), url: req.URL.String(), header: req.Header.Clone(), body: string(body)}
	r.mu.Lock()
	r.got = append(r.got, one)
	n := len(r.got)
	r.mu.Unlock()
	if r.answer == nil {
		return status(http.StatusOK), nil
	}
	return r.answer(n, one)
}

func (r *receiver) requests() []request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]request{}, r.got...)
}

func (r *receiver) bodies() (bodies []string) {
	for _, one := range r.requests() {
		bodies = append(bodies, one.body)
	}
	return bodies
}

// status is an answer; headers come as name, value.
func status(code int, headers ...string) *http.Response {
	resp := &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("thanks"))}
	for i := 0; i < len(headers); i += 2 {
		resp.Header.Set(headers[i], headers[i+1])
	}
	return resp
}

func always(code int) func(int, request) (*http.Response, error) {
	return func(int, request) (*http.Response, error) { return status(code), nil }
}

// A notice is what the product was told.
type notice struct {
	projectID, event string
	data             any
}

type notifier struct{ told []notice }

func (n *notifier) Notify(_ context.Context, projectID, event string, data any) error {
	n.told = append(n.told, notice{projectID, event, data})
	return nil
}

// A world is a store with a project, and a receiver.
type world struct {
	testing.TB
	store    *store.Store
	clock    *clock
	receiver *receiver
	notifier *notifier
	project  windlass.Project
	now      func() time.Time
}

// each runs a test on both databases, with a clock that is moved.
func each(t *testing.T, test func(w *world)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		c := &clock{now: noon}
		test(newWorld(t, open(), c, c.Now))
	})
}

func newWorld(tb testing.TB, s *store.Store, c *clock, now func() time.Time) *world {
	tb.Helper()
	w := &world{TB: tb, store: s, clock: c, now: now, notifier: &notifier{}, receiver: &receiver{now: now}}
	w.project = windlass.Project{ID: id(tb), Name: "acme", AppName: "Acme", OrgID: "org", Created: now(), Updated: now()}
	w.must(s.CreateProject(w.ctx(), w.project))
	return w
}

func id(tb testing.TB) string {
	tb.Helper()
	made, err := uuid.NewV7()
	if err != nil {
		tb.Fatal(err)
	}
	return made.String()
}

func (w *world) ctx() context.Context { return context.WithoutCancel(w.Context()) }

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("%+v", err)
	}
}

// config is a service's, and its webhooks'.
type config struct {
	deliver.Config

	Transport http.RoundTripper
	AllowHTTP bool
}

// service is one process; change may be nil.
func (w *world) service(change func(c *config)) *deliver.Service {
	w.Helper()
	c := config{Config: deliver.Config{Store: w.store, Notifier: w.notifier, Now: w.now}, Transport: w.receiver}
	if change != nil {
		change(&c)
	}
	c.Sinks, _ = sinktest.Webhook(w, func(to *webhook.Config) {
		to.Transport, to.AllowHTTP, to.Now = c.Transport, c.AllowHTTP, w.now
	})
	s, err := deliver.New(c.Config)
	w.must(err)
	return s
}

// secretOf is a destination's first secret, the same in every run.
const secretOf = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func (w *world) destination(name string, change func(d *windlass.Destination)) windlass.Destination {
	w.Helper()
	d := windlass.Destination{
		ID: id(w), ProjectID: w.project.ID, Name: name,
		Secrets: []windlass.Secret{windlass.NewSecret(secretOf)}, Created: w.now(), Updated: w.now(),
	}
	sinktest.At(&d, "https://"+name+".example.com/hooks", nil)
	if change != nil {
		change(&d)
	}
	w.must(w.store.CreateDestination(w.ctx(), d))
	return d
}

// add puts a batch for each body on its way, all of one lane.
func (w *world) add(d windlass.Destination, lane string, bodies ...string) []windlass.Batch {
	w.Helper()
	var batches []windlass.Batch
	for _, body := range bodies {
		batches = append(batches, windlass.Batch{
			ID: id(w), ProjectID: w.project.ID, DestinationID: d.ID, InstallationID: "in-1", OperationID: "op-1", Object: "repositories",
			Kind: windlass.BatchRead, Lane: lane, Records: 1, Body: []byte(body), Created: w.now(), Updated: w.now(),
		})
	}
	w.must(w.store.AddBatches(w.ctx(), batches))
	return batches
}

func numbered(prefix string, n int) (bodies []string) {
	for i := range n {
		bodies = append(bodies, fmt.Sprintf("%s%03d", prefix, i))
	}
	return bodies
}

func (w *world) drain(s *deliver.Service, d windlass.Destination) {
	w.Helper()
	w.must(s.Drain(w.ctx(), d.ID))
}

// step drains, and moves the clock to when the next attempt is due; it reports
// false when there is none.
func (w *world) step(s *deliver.Service, d windlass.Destination) bool {
	w.Helper()
	w.drain(s, d)
	health, err := w.store.Health(w.ctx(), d.ID)
	w.must(err)
	pending, err := w.store.Batches(w.ctx(), windlass.BatchFilter{DestinationID: d.ID, Status: windlass.BatchPending, Limit: 10000})
	w.must(err)
	next := time.Time{}
	for _, b := range pending {
		if next.IsZero() || b.NextAttempt.Before(next) {
			next = b.NextAttempt
		}
	}
	if health.HoldUntil.After(next) {
		next = health.HoldUntil
	}
	if len(pending) == 0 {
		return false
	}
	w.clock.move(max(next.Sub(w.now()), 0))
	return true
}

// batch is how a batch stands, with what was tried.
func (w *world) batch(s *deliver.Service, id string) (windlass.Batch, []windlass.Attempt) {
	w.Helper()
	b, attempts, err := s.Batch(w.ctx(), "acme", id)
	w.must(err)
	return b, attempts
}

// verify checks a request as a receiver does.
func (w *world) verify(r request, secret string) error {
	w.Helper()
	key, err := signing.ParseKey(secret)
	w.must(err)
	message, err := signing.Verify([]signing.Key{key}, r.header, []byte(r.body), r.at)
	if err == nil && message.ID != r.id() {
		return errors.New("another id")
	}
	return err
}

func same[T comparable](w *world, what string, got, want T) {
	w.Helper()
	if got != want {
		w.Errorf("%s: got %v, want %v", what, got, want)
	}
}
