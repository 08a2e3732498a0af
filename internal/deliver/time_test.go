package deliver_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"windlass"
	"windlass/internal/deliver"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

// inBubble runs a test in a bubble of time, on an SQLite database.
func inBubble(t *testing.T, test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		test(newWorld(t, storetest.New(t, store.SQLite).Open(t, nil), nil, time.Now))
	})
}

// slow is a transport that takes its time, as a receiver does.
type slow struct {
	takes func(r *http.Request) time.Duration
	next  http.RoundTripper
}

func (s slow) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case <-time.After(s.takes(r)):
		return s.next.RoundTrip(r)
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

func forever(*http.Request) time.Duration { return 1000 * time.Hour }

// run runs a service until the returned function is called.
func run(w *world, s *deliver.Service) (stop func()) {
	w.Helper()
	ctx, cancel := context.WithCancel(w.ctx())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return func() {
		w.Helper()
		cancel()
		if err := <-done; err != nil {
			w.Error(err)
		}
	}
}

func TestReceiverThatHangs(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		s := w.service(func(c *config) { c.Transport = slow{forever, w.receiver} })
		d := w.destination("hook", nil)
		b := w.add(d, "lane", "x")[0]
		begun := time.Now()
		w.drain(s, d)
		same(w, "took", time.Since(begun), deliver.Timeout)
		after, attempts := w.batch(s, b.ID)
		same(w, "error", attempts[0].Error, "no answer within 30s")
		same(w, "latency", attempts[0].Latency, deliver.Timeout)
		same(w, "next", after.NextAttempt.Sub(begun), deliver.Timeout+5*time.Second)
		health, err := s.Health(w.ctx(), "acme", "hook")
		w.must(err)
		same(w, "failing since it began", health.FailingSince.Sub(begun), 0)
	})
}

// drip is a body that never ends and comes slowly.
type drip struct{ ctx context.Context }

func (d drip) Read(p []byte) (int, error) {
	select {
	case <-time.After(time.Second):
		p[0] = '.'
		return 1, nil
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	}
}
func (drip) Close() error { return nil }

type dripping struct{}

func (dripping) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: drip{r.Context()}}, nil
}

// The status has come, and decides; the rest is not waited for.
func TestAnswerThatNeverEnds(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		s := w.service(func(c *config) { c.Transport = dripping{} })
		d := w.destination("hook", nil)
		b := w.add(d, "lane", "x")[0]
		begun := time.Now()
		w.drain(s, d)
		if took := time.Since(begun); took > 6*time.Second {
			w.Errorf("it took %s", took)
		}
		after, attempts := w.batch(s, b.ID)
		same(w, "status", after.Status, windlass.BatchDelivered)
		if !strings.HasPrefix(attempts[0].Answer, "...") {
			w.Errorf("answer %q", attempts[0].Answer)
		}
	})
}

// Forty destinations that hang do
// not delay the one that works.
func TestDeadDestinationsSlowNobody(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		const dead = 40
		s := w.service(func(c *config) {
			c.Transport = slow{func(r *http.Request) time.Duration {
				if strings.HasPrefix(r.URL.Host, "dead") {
					return forever(r)
				}
				return 20 * time.Millisecond
			}, w.receiver}
		})
		for n := range dead {
			d := w.destination(fmt.Sprint("dead-", n), nil)
			for lane := range 3 {
				w.add(d, fmt.Sprint(lane), numbered("", 3)...)
			}
		}
		alive := w.destination("alive", nil)
		stop := run(w, s)
		const messages = 120
		for n := range messages {
			time.Sleep(time.Second)
			w.add(alive, fmt.Sprint(n%2), fmt.Sprint(time.Now().UnixMicro()))
			s.Wake(alive.ID)
		}
		time.Sleep(5 * time.Second)
		requests := w.receiver.requests()
		same(w, "arrived", len(requests), messages)
		for _, r := range requests {
			sent, err := strconv.ParseInt(r.body, 10, 64)
			w.must(err)
			if late := r.at.Sub(time.UnixMicro(sent)); late > 100*time.Millisecond {
				w.Errorf("one arrived after %s", late)
			}
		}
		// And the dead ones are asked less and less.
		attempts := 0
		for n := range 5 {
			health, err := s.Health(w.ctx(), "acme", fmt.Sprint("dead-", n))
			w.must(err)
			attempts += health.Failures
		}
		if attempts < 5*4 || attempts > 5*16 {
			w.Errorf("%d attempts at five dead destinations in two minutes", attempts)
		}
		stop()
	})
}

// A receiver that is merely slow keeps its lease.
func TestSlowReceiverKeepsItsLease(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		var mu sync.Mutex
		underWay := 0
		transport := slow{func(*http.Request) time.Duration {
			mu.Lock()
			underWay++
			if underWay > 1 {
				w.Error("twice at once")
			}
			mu.Unlock()
			return 25 * time.Second
		}, roundTripper(func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			underWay--
			mu.Unlock()
			return w.receiver.RoundTrip(r)
		})}
		d := w.destination("hook", nil)
		w.add(d, "lane", numbered("", 40)...)
		var stops []func()
		for range 2 {
			stops = append(stops, run(w, w.service(func(c *config) { c.Transport = transport })))
		}
		time.Sleep(20 * time.Minute)
		for _, stop := range stops {
			stop()
		}
		if got := strings.Join(w.receiver.bodies(), ","); got != strings.Join(numbered("", 40), ",") {
			w.Errorf("arrived: %s", got)
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A small read is not kept waiting by a long backfill to the same destination.
func TestLongLaneKeepsNobodyWaiting(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		s := w.service(func(c *config) {
			c.Concurrency = 2
			c.Transport = slow{func(*http.Request) time.Duration { return 10 * time.Millisecond }, w.receiver}
		})
		d := w.destination("hook", nil)
		for n := range 4 {
			w.add(d, fmt.Sprint("backfill-", n), numbered("b", 400)...)
		}
		stop := run(w, s)
		time.Sleep(time.Second)
		added := time.Now()
		w.add(d, "read", "small")
		s.Wake(d.ID)
		time.Sleep(20 * time.Second)
		stop()
		for _, r := range w.receiver.requests() {
			if r.body == "small" {
				if late := r.at.Sub(added); late > 5*time.Second {
					w.Errorf("it waited for %s", late)
				}
				return
			}
		}
		w.Error("it did not arrive")
	})
}

// Without Wake, what is added is found within a second; a retry at its time.
func TestRunFindsWhatIsDue(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		s, d := w.service(nil), w.destination("hook", nil)
		w.receiver.answer = func(n int, _ request) (*http.Response, error) {
			if n == 1 {
				return nil, io.ErrUnexpectedEOF
			}
			return status(http.StatusOK), nil
		}
		stop := run(w, s)
		time.Sleep(10500 * time.Millisecond)
		begun := time.Now()
		w.add(d, "lane", "x")
		time.Sleep(10 * time.Second)
		stop()
		requests := w.receiver.requests()
		same(w, "requests", len(requests), 2)
		if first, second := requests[0].at.Sub(begun), requests[1].at.Sub(requests[0].at); first > time.Second || second < 5*time.Second || second > 6*time.Second {
			w.Errorf("sent after %s and again after %s", first, second)
		}
	})
}

// When the process is to end, what is under way may arrive; what does not is
// sent again by the next one, with the same id.
func TestEndOfTheProcess(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		takes := 3 * time.Second
		s := w.service(func(c *config) {
			c.Transport = slow{func(*http.Request) time.Duration { return takes }, w.receiver}
		})
		d := w.destination("hook", nil)
		batches := w.add(d, "lane", "1", "2")
		stop := run(w, s)
		time.Sleep(time.Second)
		stop()
		same(w, "arrived", strings.Join(w.receiver.bodies(), ","), "1")
		b, _ := w.batch(s, batches[0].ID)
		same(w, "status", b.Status, windlass.BatchDelivered)

		takes = 20 * time.Second
		stop = run(w, s)
		time.Sleep(2 * time.Second)
		begun := time.Now()
		stop()
		same(w, "the end took", time.Since(begun), 5*time.Second)
		_, attempts := w.batch(s, batches[1].ID)
		same(w, "attempts that nothing is known of", len(attempts), 0)
		takes = 0
		w.drain(s, d) // the lease is free
		same(w, "arrived", strings.Join(w.receiver.bodies(), ","), "1,2")
	})
}
