package read_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/read"
)

func TestALimitIsWaitedFor(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(250, 0)
		w.install(configOf(""))
		limited := 50
		w.provider.before = func(req connector.ReadRequest) error {
			if req.Cursor == "100" && limited > 0 {
				limited--
				// As the budget says it, below the connector and the HTTP client.
				return &windlass.Error{Kind: windlass.Unavailable, Err: fmt.Errorf("get: %w", &windlass.Error{
					Kind: windlass.RateLimited, Message: "the budget is spent", RetryAfter: 20 * time.Minute,
				}), Provider: &windlass.ProviderDetails{}}
			}
			return nil
		}
		if wait := w.step(); wait != 20*time.Minute {
			t.Fatalf("it waits %v", wait)
		}
		w.logSays("The limit of requests is reached. The read waits until 2026-11-24T12:20:00Z")
		asked := w.provider.asked()
		w.clock.pass(10 * time.Minute)
		if wait := w.step(); wait != 10*time.Minute || w.provider.asked() != asked {
			t.Fatalf("a job that came too early asked, or waits %v", wait)
		}
		if p := w.last(); !p.Wait.Equal(noon.Add(20*time.Minute)) || p.Status != windlass.OperationRunning {
			t.Fatalf("%+v", p)
		}
		w.succeed() // 50 limits in a row are no failure
		w.wantAll()
		if p := w.last(); p.Requests != 53 || w.provider.asked() != 53 {
			t.Fatalf("%d requests, %d counted", w.provider.asked(), p.Requests)
		}
	})
}

func TestWhatPassesIsTriedAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, row := range []struct {
			name  string
			err   windlass.Error
			fails int
			ends  string
			says  string
		}{
			{"an outage", windlass.Error{Kind: windlass.Unavailable, Message: "502", Provider: &windlass.ProviderDetails{}}, 10, "success", "The provider failed (10 in a row)."},
			{"an outage that says how long", windlass.Error{Kind: windlass.Unavailable, RetryAfter: time.Hour, Provider: &windlass.ProviderDetails{}}, 3, "success", "tries again at 2026-11-24T15:00:00Z"},
			{"an outage without an end", windlass.Error{Kind: windlass.Unavailable, Message: "502", Provider: &windlass.ProviderDetails{}}, 1000, "failure", "502"},
			{"nonsense for an answer", windlass.Error{Kind: windlass.Malformed, Message: "HTML", Provider: &windlass.ProviderDetails{}}, 3, "success", "HTML"},
			{"nonsense again and again", windlass.Error{Kind: windlass.Malformed, Message: "HTML", Provider: &windlass.ProviderDetails{}}, 6, "failure", "HTML"},
			{"a scope that is missing", windlass.Error{Kind: windlass.Forbidden, Message: "no", Provider: &windlass.ProviderDetails{Required: []string{"project"}}, Remedy: "add it"}, 1, "failure", "No (missing scope: project); add it."},
			{"an object that is gone", windlass.Error{Kind: windlass.Gone, Message: "switched off", Provider: &windlass.ProviderDetails{}}, 1, "failure", "Switched off."},
		} {
			t.Run(row.name, func(t *testing.T) {
				w := w.anew(t)
				w.provider.fill(150, 0)
				w.install(configOf(""))
				fails := row.fails
				w.provider.before = func(req connector.ReadRequest) error {
					if req.Cursor == "100" && fails > 0 {
						fails--
						return &row.err
					}
					return nil
				}
				if p := w.finish(); p.Status != row.ends {
					t.Fatalf("%+v", p)
				}
				w.logSays(row.says)
				if row.ends == "success" {
					w.wantAll()
				}
			})
		}
	})
}

func TestFiveFailuresInARowPause(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(10, 0)
		w.install(configOf(""))
		w.succeed()
		w.outbox.clear()
		broken := true
		w.provider.before = func(connector.ReadRequest) error {
			if broken {
				return &windlass.Error{Kind: windlass.Forbidden, Message: "a scope is missing", Provider: &windlass.ProviderDetails{}}
			}
			return nil
		}
		for range 7 { // of which the last two do not begin
			w.clock.pass(10 * time.Minute)
			w.tick()
			w.finish()
		}
		if n := w.count(); n != 6 {
			t.Fatalf("%d operations", n)
		}
		mark, err := w.ReadState(t.Context(), w.installation.ID, "repositories")
		if err != nil || !mark.Paused || !strings.Contains(mark.Reason, "5 reads in a row have failed") {
			t.Fatalf("%+v %v", mark, err)
		}
		schedules, err := w.Schedules(t.Context(), w.installation.ID)
		if err != nil || !schedules[0].Paused {
			t.Fatalf("%+v %v", schedules, err)
		}
		if told := w.outbox.all("notification"); len(told) != 1 || told[0].id != "read.schedule.paused" || !strings.Contains(told[0].body, "scope is missing") {
			t.Fatalf("the product was told %+v", told)
		}
		w.logSays("Reads of repositories are paused")

		broken = false
		w.provider.edit(3, w.clock.now())
		w.must(w.flow.Unpause(t.Context(), "acme", "repos", w.installation.ID, read.PauseRequest{}))
		if p := w.succeed(); p.Since != noon.Add(-5*time.Minute) {
			t.Fatalf("it does not catch up from the mark: %+v", p)
		}
		w.wantSlugs("repo-3")
		schedules, err = w.Schedules(t.Context(), w.installation.ID)
		if err != nil || schedules[0].Paused || !schedules[0].Next.After(w.clock.now()) {
			t.Fatalf("%+v %v", schedules, err)
		}
	})
}

func TestReadsWaitForACustomerToReconnect(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.provider.fill(250, 0)
		w.install(configOf(""))
		bad := true
		w.provider.before = func(req connector.ReadRequest) error {
			if bad && req.Cursor == "100" {
				w.must(w.setStatus(windlass.ConnectionBad))
				return &windlass.Error{Kind: windlass.NeedsReconnect, Message: "the refresh token was refused", Provider: &windlass.ProviderDetails{}}
			}
			return nil
		}
		for range 5 {
			w.clock.pass(w.step())
		}
		w.logSays("The connection's credentials do not work. The read goes on from here when the customer has connected again.")
		if asked := w.provider.asked(); asked != 2 {
			t.Fatalf("%d requests with credentials that do not work", asked)
		}
		w.tick() // no other read begins
		if p := w.last(); w.count() != 1 || p.Status != windlass.OperationRunning || p.Pages != 1 {
			t.Fatalf("%+v", p)
		}

		bad = false
		w.outbox.clearJobs()
		w.must(w.SaveSchedule(ctx, w.schedule(w.installation)))
		w.must(w.setStatus(windlass.ConnectionWorking))
		w.must(w.flow.Connected(ctx, w.connection))
		if jobs := w.outbox.all("job"); len(jobs) != 1 {
			t.Fatalf("%+v", jobs)
		}
		if wait := w.step(); wait != -1 {
			t.Fatalf("it waits %v though it was woken", wait)
		}
		w.wantAll()
		schedules, err := w.Schedules(ctx, w.installation.ID)
		if err != nil || schedules[0].Next.After(w.clock.now()) {
			t.Fatalf("the reads that were left out are not due: %+v %v", schedules, err)
		}
	})
}

func (w *world) setStatus(status windlass.ConnectionStatus) error {
	changed, err := w.SetConnectionStatus(w.Context(), w.connection.ID, status, "", 1)
	if err == nil && !changed {
		return errors.New("the status was not changed")
	}
	return err
}

func (o *outbox) clearJobs() {
	o.t.Helper()
	if _, err := o.store.DB().ExecContext(o.t.Context(), `DELETE FROM test_outbox WHERE kind = 'job'`); err != nil {
		o.t.Fatal(err)
	}
}

// A connection that is said to work, and whose credentials are refused for all
// that, is not asked for ever.
func TestCredentialsThatAreRefusedForGood(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.install(configOf(""))
		w.provider.before = func(connector.ReadRequest) error {
			return &windlass.Error{Kind: windlass.Unauthorized, Message: "must use app JWT", Provider: &windlass.ProviderDetails{}}
		}
		if p := w.finish(); p.Status != windlass.OperationFailure || p.Requests != 6 {
			t.Fatalf("%+v", p)
		}
		w.wantResult("Must use app JWT.")
	})
}

func TestADestinationThatIsGone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.install(configOf(""))
		w.must(w.DeleteDestination(t.Context(), w.project.ID, w.destination.ID))
		if p := w.finish(); p.Status != windlass.OperationFailure || w.provider.asked() != 0 {
			t.Fatalf("%+v", p)
		}
		w.wantResult("destination")
	})
}
