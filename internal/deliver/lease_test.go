package deliver_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"windlass"
	"windlass/internal/store"
)

// An odd store does something before it does what it is asked; nil is nothing.
type odd struct {
	*store.Store

	in      func(ctx context.Context) error
	lanes   func() error
	batches func() error
	waiting func() error
	release func() error
}

func before(do func() error) error {
	if do == nil {
		return nil
	}
	return do()
}

func (o *odd) In(ctx context.Context, do func(ctx context.Context) error) error {
	if o.in != nil {
		if err := o.in(ctx); err != nil {
			return err
		}
	}
	return o.Store.In(ctx, do)
}

func (o *odd) DueLanes(ctx context.Context, destinationID string, now time.Time, limit int) ([]string, error) {
	if err := before(o.lanes); err != nil {
		return nil, err
	}
	return o.Store.DueLanes(ctx, destinationID, now, limit)
}

func (o *odd) DueBatches(ctx context.Context, destinationID, lane string, now time.Time, limit int, bytes int64) ([]windlass.Batch, error) {
	if err := before(o.batches); err != nil {
		return nil, err
	}
	return o.Store.DueBatches(ctx, destinationID, lane, now, limit, bytes)
}

func (o *odd) WaitingBatches(ctx context.Context, destinationID, lane string) ([]windlass.Batch, error) {
	if err := before(o.waiting); err != nil {
		return nil, err
	}
	return o.Store.WaitingBatches(ctx, destinationID, lane)
}

func (o *odd) ReleaseDestination(ctx context.Context, id, owner string, now time.Time, force bool) (bool, error) {
	if err := before(o.release); err != nil {
		return false, err
	}
	return o.Store.ReleaseDestination(ctx, id, owner, now, force)
}

// once is a function that does something the first time it is called.
func once(do func()) func() error {
	var first sync.Once
	return func() error {
		first.Do(do)
		return nil
	}
}

func (w *world) lease(d windlass.Destination, owner string) (won bool) {
	w.Helper()
	_, won, err := w.store.LeaseDestination(w.ctx(), d.ID, owner, w.now(), w.now().Add(time.Hour))
	if err != nil {
		w.Error(err) // it may be another goroutine's turn
	}
	return won
}

// Another process gets a destination 45 s after the last word of its owner, not
// before. The owner then records nothing, says so, and sends nothing more.
func TestLostLease(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		s, d := w.service(nil), w.destination("hook", nil)
		batches := w.add(d, "lane", numbered("", 5)...)
		w.receiver.answer = func(n int, _ request) (*http.Response, error) {
			if n == 1 {
				w.clock.move(45*time.Second - time.Microsecond)
				same(w, "the other process gets it early", w.lease(d, "other"), false)
				w.clock.move(time.Microsecond)
				same(w, "the other process gets it", w.lease(d, "other"), true)
			}
			return status(http.StatusOK), nil
		}
		if err := s.Drain(w.ctx(), d.ID); !errors.Is(err, windlass.Conflict) {
			t.Errorf("got %v, want a conflict", err)
		}
		same(w, "requests", len(w.receiver.requests()), 1)
		for _, b := range batches {
			after, attempts := w.batch(s, b.ID)
			same(w, "status", after.Status, windlass.BatchPending)
			same(w, "attempts", len(attempts), 0)
		}
		same(w, "the other process has it still", w.lease(d, "third"), false)
	})
}

// Each record of attempts extends the lease.
func TestLeaseIsExtended(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		s, d := w.service(nil), w.destination("hook", nil)
		w.add(d, "lane", numbered("", 4)...)
		w.receiver.answer = func(n int, _ request) (*http.Response, error) {
			same(w, fmt.Sprint("lost at request ", n), w.lease(d, "other"), false)
			w.clock.move(29 * time.Second)
			return status(http.StatusOK), nil
		}
		w.drain(s, d)
		same(w, "requests", len(w.receiver.requests()), 4)
	})
}

// A lease that is lost while nothing was sent costs nothing, and is no error.
func TestLostLeaseWithoutAttempts(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		d := w.destination("hook", nil)
		w.receiver.answer = refuse("old", 1)
		w.holding(d, "op-1", "old", "a")
		w.drain(w.service(nil), d)
		w.holding(d, "op-2", "new", "a")
		lost := &odd{Store: w.store, waiting: once(func() {
			if err := w.store.ReleaseAllDestinations(w.ctx()); err != nil {
				w.Error(err)
			}
			same(w, "the other process gets it", w.lease(d, "other"), true)
		})}
		w.drain(w.service(func(c *config) { c.Store = lost }), d)
		same(w, "requests", len(w.receiver.requests()), 1)
	})
}

// What is added while a drain is about to end is sent by it.
func TestWhatIsAddedAtTheEndIsSent(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		d := w.destination("hook", nil)
		late := &odd{Store: w.store, release: once(func() { w.add(d, "lane", "late") })}
		w.add(d, "lane", "first")
		w.drain(w.service(func(c *config) { c.Store = late }), d)
		same(w, "arrived", strings.Join(w.receiver.bodies(), ","), "first,late")
	})
}

// While a record takes its time, nothing begins that could outlive the lease.
func TestNothingOutlivesTheLease(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		begun := time.Now()
		records := 0
		s := w.service(func(c *config) {
			c.Transport = slow{func(*http.Request) time.Duration { return time.Second }, w.receiver}
			c.Store = &odd{Store: w.store, in: func(context.Context) error {
				if records++; records == 1 {
					time.Sleep(25 * time.Second)
				}
				return nil
			}}
		})
		d := w.destination("hook", nil)
		w.add(d, "lane", numbered("", 40)...)
		w.drain(s, d)
		early := 0
		for _, r := range w.receiver.requests() {
			if r.at.Sub(begun) < 26*time.Second {
				early++
			}
		}
		same(w, "before the lease was extended", early, 15)
		same(w, "in all", len(w.receiver.requests()), 40)
	})
}

// What was sent and is not yet recorded is bounded, and is not sent again.
func TestWhatIsNotRecordedIsBounded(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		begun := time.Now()
		records := 0
		s := w.service(func(c *config) {
			c.Store = &odd{Store: w.store, in: func(context.Context) error {
				if records++; records == 1 {
					time.Sleep(10 * time.Second)
				}
				return nil
			}}
		})
		d := w.destination("hook", nil)
		const lanes = 1000
		for n := range lanes {
			w.add(d, fmt.Sprint(n), fmt.Sprint(n))
		}
		w.drain(s, d)
		early, arrived := 0, map[string]int{}
		for _, r := range w.receiver.requests() {
			arrived[r.body]++
			if arrived[r.body] > 1 {
				w.Errorf("%s was sent twice", r.body)
			}
			if r.at.Sub(begun) < 10*time.Second {
				early++
			}
		}
		same(w, "arrived", len(arrived), lanes)
		if early > 256+16 {
			w.Errorf("%d were sent while the first was not recorded", early)
		}
	})
}

// A slow attempt in one lane keeps no other from beginning: the lease is extended
// meanwhile. What another process adds is found at the next look, what this one adds
// at once.
func TestSlowAttemptKeepsNoLaneWaiting(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		poll   time.Duration
		wake   bool
		within time.Duration
	}{
		"woken": {time.Hour, true, 0},
		"found": {time.Second, false, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				s := w.service(func(c *config) {
					c.Poll = row.poll
					c.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
						resp, err := w.receiver.RoundTrip(r)
						if len(w.receiver.requests()) == 1 {
							time.Sleep(29 * time.Second)
						}
						return resp, err
					})
				})
				d := w.destination("hook", nil)
				w.add(d, "slow", "slow")
				stop := run(w, s)
				time.Sleep(20 * time.Second)
				w.add(d, "other", "other")
				added := time.Now()
				if row.wake {
					s.Wake(d.ID)
				}
				time.Sleep(5 * time.Second)
				if got := w.receiver.requests(); len(got) != 2 || got[1].at.Sub(added) > row.within {
					w.Errorf("after %s there came %v", time.Since(added), got)
				}
				time.Sleep(10 * time.Second)
				stop()
			})
		})
	}
}

// When the process is to end nothing new begins, in the same lane or another.
func TestEndBeginsNothing(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		s := w.service(func(c *config) {
			c.Concurrency = 2
			c.Transport = slow{func(*http.Request) time.Duration { return time.Second }, w.receiver}
		})
		d := w.destination("hook", nil)
		for lane := range 6 {
			w.add(d, fmt.Sprint(lane), numbered("", 3)...)
		}
		stop := run(w, s)
		time.Sleep(1500 * time.Millisecond)
		stop()
		same(w, "arrived", len(w.receiver.requests()), 4)
		pending, err := w.store.Batches(w.ctx(), windlass.BatchFilter{DestinationID: d.ID, Status: windlass.BatchPending, Limit: 100})
		w.must(err)
		same(w, "left", len(pending), 6*3-4)
	})
}
