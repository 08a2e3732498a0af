package deliver_test

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"windlass"
	"windlass/internal/sink/sinktest"
)

func TestRetriesKeepToTheSchedule(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		s, d := w.service(nil), w.destination("hook", nil)
		w.receiver.answer = always(http.StatusInternalServerError)
		b := w.add(d, "lane", `{"a":"ü \u0000 1"}`)[0]
		for w.step(s, d) {
		}
		want := []time.Duration{
			0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour,
		}
		requests := w.receiver.requests()
		same(w, "attempts", len(requests), len(want))
		at := noon
		for i, r := range requests {
			at = at.Add(want[i])
			same(w, "time", r.at, at)
			same(w, "id", r.id(), b.ID)
			same(w, "the other id", r.header.Get("Webhook-Id"), b.ID)
			same(w, "body", r.body, `{"a":"ü \u0000 1"}`)
			if err := w.verify(r, secretOf); err != nil {
				t.Errorf("attempt %d is not signed for its time: %v", i+1, err)
			}
		}
		after, attempts := w.batch(s, b.ID)
		same(w, "status", after.Status, windlass.BatchFailed)
		same(w, "attempts", len(attempts), len(want))
		last := attempts[7]
		same(w, "number", last.Number, 8)
		same(w, "time", last.Time, at)
		same(w, "answer", last.Answer, "thanks")
		same(w, "error", last.Error, "answered 500 Internal Server Error")
		same(w, "status", last.Status, 500)
	})
}

func TestWhatCountsAsDelivered(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		s := w.service(nil)
		for _, row := range []struct {
			name   string
			answer *http.Response
			err    error
			status string
			says   string
			wait   time.Duration
		}{
			{name: "ok", answer: status(200), status: windlass.BatchDelivered},
			{name: "accepted", answer: status(202), status: windlass.BatchDelivered},
			{name: "no-content", answer: status(204), status: windlass.BatchDelivered},
			{name: "choices", answer: status(300), says: "300", wait: 5 * time.Second},
			{name: "redirect", answer: status(307, "Location", "https://169.254.169.254/"), says: "redirects are not followed", wait: 5 * time.Second},
			{name: "not-modified", answer: status(304), says: "304", wait: 5 * time.Second},
			{name: "not-found", answer: status(404), says: "404", wait: 5 * time.Second},
			{name: "gone", answer: status(410), says: "delete the destination", wait: 5 * time.Second},
			{name: "strange", answer: status(799), says: "799", wait: 5 * time.Second},
			{name: "limited", answer: status(429, "Retry-After", "60"), says: "429", wait: time.Minute},
			{name: "limited-less", answer: status(429, "Retry-After", "1"), says: "429", wait: 5 * time.Second},
			{name: "limited-dated", answer: status(503, "Retry-After", noon.Add(time.Hour).Format(http.TimeFormat)), says: "503", wait: time.Hour},
			{name: "limited-by-epoch", answer: status(503, "Retry-After", strconv.FormatInt(noon.Add(time.Hour).Unix(), 10)), says: "503", wait: time.Hour},
			{name: "limited-by-iso", answer: status(429, "Retry-After", noon.Add(time.Hour).Format(time.RFC3339)), says: "429", wait: time.Hour},
			{name: "limited-with-parameters", answer: status(429, "Retry-After", "60;w=3600"), says: "429", wait: time.Minute},
			{name: "limited-past", answer: status(503, "Retry-After", noon.Add(-time.Hour).Format(http.TimeFormat)), says: "503", wait: 5 * time.Second},
			{name: "limited-forever", answer: status(429, "Retry-After", "2147483647"), says: "429", wait: 24 * time.Hour},
			{name: "limited-beyond-numbers", answer: status(429, "Retry-After", "99999999999999999999"), says: "429", wait: 24 * time.Hour},
			{name: "limited-beyond-days", answer: status(503, "Retry-After", noon.Add(1000*time.Hour).Format(http.TimeFormat)), says: "503", wait: 24 * time.Hour},
			{name: "limited-oddly", answer: status(429, "Retry-After", "soon"), says: "429", wait: 5 * time.Second},
			{name: "retry-after-elsewhere", answer: status(500, "Retry-After", "60"), says: "500", wait: 5 * time.Second},
			{name: "no-answer", err: errors.New("connection reset by peer\x00\xff"), says: "could not be reached", wait: 5 * time.Second},
		} {
			d := w.destination(row.name, nil)
			w.receiver.answer = func(int, request) (*http.Response, error) { return row.answer, row.err }
			b := w.add(d, "lane", "x")[0]
			w.drain(s, d)
			after, attempts := w.batch(s, b.ID)
			if row.status == "" {
				row.status = windlass.BatchPending
			}
			same(w, row.name, after.Status, row.status)
			if row.wait > 0 {
				same(w, row.name, after.NextAttempt, noon.Add(row.wait))
			}
			if got := attempts[0].Error; !strings.Contains(got, row.says) || (got == "") != (row.says == "") {
				t.Errorf("%s: the attempt says %q, want %q", row.name, got, row.says)
			}
		}
	})
}

// What a receiver asks for with Retry-After keeps everything from it meanwhile.
func TestRetryAfterHoldsTheDestination(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		s, d := w.service(nil), w.destination("hook", nil)
		w.receiver.answer = func(n int, _ request) (*http.Response, error) {
			if n == 1 {
				return status(http.StatusTooManyRequests, "Retry-After", "90"), nil
			}
			return status(http.StatusOK), nil
		}
		w.add(d, "lane", "1", "2", "3")
		w.drain(s, d)
		w.drain(s, d)
		same(w, "requests", len(w.receiver.requests()), 1)
		w.clock.move(90 * time.Second)
		w.drain(s, d)
		same(w, "order", strings.Join(w.receiver.bodies(), " "), "1 2 3 1")
	})
}

func TestDestinationIsDisabledAfterFiveDaysOfFailure(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		s, d := w.service(nil), w.destination("hook", nil)
		w.receiver.answer = always(http.StatusBadGateway)
		w.add(d, "lane", numbered("a", 40)...)
		for i := range 5 * 24 {
			w.add(d, "lane", numbered("b", 1)[0])
			for w.now().Before(noon.Add(time.Duration(i+1) * time.Hour)) {
				same(w, "told too early", len(w.notifier.told), 0)
				w.drain(s, d)
				w.clock.move(20 * time.Minute)
			}
		}
		for len(w.notifier.told) == 0 && w.now().Before(noon.Add(130*time.Hour)) {
			w.drain(s, d)
			w.clock.move(20 * time.Minute)
		}
		if len(w.notifier.told) != 1 {
			t.Fatalf("told %d times, want once", len(w.notifier.told))
		}
		told := w.notifier.told[0]
		same(w, "event", told.event, windlass.DestinationDisabledEvent)
		same(w, "data", told.data, any(windlass.DestinationNotice{
			ProjectID: w.project.ID, DestinationID: d.ID, DestinationName: "hook", URL: d.Address,
		}))
		if age := w.receiver.requests()[len(w.receiver.requests())-1].at.Sub(noon); age < 120*time.Hour || age > 121*time.Hour {
			t.Errorf("the last attempt was made after %s", age)
		}

		// Why, and since when, is kept with it.
		disabled, err := w.store.Destination(w.ctx(), w.project.ID, "hook")
		w.must(err)
		if why := disabled.Disabling; !strings.HasSuffix(why.Why, "attempts in a row failed, since "+noon.Format(time.RFC3339)) || why.By != "" || why.At.Sub(noon) < 120*time.Hour {
			t.Errorf("it says %+v", why)
		}

		// It is left alone; what comes in the meantime waits, and goes out in order.
		before := len(w.receiver.requests())
		w.receiver.answer = nil
		w.add(d, "new", "1", "2")
		w.clock.move(100 * time.Hour)
		w.drain(s, d)
		same(w, "requests to a disabled destination", len(w.receiver.requests()), before)
		enabled, err := s.Enable(w.ctx(), "acme", "hook")
		w.must(err)
		same(w, "disabled", enabled.Disabled, false)
		same(w, "why", enabled.Disabling, windlass.Disabling{})
		w.drain(s, d)
		pending, err := s.Batches(w.ctx(), "acme", windlass.BatchFilter{DestinationID: "hook", Status: windlass.BatchPending})
		w.must(err)
		same(w, "pending", len(pending), 0)
		arrived := w.receiver.bodies()[before:]
		if one, two := slices.Index(arrived, "1"), slices.Index(arrived, "2"); one < 0 || two < one {
			t.Errorf("arrived: %v", arrived)
		}
		health, err := s.Health(w.ctx(), "acme", "hook")
		w.must(err)
		same(w, "health", health, windlass.Health{DestinationID: d.ID})
	})
}

// While a destination is down only probes go out, and they use up next to no
// attempts; when it is back, everything arrives.
func TestCircuit(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		s, d := w.service(func(c *config) { c.Concurrency = 1 }), w.destination("hook", nil)
		back := noon.Add(time.Hour)
		w.receiver.answer = func(_ int, r request) (*http.Response, error) {
			if r.at.Before(back) {
				return nil, errors.New("connection refused")
			}
			return status(http.StatusOK), nil
		}
		w.add(d, "lane", numbered("", 500)...)
		for w.step(s, d) {
			if w.now().After(back.Add(time.Hour)) {
				t.Fatal("not everything arrived")
			}
		}
		requests := w.receiver.requests()
		if down := slices.IndexFunc(requests, func(r request) bool { return !r.at.Before(back) }); down < 40 || down > 70 {
			t.Errorf("%d requests in an hour of being down", down)
		} else if late := requests[down].at.Sub(back); late > 5*time.Minute {
			t.Errorf("noticed only after %s that it is back", late)
		}
		distinct := map[string]bool{}
		for _, r := range requests {
			if !r.at.Before(back) {
				distinct[r.id()] = true
			}
		}
		same(w, "arrived", len(distinct), 500)
	})
}

func TestRotationSignsWithBothSecrets(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		const newer = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
		w.clock.now = time.Now() // the published library has a clock of its own
		s, d := w.service(nil), w.destination("hook", nil)
		w.add(d, "lane", `{"n":1}`)
		w.drain(s, d)
		d.Secrets = []windlass.Secret{windlass.NewSecret(newer), windlass.NewSecret(secretOf)}
		w.must(w.store.UpdateDestination(w.ctx(), d))
		w.add(d, "lane", `{"n":2}`)
		w.drain(s, d)
		d.Secrets = d.Secrets[:1]
		w.must(w.store.UpdateDestination(w.ctx(), d))
		w.add(d, "lane", `{"n":3}`)
		w.drain(s, d)
		for i, accepts := range [][]string{{secretOf}, {newer, secretOf}, {newer}} {
			r := w.receiver.requests()[i]
			for _, secret := range []string{secretOf, newer} {
				library, err := standardwebhooks.NewWebhook(secret)
				w.must(err)
				err = library.Verify([]byte(r.body), r.header)
				if slices.Contains(accepts, secret) != (err == nil) {
					t.Errorf("message %d with %s: %v", i+1, secret, err)
				}
			}
		}
	})
}

func TestWhatCannotBeSentSaysWhy(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		s := w.service(nil)
		for name, row := range map[string]struct {
			change func(d *windlass.Destination)
			says   string
		}{
			"plain":     {func(d *windlass.Destination) { sinktest.At(d, "http://example.com/", nil) }, "https"},
			"nowhere":   {func(d *windlass.Destination) { sinktest.At(d, "https:///x", nil) }, "URL"},
			"file":      {func(d *windlass.Destination) { sinktest.At(d, "file:///etc/passwd", nil) }, "URL"},
			"unsigned":  {func(d *windlass.Destination) { d.Secrets = nil }, "rotate"},
			"onebad":    {func(d *windlass.Destination) { d.Secrets = append(d.Secrets, windlass.NewSecret("hunter2")) }, "rotate"},
			"badsecret": {func(d *windlass.Destination) { d.Secrets = []windlass.Secret{windlass.NewSecret("hunter2")} }, "rotate"},
		} {
			d := w.destination(name, row.change)
			b := w.add(d, "lane", "x")[0]
			w.drain(s, d)
			_, attempts := w.batch(s, b.ID)
			if len(attempts) != 1 || !strings.Contains(attempts[0].Error, row.says) || strings.Contains(attempts[0].Error, "hunter2") {
				t.Errorf("%s: %+v", name, attempts)
			}
		}
		same(w, "requests", len(w.receiver.requests()), 0)
		allowed := w.service(func(c *config) { c.AllowHTTP = true })
		d := w.destination("plainly", func(d *windlass.Destination) { sinktest.At(d, "http://example.com/", nil) })
		w.add(d, "lane", "x")
		w.drain(allowed, d)
		same(w, "requests", len(w.receiver.requests()), 1)
	})
}
