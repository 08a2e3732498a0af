package deliver_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"windlass"
	"windlass/internal/deliver"
	"windlass/internal/sink/sinktest"
	"windlass/internal/store"
)

// A busy transport knows how many requests are under way, and how many were at most.
type busy struct {
	slow

	mu        sync.Mutex
	now, most int
}

func (b *busy) RoundTrip(r *http.Request) (*http.Response, error) {
	b.mu.Lock()
	b.now++
	b.most = max(b.most, b.now)
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		b.now--
		b.mu.Unlock()
	}()
	return b.slow.RoundTrip(r)
}

func (b *busy) reset() (most int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	most, b.most = b.most, b.now
	return most
}

func aSecond(*http.Request) time.Duration { return time.Second }

// A destination gets as many requests at once as it should; one that is down gets
// one, and everything when that arrives.
func TestRequestsAtOnce(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		transport := &busy{slow: slow{aSecond, w.receiver}}
		s := w.service(func(c *config) { c.Transport, c.Concurrency = transport, 3 })
		d := w.destination("hook", nil)
		for lane := range 20 {
			w.add(d, fmt.Sprint(lane), "1", "2")
		}
		w.drain(s, d)
		same(w, "at once", transport.reset(), 3)
		same(w, "requests", len(w.receiver.requests()), 40)

		w.receiver.answer = always(http.StatusBadGateway)
		for lane := range 20 {
			w.add(d, fmt.Sprint(lane), "3")
		}
		w.drain(s, d) // until it is down
		transport.reset()
		down := len(w.receiver.requests())
		for probes := range 3 {
			time.Sleep(time.Hour)
			if probes == 2 {
				w.receiver.answer = nil
				break
			}
			w.drain(s, d)
			same(w, "requests while it is down", len(w.receiver.requests()), down+probes+1)
		}
		same(w, "at once while it is down", transport.reset(), 1)
		for w.stepInBubble(s, d) {
		}
		same(w, "at once afterwards", transport.reset(), 3)
	})
}

// stepInBubble drains, waits a minute, and reports whether something is left.
func (w *world) stepInBubble(s *deliver.Service, d windlass.Destination) bool {
	w.Helper()
	w.drain(s, d)
	time.Sleep(time.Minute)
	left, err := w.store.Batches(w.ctx(), windlass.BatchFilter{DestinationID: d.ID, Status: windlass.BatchPending, Limit: 1})
	w.must(err)
	return len(left) > 0
}

// A process sends to so many destinations at once, and to all of them in the end.
func TestDestinationsAtOnce(t *testing.T) {
	t.Parallel()
	for name, wake := range map[string]bool{"found": false, "woken": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				transport := &busy{slow: slow{aSecond, w.receiver}}
				s := w.service(func(c *config) { c.Transport, c.MaxDestinations = transport, 2 })
				stop := run(w, s)
				time.Sleep(1500 * time.Millisecond)
				for n := range 7 {
					d := w.destination(fmt.Sprint("hook-", n), nil)
					w.add(d, "lane", "x")
					if wake {
						s.Wake(d.ID)
					}
				}
				time.Sleep(20 * time.Second)
				stop()
				same(w, "at once", transport.reset(), 2)
				same(w, "requests", len(w.receiver.requests()), 7)
			})
		})
	}
}

// The latest of what a receiver asked for counts, whatever the others that were
// under way are answered.
func TestRetryAfterOfSeveral(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		answers := map[string]struct {
			after  time.Duration
			answer *http.Response
		}{
			"long":      {time.Second, status(http.StatusTooManyRequests, "Retry-After", "3600")},
			"short":     {2 * time.Second, status(http.StatusTooManyRequests, "Retry-After", "60")},
			"delivered": {3 * time.Second, status(http.StatusOK)},
		}
		s := w.service(func(c *config) {
			c.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
				resp, err := w.receiver.RoundTrip(r)
				requests := w.receiver.requests()
				if one, known := answers[requests[len(requests)-1].body]; known && len(requests) <= 3 {
					time.Sleep(one.after)
					return one.answer, nil
				}
				return resp, err
			})
		})
		d := w.destination("hook", nil)
		for name := range answers {
			w.add(d, name, name)
		}
		begun := time.Now()
		w.drain(s, d)
		health, err := s.Health(w.ctx(), "acme", "hook")
		w.must(err)
		same(w, "held until", health.HoldUntil.Sub(begun), time.Hour+time.Second)
		time.Sleep(30 * time.Minute)
		w.drain(s, d)
		same(w, "requests meanwhile", len(w.receiver.requests()), 3)
		time.Sleep(31 * time.Minute)
		w.drain(s, d)
		same(w, "requests afterwards", len(w.receiver.requests()), 5)
	})
}

// An attempt that was under way when the destination went down, and arrives, lets
// everything go at once.
func TestDeliveryEndsTheHold(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		s := w.service(func(c *config) {
			c.Transport = slow{func(r *http.Request) time.Duration {
				if r.ContentLength == int64(len("delivered")) {
					return 2 * time.Second
				}
				return time.Second
			}, w.receiver}
		})
		d := w.destination("hook", nil)
		w.receiver.answer = func(_ int, r request) (*http.Response, error) {
			if r.body == "x" {
				return status(http.StatusBadGateway), nil
			}
			return status(http.StatusOK), nil
		}
		for lane := range 5 {
			w.add(d, fmt.Sprint(lane), "x")
		}
		w.add(d, "delivered", "delivered")
		w.drain(s, d)
		same(w, "requests", len(w.receiver.requests()), 6)
		health, err := s.Health(w.ctx(), "acme", "hook")
		w.must(err)
		same(w, "health", health, windlass.Health{DestinationID: d.ID})
	})
}

// The waits between probes: a tenth of the time of failing, from 5 s to 5 min.
func TestProbes(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		s, d := w.service(func(c *config) { c.Concurrency = 1 }), w.destination("hook", nil)
		w.receiver.answer = always(http.StatusBadGateway)
		w.add(d, "lane", numbered("", 30)...)
		var waits []string
		for range 9 {
			w.drain(s, d)
			health, err := s.Health(w.ctx(), "acme", "hook")
			w.must(err)
			waits = append(waits, fmt.Sprintf("%d:%s", health.Failures, health.HoldUntil.Sub(w.now())))
			w.clock.move(max(health.HoldUntil.Sub(w.now()), 10*time.Minute))
		}
		want := "5:5s 6:1m0s 7:2m0s 8:3m0s 9:4m0s 10:5m0s 11:5m0s 12:5m0s 13:5m0s"
		same(w, "failures and waits", strings.Join(waits, " "), want)
		w.receiver.answer = nil
		w.drain(s, d)
		health, err := s.Health(w.ctx(), "acme", "hook")
		w.must(err)
		same(w, "health when a probe has arrived", health, windlass.Health{DestinationID: d.ID})
		w.receiver.answer = always(http.StatusBadGateway)
		w.add(d, "new", "x")
		w.drain(s, d)
		health, err = s.Health(w.ctx(), "acme", "hook")
		w.must(err)
		same(w, "failures are counted anew", health, windlass.Health{DestinationID: d.ID, Failures: 1, FailingSince: w.now()})
	})
}

// sized is a store that knows the most that one look at a lane has read.
type sized struct {
	*store.Store

	batches, bytes int
}

func (s *sized) DueBatches(ctx context.Context, destinationID, lane string, now time.Time, limit int, bytes int64) ([]windlass.Batch, error) {
	found, err := s.Store.DueBatches(ctx, destinationID, lane, now, limit, bytes)
	total := 0
	for _, b := range found {
		total += len(b.Body)
	}
	s.batches, s.bytes = max(s.batches, len(found)), max(s.bytes, total)
	return found, err
}

// What a drain holds in memory is bounded, in batches and in bytes.
func TestRoundsAreBounded(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		d := w.destination("hook", nil)
		w.add(d, "many", numbered("", 250)...)
		sizes := &sized{Store: w.store}
		s := w.service(func(c *config) { c.Store = sizes })
		w.drain(s, d)
		same(w, "batches", sizes.batches, 100)
		for n := range 5 {
			w.add(d, "large", fmt.Sprint(n)+strings.Repeat("x", 100<<10))
		}
		w.drain(s, d)
		if sizes.bytes > 256<<10 || sizes.bytes < 200<<10 {
			t.Errorf("%d bytes were read at once", sizes.bytes)
		}
		same(w, "arrived", len(w.receiver.requests()), 255)
	})
}

// A kept body remembers that it was closed.
type kept struct {
	io.Reader

	closed *atomic.Int64
}

func (k kept) Close() error {
	k.closed.Add(1)
	return nil
}

// An answer is kept as far as every database can, and is closed in any case.
func TestOddAnswers(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		for name, row := range map[string]struct{ answer, want string }{
			"nul":     {"a\x00b", "a\uFFFDb"},
			"latin-1": {"gr\xfc\xdfe", "gr\uFFFDe"},
			"cut":     {strings.Repeat("x", 1023) + "ü", strings.Repeat("x", 1023) + "\uFFFD"},
			"empty":   {"", ""},
		} {
			var closed atomic.Int64
			w.receiver.answer = func(int, request) (*http.Response, error) {
				return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: kept{strings.NewReader(row.answer), &closed}}, nil
			}
			s, d := w.service(nil), w.destination(name, nil)
			b := w.add(d, "lane", "x")[0]
			w.drain(s, d)
			_, attempts := w.batch(s, b.ID)
			if len(attempts) != 1 || attempts[0].Answer != row.want {
				t.Errorf("%s: %+v, want %q", name, attempts, row.want)
			}
			same(w, name+": closed", closed.Load(), 1)
		}
	})
}

// A connection is used again after an answer of some kilobytes.
func TestConnectionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		var connections atomic.Int64
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(rw, strings.Repeat("x", 3<<10))
		}))
		server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				connections.Add(1)
			}
		}
		server.Start()
		t.Cleanup(server.Close)
		transport := loopback(t)
		s := w.service(func(c *config) { c.Transport, c.AllowHTTP = transport, true })
		d := w.destination("hook", func(d *windlass.Destination) { sinktest.At(d, server.URL, nil) })
		w.add(d, "lane", numbered("", 10)...)
		w.drain(s, d)
		same(w, "connections", connections.Load(), 1)
	})
}

// What shares records with two that wait is held back until the later one is tried.
func TestHeldBackBehindTwo(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		s, d := w.service(nil), w.destination("hook", nil)
		w.receiver.answer = always(http.StatusBadRequest)
		w.holding(d, "op-1", "old a", "a")
		w.drain(s, d)
		w.clock.move(5 * time.Second)
		w.drain(s, d) // again in five minutes
		w.holding(d, "op-2", "old b", "b")
		w.drain(s, d) // again in five seconds
		both := w.holding(d, "op-3", "new ab", "a", "b")
		w.drain(s, d)
		b, _ := w.batch(s, both.ID)
		same(w, "held back until", b.NextAttempt.Sub(w.now()), 5*time.Minute)
		same(w, "requests", len(w.receiver.requests()), 3)
	})
}

// What was held back goes out in one round behind what it waited for, not one round
// each.
func TestHeldBackInOneRound(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		looks := &counting{Store: w.store}
		s, d := w.service(func(c *config) { c.Store = looks }), w.destination("hook", nil)
		w.receiver.answer = refuse("00", 1)
		for _, body := range []string{"00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10"} {
			w.holding(d, "op-1", body, "a")
		}
		w.drain(s, d)
		w.clock.move(5 * time.Second)
		looks.looks.Store(0)
		w.drain(s, d)
		same(w, "arrived", strings.Join(w.receiver.bodies(), ","), "00,00,01,02,03,04,05,06,07,08,09,10")
		if n := looks.looks.Load(); n > 3 {
			t.Errorf("the lane was looked at %d times", n)
		}
	})
}
