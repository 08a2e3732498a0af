package read_test

import (
	"fmt"
	"testing"
	"time"

	"windlass"
	"windlass/connector"
)

// after lets time pass and then comes the next tick, whose read succeeds.
func (w *world) nextTick() windlass.Operation {
	w.Helper()
	w.outbox.clear()
	w.clock.pass(10 * time.Minute)
	w.tick()
	return w.succeed()
}

func TestIncrementalBringsJustTheChange(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(1000, 0)
		w.install(configOf(""))
		w.succeed()
		asked := w.provider.asked()

		p := w.nextTick()
		w.wantSlugs()
		w.wantResult("There was nothing to read of repositories.")
		if p.Since != noon.Add(-5*time.Minute) || p.Full || p.Trigger != windlass.TriggerSchedule || w.provider.asked() != asked+1 {
			t.Fatalf("%+v", p)
		}

		w.provider.edit(7, w.clock.now().Add(time.Minute))
		w.provider.edit(1000, w.clock.now().Add(time.Minute)) // a new one
		w.nextTick()
		w.wantSlugs("repo-7", "repo-1000")
		for _, d := range w.outbox.messages() {
			if d.ReadType != "scheduled" || d.OperationID != w.last().ID {
				t.Fatalf("%+v", d)
			}
		}
	})
}

func TestTheOverlapIsNotDeliveredTwice(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(10, 0)
		// Changed within the overlap before the backfill starts, and while it goes on.
		w.provider.edit(3, noon.Add(-2*time.Minute))
		w.provider.edit(4, noon.Add(time.Second))
		w.install(configOf(""))
		w.succeed()
		w.nextTick()
		w.wantSlugs()
		w.wantResult("There was nothing new of repositories.")

		// The same within two incremental reads: once each time that it changes.
		changed := w.clock.now().Add(9 * time.Minute)
		w.provider.edit(5, changed)
		w.nextTick()
		w.wantSlugs("repo-5")
		w.nextTick()
		w.wantSlugs()
		w.provider.edit(5, changed.Add(30*time.Second)) // by a clock that is behind ours
		w.nextTick()
		if seen, err := w.Seen(t.Context(), w.installation.ID, "repositories", []string{"{000003}", "{000004}", "{000005}"}); err != nil || len(seen) != 0 {
			t.Fatalf("what is behind the overlap is still remembered: %v %v", seen, err)
		}
	})
}

func TestAnEditWhileAPageIsRead(t *testing.T) {
	each(t, func(_ *testing.T, w *world) {
		w.provider.fill(300, 0)
		edited := false
		w.provider.after = func(connector.ReadRequest, *connector.Page) {
			if !edited { // the first page has come and holds it as it was
				edited = true
				w.clock.pass(time.Second)
				w.provider.edit(50, w.clock.now())
				w.clock.pass(time.Hour) // the read takes so long that no overlap hides a wrong mark
			}
		}
		w.install(configOf(""))
		w.succeed()
		w.nextTick()
		w.wantSlugs("repo-50")
	})
}

// The mark moves only when a read is complete: what an incomplete one brought is
// not sent again, and what it did not bring is.
func TestTheMarkMovesAtTheEnd(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(10, 0)
		w.install(configOf(""))
		w.succeed()
		for i := 10; i < 250; i++ {
			w.provider.edit(i, noon.Add(time.Minute).Add(time.Duration(i)*time.Second))
		}
		w.provider.before = func(req connector.ReadRequest) error {
			if req.Cursor != "" {
				return &windlass.Error{Kind: windlass.Gone, Message: "switched off", Provider: &windlass.ProviderDetails{}}
			}
			return nil
		}
		w.outbox.clear()
		w.clock.pass(10 * time.Minute)
		w.tick()
		if p := w.finish(); p.Status != windlass.OperationFailure || p.Records != 100 {
			t.Fatalf("%+v", p)
		}
		w.provider.before = nil
		w.clock.pass(10 * time.Minute)
		w.tick()
		if p := w.succeed(); p.Since != noon.Add(-5*time.Minute) || p.Records != 140 || p.Walked != 240 {
			t.Fatalf("%+v", p)
		}
		var want []string
		for i := 10; i < 250; i++ {
			want = append(want, fmt.Sprintf("repo-%d", i))
		}
		w.wantSlugs(want...)
	})
}

func TestWhatCannotBeReadByTimeIsReadInFull(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(120, 0)
		w.provider.edit(5, noon) // delivered a moment ago, and delivered again: it is all there is
		w.provider.unfiltered = true
		w.install(configOf(""))
		w.succeed()
		p := w.nextTick()
		w.wantAll()
		if !p.Full {
			t.Fatalf("%+v", p)
		}
		w.logSays("The provider cannot tell what has changed of repositories: everything is read.")
	})
}

func TestATickWhileAReadIsUnderWay(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(10, 0)
		w.install(configOf(""))
		w.tick()
		w.tick()
		if n := w.count(); n != 1 {
			t.Fatalf("%d operations", n)
		}
		w.logSays("Another read was due and is left out, since this one is still under way.")
		w.succeed()
		w.wantAll()
	})
}

func TestACursorThatExpiredStartsOverOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(250, 0)
		expired := 1
		w.provider.before = func(req connector.ReadRequest) error {
			if req.Cursor == "200" && expired > 0 {
				expired--
				return &windlass.Error{Kind: windlass.CursorExpired, Message: "too much has changed", Provider: &windlass.ProviderDetails{}}
			}
			return nil
		}
		w.install(configOf(""))
		if p := w.succeed(); p.Restarts != 1 || p.Walked != 250 || p.Records != 250 {
			t.Fatalf("%+v", p)
		}
		w.wantAll()
		w.logSays("The read starts over, once: too much has changed.")
		expired = 2
		w.outbox.clear()
		w.reconfigure(configOf(""))
		_, err := w.flow.Trigger(t.Context(), "acme", "repos", "repositories", trigger(w, "", ""))
		w.must(err)
		if p := w.finish(); p.Status != windlass.OperationFailure {
			t.Fatalf("%+v", p)
		}
	})
}

func TestAnotherWorkspaceIsReadFromTheBeginning(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(250, 0)
		w.config.SliceSteps = 1
		w.flow = w.process(nil)
		w.install(configOf(""))
		w.step()
		other := w.connection
		other.ID, other.Workspace = newID(), "other"
		w.must(w.CreateConnection(t.Context(), other, windlass.Credentials{}))
		w.installation.Connection = other
		w.reconfigure(configOf(""))
		if wait := w.stepOldest(); wait != -1 {
			t.Fatalf("the old read goes on: %v", wait)
		}
		w.outbox.clear()
		if p := w.succeed(); p.Workspace != "other" || p.Trigger != windlass.TriggerBackfill || w.count() != 2 {
			t.Fatalf("%+v", p)
		}
		w.wantAll()
	})
}

// stepOldest steps the oldest operation.
func (w *world) stepOldest() time.Duration {
	w.Helper()
	all, err := w.Operations(w.Context(), windlass.OperationFilter{InstallationID: w.installation.ID})
	w.must(err)
	if err := w.flow.Step(w.Context(), all[len(all)-1].ID); err != nil {
		return 0
	}
	return -1
}
