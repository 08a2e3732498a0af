package read_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/read"
)

// inTheMiddle does something once, while the fourth page is asked for; the third
// may be being committed meanwhile.
func (w *world) inTheMiddle(do func()) {
	done := false
	w.provider.before = func(req connector.ReadRequest) error {
		if req.Cursor == "300" && !done {
			done = true
			do()
		}
		return nil
	}
}

func TestPauseInTheMiddle(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.provider.fill(1000, 0)
		w.install(configOf(""))
		w.inTheMiddle(func() {
			w.must(w.flow.Pause(ctx, "acme", "repos", w.installation.ID, read.PauseRequest{Objects: []string{"repositories"}, Note: "too much"}))
		})
		if wait := w.step(); wait < time.Hour {
			t.Fatalf("it waits %v", wait)
		}
		w.logSays("Reads are paused.")
		paused, asked := w.last(), w.provider.asked()
		if paused.Pages < 3 || paused.Pages > 4 || paused.Status != windlass.OperationRunning {
			t.Fatalf("%+v", paused)
		}
		w.clock.pass(time.Hour)
		w.tick()
		if wait := w.step(); wait < time.Hour || w.provider.asked() != asked || w.count() != 1 {
			t.Fatal("it goes on for all that")
		}
		w.must(w.flow.Pause(ctx, "acme", "repos", w.installation.ID, read.PauseRequest{})) // does nothing
		w.outbox.clearJobs()
		w.must(w.flow.Unpause(ctx, "acme", "repos", w.installation.ID, read.PauseRequest{}))
		if jobs := w.outbox.all("job"); len(jobs) != 1 || jobs[0].id != paused.ID {
			t.Fatalf("%+v", jobs)
		}
		if wait := w.step(); wait != -1 {
			t.Fatalf("it waits %v", wait)
		}
		w.wantAll()
		if p := w.last(); p.Requests > 11 {
			t.Fatalf("%d requests", p.Requests)
		}
		w.must(w.flow.Unpause(ctx, "acme", "repos", w.installation.ID, read.PauseRequest{}))
		if n := w.count(); n != 1 {
			t.Fatal("ending a pause that there is not began a read")
		}
		err := w.flow.Pause(ctx, "acme", "repos", w.installation.ID, read.PauseRequest{Objects: []string{"webhooks", "issues"}})
		if !errors.Is(err, windlass.Invalid) || !strings.Contains(err.Error(), "objects[1]") {
			t.Fatal(err)
		}
	})
}

// racing ends a pause just when the read has seen it and is about to sleep.
type racing struct {
	read.Store

	unpause func()
}

func (r *racing) In(ctx context.Context, do func(ctx context.Context) error) error {
	if unpause := r.unpause; unpause != nil {
		r.unpause = nil
		unpause()
	}
	return r.Store.In(ctx, do)
}

func TestAPauseThatEndsAsTheReadFallsAsleep(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.provider.fill(10, 0)
		w.install(configOf(""))
		w.must(w.flow.Pause(ctx, "acme", "repos", w.installation.ID, read.PauseRequest{}))
		racer := w.process(func(c *read.Config) {
			c.Store = &racing{c.Store, func() {
				w.must(w.flow.Unpause(ctx, "acme", "repos", w.installation.ID, read.PauseRequest{}))
			}}
		})
		if wait := w.stepBy(racer); wait != 0 {
			t.Fatalf("it sleeps for %v though the pause is over", wait)
		}
		w.succeed()
		w.wantAll()
	})
}

func TestUninstallInTheMiddle(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(1000, 0)
		w.install(configOf(""))
		id := w.last().ID
		w.inTheMiddle(func() { w.must(w.DeleteInstallation(t.Context(), w.project.ID, w.installation.ID)) })
		if wait := w.step(); wait != -1 {
			t.Fatalf("it waits %v", wait)
		}
		p, err := w.flow.Operation(t.Context(), "acme", id)
		if err != nil || p.Status != windlass.OperationFailure || !strings.Contains(p.Result, "The installation was removed while it was read.") {
			t.Fatalf("%+v %v", p, err)
		}
		if n := len(w.outbox.slugs()); int64(n) != p.Records || n < 200 || n > 300 {
			t.Fatalf("%d records are delivered, %d counted", n, p.Records)
		}
		w.tick() // of a schedule that is gone with it
		w.clock.pass(time.Hour)
		if n, err := w.flow.Resume(t.Context()); err != nil || n != 0 {
			t.Fatalf("%d %v", n, err)
		}
	})
}

func TestDisableInTheMiddle(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(1000, 0)
		w.install(configOf(""))
		w.inTheMiddle(func() { w.reconfigure(configOf(`"disabled":true`)) })
		if wait := w.step(); wait != -1 {
			t.Fatalf("it waits %v", wait)
		}
		w.wantResult("repositories is not read any more: it was disabled.")
		if mark, err := w.ReadState(t.Context(), w.installation.ID, "repositories"); err == nil && mark.Failures > 0 {
			t.Fatal("it counts as a failure")
		}
		w.tick()
		if n := w.count(); n != 1 {
			t.Fatal("a read of a disabled object began")
		}
		// Enabled again, it is read from the beginning: no read was complete.
		w.outbox.clear()
		w.reconfigure(configOf(""))
		w.must(w.In(t.Context(), w.startedAgain))
		w.succeed()
		w.wantAll()
	})
}

func TestAConfigThatChangesInTheMiddle(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(500, 0)
		w.install(configOf(""))
		w.inTheMiddle(func() {
			w.reconfigure(json.RawMessage(strings.Replace(string(configOf("")), `"name":"full_name"`, `"title":"full_name"`, 1)))
		})
		w.succeed()
		w.wantAll()
		titled := func() (n int) {
			for _, d := range w.outbox.messages() {
				for _, r := range d.Result {
					if len(r.MappedFields["title"]) > 0 {
						n++
					}
				}
			}
			return n
		}
		if titled() > 0 {
			t.Fatal("a read did not finish with the config that it began with")
		}
		w.provider.edit(7, w.clock.now())
		w.nextTick()
		if titled() != 1 {
			t.Fatal("the next read does not have the new config")
		}
	})
}

func TestAnObjectThatWasReadBeforeCatchesUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(10, 0)
		w.install(configOf(""))
		w.succeed()
		w.reconfigure(configOf(`"disabled":true`))
		w.clock.pass(24 * time.Hour)
		w.provider.edit(4, w.clock.now().Add(-12*time.Hour))
		w.outbox.clear()
		w.reconfigure(configOf(""))
		w.must(w.In(t.Context(), w.startedAgain))
		w.succeed()
		w.wantSlugs("repo-4")
	})
}

func TestWhatAPersonLooksAt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.install(configOf(""))
		w.succeed()
		for range 4 {
			w.nextTick()
		}
		var ids []string
		q := read.OperationQuery{PageSize: 2}
		for {
			page, err := w.flow.Operations(ctx, "acme", "repos", w.installation.ID, q)
			w.must(err)
			for _, p := range page.Results {
				ids = append(ids, p.ID)
			}
			if q.PageToken = page.Next; q.PageToken == "" {
				break
			}
		}
		if len(ids) != 5 || ids[0] != w.last().ID {
			t.Fatalf("%v", ids)
		}
		first, err := w.flow.Logs(ctx, "acme", ids[0], "", 1)
		w.must(err)
		rest, err := w.flow.Logs(ctx, "acme", ids[0], first[0].ID, 0)
		w.must(err)
		if len(first) != 1 || len(rest) != 1 || rest[0].Message != "There was nothing to read of repositories." || rest[0].Details["requests"] != "1" {
			t.Fatalf("%+v\n%+v", first, rest)
		}
		if _, err := w.flow.Operations(ctx, "acme", "repos", w.installation.ID, read.OperationQuery{PageToken: "x"}); !errors.Is(err, windlass.Invalid) {
			t.Fatal(err)
		}
		if _, err := w.flow.Operations(ctx, "acme", "repos", "none", q); !errors.Is(err, windlass.NotFound) {
			t.Fatal(err)
		}
		if _, err := w.flow.BackfillProgress(ctx, "acme", "repos", w.installation.ID, "hooks"); !errors.Is(err, windlass.NotFound) {
			t.Fatal(err)
		}
	})
}

// startedAgain is what package install does when an object is enabled again.
func (w *world) startedAgain(ctx context.Context) error {
	return w.flow.Started(ctx, w.installation, []string{"repositories"})
}
