package store_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"windlass"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

// reads is a store with so many schedules of reads that are due, each with a mark.
func reads(t *testing.T, s *store.Store, n int) windlass.Installation {
	t.Helper()
	w := found(t, s)
	in := w.installation
	for i := range n {
		object := fmt.Sprint("object ", i)
		must(t, s.SaveSchedule(t.Context(), windlass.Schedule{
			ID: object, Kind: windlass.ScheduleRead, ProjectID: w.project.ID, InstallationID: in.ID, Object: object, Next: noon,
		}))
		must(t, s.MoveMark(t.Context(), in.ID, object, "acme", noon.Add(-time.Hour), noon))
	}
	return in
}

// However many claim at once, each read is claimed once, and ended by whom has it.
func TestReadsAreClaimedByOne(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		stores := []*store.Store{open()}
		if stores[0].Driver() == store.Postgres {
			stores = append(stores, open(), open())
		}
		const schedules = 60
		in := reads(t, stores[0], schedules)
		until, next := noon.Add(time.Minute), noon.Add(time.Hour)
		var group sync.WaitGroup
		var mu sync.Mutex
		var claimed []windlass.Check
		for i := range 9 {
			group.Go(func() {
				s := stores[i%len(stores)]
				for {
					due, err := s.ClaimReads(t.Context(), noon, until, 7)
					if err != nil {
						t.Error(err)
					}
					if len(due) == 0 {
						return
					}
					var checks []windlass.Check
					for _, d := range due {
						if !d.Next.Equal(noon) {
							t.Errorf("it was due at %s", d.Next)
						}
						checks = append(checks, windlass.Check{
							Schedule: d, Claim: until, Next: next, Workspace: "acme", Mark: noon.Add(-time.Hour), Began: noon, Ended: noon.Add(time.Second),
						})
					}
					if err := s.EndChecks(t.Context(), checks); err != nil {
						t.Error(err)
					}
					mu.Lock()
					claimed = append(claimed, checks...)
					mu.Unlock()
				}
			})
		}
		group.Wait()
		if len(claimed) != schedules {
			t.Errorf("%d schedules were claimed, want %d", len(claimed), schedules)
		}
		// A row that another claim had in hand was left out; what has ended stays.
		must(t, stores[0].EndChecks(t.Context(), claimed))
		for _, m := range got(stores[0].ReadStates(t.Context(), in.ID))(t) {
			if m.Checks != 1 || !m.Mark.Equal(noon) || !m.LastCheck.Equal(noon.Add(time.Second)) {
				t.Errorf("%+v", m)
			}
		}
		for _, d := range got(stores[0].Schedules(t.Context(), in.ID))(t) {
			if strings.HasPrefix(d.Object, "object") && !d.Next.Equal(next) {
				t.Errorf("%+v", d)
			}
		}
	})
}

func TestEndChecksLeavesWhatHasChanged(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx := open(), t.Context()
		in := reads(t, s, 5)
		until := noon.Add(time.Minute)
		wantSame(t, len(got(s.ClaimReads(ctx, noon.Add(-time.Second), until, 10))(t)), 0)
		due := got(s.ClaimReads(ctx, noon, until, 10))(t)
		wantSame(t, len(due), 5)
		wantSame(t, len(got(s.ClaimReads(ctx, noon, until, 10))(t)), 0)
		var checks []windlass.Check
		for i, d := range due {
			checks = append(checks, windlass.Check{
				Schedule: d, Claim: until, Next: noon.Add(time.Hour), Workspace: "acme", Mark: noon.Add(-time.Hour), Began: noon, Ended: noon,
			})
			switch d.Object {
			case "object 0": // it is due at another time now
				d.Next = noon.Add(2 * time.Hour)
				must(t, s.SaveSchedule(ctx, d))
			case "object 1":
				must(t, s.PauseReads(ctx, in.ID, d.Object, true, "enough", noon))
			case "object 2":
				must(t, s.MoveMark(ctx, in.ID, d.Object, "elsewhere", noon.Add(-time.Hour), noon))
			case "object 3":
				must(t, s.MoveMark(ctx, in.ID, d.Object, "acme", noon.Add(time.Second), noon))
			case "object 4": // it did not find nothing
				checks[i].Began, checks[i].Next = time.Time{}, time.Time{}
			}
		}
		must(t, s.EndChecks(ctx, nil))
		must(t, s.EndChecks(ctx, checks))
		want := map[string]struct {
			next  time.Time
			mark  time.Time
			count int64
		}{
			"object 0": {noon.Add(2 * time.Hour), noon, 1},
			"object 1": {noon.Add(time.Hour), noon.Add(-time.Hour), 0},
			"object 2": {noon.Add(time.Hour), noon.Add(-time.Hour), 0},
			"object 3": {noon.Add(time.Hour), noon.Add(time.Second), 0},
			"object 4": {time.Time{}, noon.Add(-time.Hour), 0},
		}
		for _, d := range got(s.Schedules(ctx, in.ID))(t) {
			if w, ours := want[d.Object]; ours && (!d.Next.Equal(w.next) || d.Paused != w.next.IsZero()) {
				t.Errorf("%+v, want %s", d, w.next)
			}
		}
		for object, w := range want {
			if m := got(s.ReadState(ctx, in.ID, object))(t); !m.Mark.Equal(w.mark) || m.Checks != w.count {
				t.Errorf("%+v, want %+v", m, w)
			}
		}
	})
}

// What another process is about to change is not waited for.
func TestEndChecksWaitsForNobody(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		if s.Driver() != store.Postgres {
			return // there is one that writes, and all others wait for it
		}
		ctx := t.Context()
		in := reads(t, s, 2)
		until := noon.Add(time.Minute)
		var checks []windlass.Check
		for _, d := range got(s.ClaimReads(ctx, noon, until, 10))(t) {
			checks = append(checks, windlass.Check{
				Schedule: d, Claim: until, Next: noon.Add(time.Hour), Workspace: "acme", Mark: noon.Add(-time.Hour), Began: noon, Ended: noon,
			})
		}
		other := open()
		must(t, other.In(ctx, func(within context.Context) error {
			if _, err := other.ReadState(within, in.ID, "object 0"); err != nil {
				return err
			}
			return s.EndChecks(ctx, checks)
		}))
		wantSame(t, got(s.ReadState(ctx, in.ID, "object 0"))(t).Checks, int64(0))
		wantSame(t, got(s.ReadState(ctx, in.ID, "object 1"))(t).Checks, int64(1))
	})
}

// What checks begin with is that of their own object and installation, however many
// are asked for.
func TestCheckStarts(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		const schedules = 250 // more than one query takes
		in := reads(t, s, schedules)
		var all []windlass.Schedule
		for i := range schedules {
			object := fmt.Sprint("object ", i)
			all = append(all, windlass.Schedule{ID: object, ProjectID: in.ProjectID, InstallationID: in.ID, Object: object})
		}
		must(t, s.MoveMark(t.Context(), in.ID, "object 7", "elsewhere", noon, noon))
		must(t, s.BeginOperation(t.Context(), windlass.Operation{
			ID: newID(t), ProjectID: in.ProjectID, IntegrationID: in.IntegrationID, InstallationID: in.ID, ConfigID: in.Config.ID, RevisionID: in.Config.RevisionID,
			Action: windlass.ActionRead, Object: "object 9", Trigger: windlass.TriggerAsked, Status: windlass.OperationRunning, Created: noon, Updated: noon,
		}, in.Config.Content))
		all = append(all,
			windlass.Schedule{ID: "unread", ProjectID: in.ProjectID, InstallationID: in.ID, Object: "unread"},
			windlass.Schedule{ID: "gone", ProjectID: in.ProjectID, InstallationID: newID(t), Object: "object 1"},
			windlass.Schedule{ID: "of another project", ProjectID: newID(t), InstallationID: in.ID, Object: "object 1"},
		)
		starts := got(s.CheckStarts(t.Context(), all))(t)
		if len(starts) != schedules+1 {
			t.Errorf("%d starts, want %d", len(starts), schedules+1)
		}
		for _, d := range all[:schedules] {
			start, want := starts[d.ID], "acme"
			if d.ID == "object 7" {
				want = "elsewhere"
			}
			if start.Installation.ID != in.ID || start.Installation.Connection.ID != in.Connection.ID || start.Mark.Object != d.Object ||
				start.Mark.Workspace != want || start.Reading != (d.ID == "object 9") {
				t.Errorf("%s: %+v", d.ID, start)
			}
		}
		if start := starts["unread"]; start.Installation.ID != in.ID || !start.Mark.Mark.IsZero() || start.Reading {
			t.Errorf("%+v", start)
		}
	})
}
