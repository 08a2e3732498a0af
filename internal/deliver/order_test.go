package deliver_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"windlass"
	"windlass/internal/deliver"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

// What fails comes later; everything else comes as it was read.
func TestLanesKeepTheirOrder(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		s, d := w.service(nil), w.destination("hook", nil)
		refused := map[string]bool{"a007": true, "b000": true}
		var mu sync.Mutex
		w.receiver.answer = func(_ int, r request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			if refused[r.body] {
				delete(refused, r.body)
				return status(http.StatusBadRequest), nil
			}
			return status(http.StatusOK), nil
		}
		w.add(d, "a", numbered("a", 250)...)
		w.add(d, "b", numbered("b", 120)...)
		w.add(d, "a", numbered("a+", 10)...)
		for w.step(s, d) {
		}
		lane := func(prefix string) (bodies []string) {
			for _, body := range w.receiver.bodies() {
				if strings.HasPrefix(body, prefix) {
					bodies = append(bodies, body)
				}
			}
			return bodies
		}
		wantA := slices.Concat(numbered("a", 250), numbered("a+", 10), []string{"a007"})
		if got := lane("a"); !slices.Equal(got, wantA) {
			t.Errorf("lane a: %v", got)
		}
		if got := lane("b"); !slices.Equal(got, append(numbered("b", 120), "b000")) {
			t.Errorf("lane b: %v", got)
		}
	})
}

func TestReplay(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		s, d := w.service(nil), w.destination("hook", nil)
		other := w.destination("other", nil)
		w.receiver.answer = func(_ int, r request) (*http.Response, error) {
			if strings.HasPrefix(r.body, "bad") {
				return status(http.StatusBadRequest), nil
			}
			return status(http.StatusOK), nil
		}
		w.add(d, "lane", "bad early")
		w.add(d, "lane", "good early")
		for w.step(s, d) {
		}
		later := w.now()
		late := w.add(d, "lane", "bad 1", "good 1", "bad 2", "good 2")
		w.add(other, "lane", "elsewhere")
		w.drain(s, other)
		for w.step(s, d) {
		}
		w.receiver.answer = nil
		for _, row := range []struct {
			name    string
			request deliver.ReplayRequest
			want    string
		}{
			{"one that has failed", deliver.ReplayRequest{BatchID: late[0].ID}, "bad 1"},
			{"one that was delivered", deliver.ReplayRequest{BatchID: late[1].ID}, "good 1"},
			{"all that failed since a time", deliver.ReplayRequest{Failed: true, Since: later}, "bad 2"},
			{"all that failed until a time", deliver.ReplayRequest{Failed: true, Until: later}, "bad early"},
			{"none, now that all are delivered", deliver.ReplayRequest{Failed: true, Destination: "hook"}, ""},
			{"all of a destination", deliver.ReplayRequest{Destination: "hook"}, "bad early,good early,bad 1,good 1,bad 2,good 2"},
			{"all of a destination since a time", deliver.ReplayRequest{Destination: d.ID, Since: later}, "bad 1,good 1,bad 2,good 2"},
			{"all of the project since a time", deliver.ReplayRequest{Since: later}, "bad 1,good 1,bad 2,good 2,elsewhere"},
		} {
			before := len(w.receiver.requests())
			n, err := s.Replay(w.ctx(), "acme", row.request)
			w.must(err)
			w.drain(s, d)
			w.drain(s, other)
			got := strings.Join(w.receiver.bodies()[before:], ",")
			if got != row.want || row.want != "" && n != strings.Count(got, ",")+1 {
				t.Errorf("%s: %d, and %q arrived, want %q", row.name, n, got, row.want)
			}
		}
		ids := map[string]string{}
		for _, r := range w.receiver.requests() {
			if first, seen := ids[r.id()]; seen && first != r.body {
				t.Errorf("%s arrived with other bytes", r.id())
			}
			ids[r.id()] = r.body
		}
		b, attempts := w.batch(s, late[0].ID)
		same(w, "attempts", len(attempts), 12)
		same(w, "tries", b.Tries, 1)
		same(w, "the last", attempts[11].Number, 12)
		for name, r := range map[string]deliver.ReplayRequest{
			"everything": {}, "no such batch": {BatchID: "x"}, "no such destination": {Destination: "x"},
		} {
			if _, err := s.Replay(w.ctx(), "acme", r); err == nil {
				t.Errorf("%s: replayed", name)
			}
		}
	})
}

// A replay makes what waits for its next attempt due at once.
func TestReplayDoesNotWait(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		s, d := w.service(nil), w.destination("hook", nil)
		w.receiver.answer = always(http.StatusInternalServerError)
		b := w.add(d, "lane", "x")[0]
		w.drain(s, d)
		w.clock.move(time.Second)
		w.receiver.answer = nil
		n, err := s.Replay(w.ctx(), "acme", deliver.ReplayRequest{BatchID: b.ID})
		w.must(err)
		same(w, "replayed", n, 1)
		w.drain(s, d)
		after, _ := w.batch(s, b.ID)
		same(w, "status", after.Status, windlass.BatchDelivered)
	})
}

// A dying store dies between the answer of a receiver and the record of it.
type dying struct {
	*store.Store
	dead bool
}

var errDied = errors.New("the process died")

func (d *dying) In(ctx context.Context, do func(ctx context.Context) error) error {
	if d.dead {
		return errDied
	}
	return d.Store.In(ctx, do)
}

func (d *dying) ReleaseDestination(ctx context.Context, id, owner string, now time.Time, force bool) (bool, error) {
	if d.dead {
		return false, errDied
	}
	return d.Store.ReleaseDestination(ctx, id, owner, now, force)
}

// Killed between sending and recording: the same id and the same bytes again, as
// soon as the lease has run out.
func TestDeathBetweenSendingAndRecording(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		d := w.destination("hook", nil)
		first := w.service(func(c *config) { c.Store = &dying{Store: w.store, dead: true} })
		b := w.add(d, "lane", `{"n":1}`)[0]
		if err := first.Drain(w.ctx(), d.ID); !errors.Is(err, errDied) {
			t.Fatalf("got %v", err)
		}
		same(w, "requests", len(w.receiver.requests()), 1)
		second := w.service(nil)
		w.drain(second, d)
		same(w, "requests while the lease lasts", len(w.receiver.requests()), 1)
		if w.store.Driver() == store.SQLite {
			w.must(second.Alone(w.ctx())) // there can be no other process
		} else {
			w.clock.move(time.Minute)
		}
		due, err := w.store.DueDestinations(w.ctx(), w.now(), 10)
		w.must(err)
		same(w, "destinations that are due", len(due), 1)
		w.drain(second, d)
		requests := w.receiver.requests()
		same(w, "requests", len(requests), 2)
		for _, r := range requests {
			same(w, "id", r.id(), b.ID)
			same(w, "body", r.body, `{"n":1}`)
		}
		after, attempts := w.batch(second, b.ID)
		same(w, "status", after.Status, windlass.BatchDelivered)
		same(w, "attempts", len(attempts), 1)
	})
}

// Three processes on one database: nothing is under way twice at once, no
// destination gets more requests at once than it should, and all arrives.
func TestProcessesShareTheWork(t *testing.T) {
	t.Parallel()
	db := storetest.New(t, store.Postgres)
	w := newWorld(t, db.Open(t, nil), nil, time.Now)
	const atOnce, destinations, lanes, each = 3, 4, 5, 40
	var mu sync.Mutex
	underWay, arrived := map[string]int{}, map[string]int{}
	w.receiver.answer = func(_ int, r request) (*http.Response, error) {
		mu.Lock()
		underWay[r.id()]++
		underWay[r.url]++
		if underWay[r.id()] > 1 || underWay[r.url] > atOnce {
			t.Errorf("%d times at once, %d at the destination", underWay[r.id()], underWay[r.url])
		}
		mu.Unlock()
		time.Sleep(200 * time.Microsecond)
		mu.Lock()
		defer mu.Unlock()
		underWay[r.id()]--
		underWay[r.url]--
		arrived[r.id()]++
		return status(http.StatusOK), nil
	}
	ctx, stop := context.WithCancel(t.Context())
	var processes sync.WaitGroup
	var services []*deliver.Service
	for range 3 {
		s := w.service(func(c *config) {
			c.Store, c.Concurrency, c.Poll = db.Open(t, nil), atOnce, 20*time.Millisecond
		})
		services = append(services, s)
		processes.Go(func() {
			if err := s.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	for n := range destinations {
		d := w.destination(fmt.Sprint("hook-", n), nil)
		for lane := range lanes {
			w.add(d, fmt.Sprint(lane), numbered("", each)...)
			services[lane%len(services)].Wake(d.ID)
		}
	}
	eventually(t, func() bool {
		pending, err := w.store.Batches(w.ctx(), windlass.BatchFilter{Status: windlass.BatchPending, Limit: 1})
		return err == nil && len(pending) == 0
	})
	stop()
	processes.Wait()
	same(w, "arrived", len(arrived), destinations*lanes*each)
	for id, n := range arrived {
		same(w, id, n, 1)
	}
}

// eventually waits for something that other goroutines bring about.
func eventually(t *testing.T, done func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !done(); {
		if time.Now().After(end) {
			t.Fatal("it does not come to an end")
		}
		time.Sleep(5 * time.Millisecond)
	}
}
