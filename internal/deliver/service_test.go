package deliver_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"windlass"
	"windlass/internal/deliver"
	"windlass/internal/store"
)

// A late store does something the first time that a destination has been released.
type late struct {
	*store.Store

	then func() error
}

func (l late) ReleaseDestination(ctx context.Context, id, owner string, now time.Time, force bool) (bool, error) {
	released, err := l.Store.ReleaseDestination(ctx, id, owner, now, force)
	return released, errors.Join(err, l.then())
}

// What a drain is told of after it has given its destination back is sent by the
// next one at once.
func TestWokenTooLate(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		var s *deliver.Service
		d := w.destination("hook", nil)
		s = w.service(func(c *config) {
			c.Poll = 1000 * time.Hour
			c.Store = late{w.store, once(func() {
				w.add(d, "lane", "second")
				s.Wake(d.ID)
			})}
		})
		w.add(d, "lane", "first")
		stop := run(w, s)
		time.Sleep(time.Second)
		synctest.Wait()
		same(w, "arrived", strings.Join(w.receiver.bodies(), ","), "first,second")
		stop()
	})
}

// A failing store fails to say what is due.
type failing struct {
	*store.Store

	mu         sync.Mutex
	due, lanes error
}

func (f *failing) set(due, lanes error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.due, f.lanes = due, lanes
}

func (f *failing) get() (due, lanes error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.due, f.lanes
}

func (f *failing) DueDestinations(ctx context.Context, now time.Time, limit int) ([]string, error) {
	if due, _ := f.get(); due != nil {
		return nil, due
	}
	return f.Store.DueDestinations(ctx, now, limit)
}

func (f *failing) DueLanes(ctx context.Context, destinationID string, now time.Time, limit int) ([]string, error) {
	if _, lanes := f.get(); lanes != nil {
		return nil, lanes
	}
	return f.Store.DueLanes(ctx, destinationID, now, limit)
}

// A trouble that lasts is logged once, and again when it comes back; a drain that
// was broken off says whose it was.
func TestLogOfTroubles(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		var log bytes.Buffer
		store := &failing{Store: w.store}
		s := w.service(func(c *config) {
			c.Store, c.Logger = store, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelError}))
		})
		d := w.destination("hook", nil)
		w.add(d, "lane", "x")
		full := errors.New("the disk is full")
		for range 2 {
			store.set(full, nil)
			stop := run(w, s)
			time.Sleep(5500 * time.Millisecond)
			store.set(nil, full)
			time.Sleep(time.Second)
			store.set(nil, nil)
			time.Sleep(5 * time.Second)
			stop()
			said := log.String()
			log.Reset()
			same(w, "a look failed", strings.Count(said, `"deliveries have to wait"`), 1)
			same(w, "a drain failed", strings.Count(said, `"a delivery was broken off and is tried again" destination_id=`+d.ID), 1)
			same(w, "requests", len(w.receiver.requests()), 1)
			w.add(d, "lane", "y")
			w.receiver.got = nil
		}
	})
}

// One project learns nothing of another's deliveries, and replays none of them.
func TestProjectsAreApart(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		s, d := w.service(nil), w.destination("hook", nil)
		b := w.add(d, "lane", "x")[0]
		w.drain(s, d)
		w.must(w.store.CreateProject(w.ctx(), windlass.Project{ID: id(t), Name: "other", AppName: "Other", OrgID: "org", Created: w.now(), Updated: w.now()}))
		found, err := s.Batches(w.ctx(), "other", windlass.BatchFilter{ProjectID: w.project.ID})
		w.must(err)
		same(w, "batches", len(found), 0)
		_, _, err = s.Batch(w.ctx(), "other", b.ID)
		missing(t, "a batch", err)
		_, err = s.Health(w.ctx(), "other", d.ID)
		missing(t, "health", err)
		_, err = s.Disable(w.ctx(), "other", d.ID, "key")
		missing(t, "an end", err)
		for _, r := range []deliver.ReplayRequest{{BatchID: b.ID}, {Destination: d.ID}} {
			_, err = s.Replay(w.ctx(), "other", r)
			missing(t, "a replay", err)
		}
		n, err := s.Replay(w.ctx(), "other", deliver.ReplayRequest{Since: noon.Add(-time.Hour)})
		w.must(err)
		same(w, "replayed", n, 0)
	})
}

func missing(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, windlass.NotFound) {
		t.Errorf("%s: got %v, want that there is none", what, err)
	}
}
