package deliver_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"windlass"
	"windlass/internal/deliver"
)

// Secrets that are rotated, and an end of the destination, are noticed while a drain
// goes on.
func TestChangesDuringADrain(t *testing.T) {
	t.Parallel()
	const newer = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
	for name, row := range map[string]struct {
		change func(w *world, s *deliver.Service, d windlass.Destination)
		check  func(w *world)
	}{
		"rotated": {func(w *world, _ *deliver.Service, d windlass.Destination) {
			d.Secrets = []windlass.Secret{windlass.NewSecret(newer)}
			w.must(w.store.UpdateDestination(w.ctx(), d))
		}, func(w *world) {
			requests := w.receiver.requests()
			same(w, "requests", len(requests), 40)
			w.must(w.verify(requests[0], secretOf))
			w.must(w.verify(requests[39], newer))
		}},
		"disabled": {func(w *world, s *deliver.Service, _ windlass.Destination) {
			_, err := s.Disable(w.ctx(), "acme", "hook", "key")
			w.must(err)
		}, func(w *world) {
			if n := len(w.receiver.requests()); n > 16 {
				w.Errorf("%d requests, ten of them before it was disabled", n)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(w *world) {
				s := w.service(func(c *config) {
					c.Transport = slow{func(*http.Request) time.Duration { return time.Second }, w.receiver}
				})
				d := w.destination("hook", nil)
				w.add(d, "lane", numbered("", 40)...)
				time.AfterFunc(10*time.Second+time.Millisecond, func() { row.change(w, s, d) })
				w.drain(s, d)
				row.check(w)
			})
		})
	}
}

// What is enabled or replayed is sent at once, not at the next look.
func TestEnablingAndReplayingWake(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		s := w.service(func(c *config) { c.Poll = 1000 * time.Hour })
		d := w.destination("hook", func(d *windlass.Destination) { d.Disabled = true })
		b := w.add(d, "lane", "x")[0]
		stop := run(w, s)
		arrive := func(what string, want int) {
			w.Helper()
			time.Sleep(time.Second)
			synctest.Wait()
			same(w, what, len(w.receiver.requests()), want)
		}
		arrive("while it is disabled", 0)
		enabled, err := s.Enable(w.ctx(), "acme", "hook")
		w.must(err)
		same(w, "secrets that are shown", len(enabled.Secrets), 0)
		arrive("enabled", 1)
		_, err = s.Replay(w.ctx(), "acme", deliver.ReplayRequest{BatchID: b.ID})
		w.must(err)
		arrive("replayed", 2)
		stop()
	})
}

// A destination that was disabled while it was sent to is free when it is enabled;
// one that was deleted is nothing to send to, and no error.
func TestDisabledAndDeletedDestinations(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		s, d := w.service(nil), w.destination("hook", nil)
		w.add(d, "lane", "x")
		_, err := s.Disable(w.ctx(), "acme", "hook", "key")
		w.must(err)
		w.drain(s, d)
		same(w, "requests while it is disabled", len(w.receiver.requests()), 0)
		_, err = s.Enable(w.ctx(), "acme", "hook")
		w.must(err)
		w.drain(w.service(nil), d) // another process
		same(w, "requests", len(w.receiver.requests()), 1)
		w.must(s.Drain(w.ctx(), id(w)))
	})
}

// Only failure disables a destination, and only if there was nothing else for 120 h.
func TestWhatDoesNotDisable(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		s, d := w.service(nil), w.destination("hook", nil)
		send := func(code int) {
			w.Helper()
			w.receiver.answer = always(code)
			w.add(d, fmt.Sprint(w.now().Unix()), "x") // a lane of its own: due now
			w.drain(s, d)
		}
		send(http.StatusBadGateway)
		w.clock.move(60 * time.Hour)
		send(http.StatusOK)
		w.clock.move(61 * time.Hour)
		send(http.StatusBadGateway)
		same(w, "told after a delivery in between", len(w.notifier.told), 0)
		w.clock.move(120*time.Hour - time.Microsecond)
		send(http.StatusBadGateway)
		same(w, "told a microsecond early", len(w.notifier.told), 0)
		w.clock.move(time.Hour)
		w.receiver.answer = func(int, request) (*http.Response, error) {
			if _, err := s.Disable(w.ctx(), "acme", "hook", "key"); err != nil {
				return nil, err
			}
			return status(http.StatusBadGateway), nil
		}
		w.add(d, "last", "x")
		w.drain(s, d)
		same(w, "told of what an operator did", len(w.notifier.told), 0)
	})
}

// An attempt that is under way at 120 h may be the one that arrives.
func TestHeartbeatDoesNotDisable(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		s := w.service(func(c *config) {
			c.Transport = slow{func(*http.Request) time.Duration { return 20 * time.Second }, w.receiver}
		})
		d := w.destination("hook", nil)
		w.receiver.answer = refuse("x", 1)
		w.add(d, "lane", "x")
		w.drain(s, d)
		time.Sleep(121 * time.Hour)
		w.drain(s, d)
		same(w, "told", len(w.notifier.told), 0)
		health, err := s.Health(w.ctx(), "acme", "hook")
		w.must(err)
		same(w, "health", health, windlass.Health{DestinationID: d.ID})
	})
}

// A drain that has disabled its destination begins nothing more.
func TestDisabledAtOnce(t *testing.T) {
	t.Parallel()
	inBubble(t, func(w *world) {
		s := w.service(func(c *config) { c.Transport = slow{aSecond, w.receiver} })
		d := w.destination("hook", nil)
		w.receiver.answer = always(http.StatusBadGateway)
		w.add(d, "first", "x")
		w.drain(s, d)
		time.Sleep(121 * time.Hour)
		w.add(d, "second", numbered("", 10)...)
		w.drain(s, d)
		same(w, "told", len(w.notifier.told), 1)
		// One more of the second lane may have begun while that was recorded.
		if n := len(w.receiver.requests()); n > 1+3 {
			w.Errorf("%d requests", n)
		}
	})
}

// A database that fails ends a drain with an error; nothing is lost by it.
func TestFailuresOfTheStore(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		d := w.destination("hook", nil)
		w.add(d, "lane", "x")
		full := errors.New("the disk is full")
		fails := func() error { return full }
		for name, store := range map[string]*odd{
			"a look at the lanes": {lanes: fails}, "a look at the batches": {batches: fails}, "a look at what waits": {waiting: fails},
		} {
			store.Store = w.store
			s := w.service(func(c *config) { c.Store = store })
			if err := s.Drain(w.ctx(), d.ID); !errors.Is(err, full) {
				t.Errorf("%s: got %v", name, err)
			}
		}
		same(w, "requests", len(w.receiver.requests()), 0)
		w.drain(w.service(nil), d)
		same(w, "requests", len(w.receiver.requests()), 1)
	})
}

// A replay goes through the whole schedule again, takes what lies between its two
// times, and does not stop at one transaction.
func TestReplayAgain(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		s, d := w.service(nil), w.destination("hook", nil)
		w.receiver.answer = always(http.StatusBadGateway)
		b := w.add(d, "lane", "x")[0]
		for w.step(s, d) {
		}
		_, err := s.Replay(w.ctx(), "acme", deliver.ReplayRequest{BatchID: b.ID})
		w.must(err)
		for w.step(s, d) {
		}
		_, attempts := w.batch(s, b.ID)
		same(w, "attempts", len(attempts), 16)
		w.receiver.answer = nil
		for until := range 3 {
			w.clock.move(time.Hour)
			w.add(d, "times", fmt.Sprint(until))
		}
		w.drain(s, d)
		before := len(w.receiver.requests())
		_, err = s.Replay(w.ctx(), "acme", deliver.ReplayRequest{Destination: "hook", Since: w.now().Add(-90 * time.Minute), Until: w.now()})
		w.must(err)
		w.drain(s, d)
		same(w, "replayed", strings.Join(w.receiver.bodies()[before:], ","), "1")
		w.add(d, "many", numbered("", 1001)...)
		w.drain(s, d)
		n, err := s.Replay(w.ctx(), "acme", deliver.ReplayRequest{Destination: "hook", Since: w.now()})
		w.must(err)
		same(w, "replayed of the many", n, 1002)
	})
}
