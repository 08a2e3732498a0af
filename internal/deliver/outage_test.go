package deliver_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"windlass"
	"windlass/internal/deliver"
)

// When a receiver is back, a backlog in many lanes comes within a tenth of the time
// that it was down for, and all of it at once, as docs/deliveries.md promises.
func TestBacklogAfterAnOutage(t *testing.T) {
	t.Parallel()
	const lanes, each = 50, 20
	for _, row := range []struct {
		outage, within time.Duration
		hangs          bool
	}{
		{94 * time.Second, 10 * time.Second, false},
		{10 * time.Minute, time.Minute, false},
		{2 * time.Hour, 5 * time.Minute, false},
		{94 * time.Second, 45 * time.Second, true},
		{10 * time.Minute, 95 * time.Second, true},
	} {
		t.Run(fmt.Sprintf("%s hangs=%v", row.outage, row.hangs), func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				back := time.Now().Add(row.outage)
				w.receiver.answer = func(_ int, r request) (*http.Response, error) {
					if r.at.Before(back) {
						return nil, errors.New("connection refused")
					}
					return status(http.StatusOK), nil
				}
				transport := slow{func(r *http.Request) time.Duration {
					if row.hangs && time.Now().Before(back) {
						return forever(r)
					}
					return time.Millisecond
				}, w.receiver}
				s, d := w.service(func(c *config) { c.Transport = transport }), w.destination("hook", nil)
				for lane := range lanes {
					w.add(d, fmt.Sprint(lane), numbered(fmt.Sprint(lane, ":"), each)...)
				}
				stop := run(w, s)
				time.Sleep(row.outage + row.within + 2*time.Second) // Run looks once a second
				stop()
				arrived := map[string]bool{}
				for _, r := range w.receiver.requests() {
					if !r.at.Before(back) {
						arrived[r.body] = true
					}
				}
				// What was tried during the outage keeps to its own schedule.
				if failed := len(w.receiver.requests()) - len(arrived); len(arrived) < lanes*each-max(failed, 32) {
					w.Errorf("%d of %d arrived within %s", len(arrived), lanes*each, row.within)
				}
			})
		})
	}
}

// Attempts that hang since an outage, and fail when the destination has accepted
// others meanwhile, do not hold it back again.
func TestLateFailuresDoNotCount(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		s := w.service(func(c *config) {
			c.Transport = slow{func(r *http.Request) time.Duration {
				if r.ContentLength == int64(len("hangs")) {
					return forever(r)
				}
				return time.Second
			}, w.receiver}
		})
		d := w.destination("hook", nil)
		w.receiver.answer = func(n int, _ request) (*http.Response, error) {
			if n <= 5 {
				return status(http.StatusBadGateway), nil
			}
			return status(http.StatusOK), nil
		}
		for lane := range 6 {
			w.add(d, fmt.Sprint("hangs", lane), "hangs")
		}
		for lane := range 5 {
			w.add(d, fmt.Sprint("fails", lane), "x", "y")
		}
		stop := run(w, s)
		time.Sleep(deliver.Timeout + time.Second)
		health, err := s.Health(w.ctx(), "acme", "hook")
		w.must(err)
		stop()
		same(w, "accepted or refused", len(w.receiver.requests()), 15)
		same(w, "health", health, windlass.Health{DestinationID: d.ID})
	})
}
