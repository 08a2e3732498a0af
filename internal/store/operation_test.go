package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"windlass"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

func (w world) operation(tb testing.TB) windlass.Operation {
	tb.Helper()
	return windlass.Operation{
		ID: newID(tb), ProjectID: w.project.ID, IntegrationID: w.integration.ID, InstallationID: w.installation.ID,
		ConfigID: w.installation.Config.ID, RevisionID: w.integration.Latest.ID, Workspace: "acme", Object: "repositories",
		Action: windlass.ActionRead, Trigger: windlass.TriggerBackfill, Status: windlass.OperationRunning,
		Since: noon.Add(-time.Hour), Estimate: -1, Created: noon, Updated: noon,
	}
}

func TestOneReadOfAnObjectAtATime(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx := open(), t.Context()
		w := found(t, s)
		first, second := w.operation(t), w.operation(t)
		must(t, s.BeginOperation(ctx, first, w.installation.Config.Content))
		wantSame(t, got(s.Operation(ctx, w.project.ID, first.ID))(t), first)
		wantSame(t, got(s.OperationConfig(ctx, first.ConfigID))(t), w.installation.Config.Content)

		// The conflict leaves the transaction whole, so that it can be logged.
		must(t, inside(t, s, func(ctx context.Context) error {
			wantKind(t, s.BeginOperation(ctx, second, w.installation.Config.Content), windlass.Conflict)
			return s.AppendLogs(ctx, []windlass.OperationLog{{
				ID: newID(t), OperationID: first.ID, Time: noon, Severity: "info", Message: "skipped", Details: map[string]string{"a": "b"},
			}})
		}))
		logs := got(s.OperationLogs(ctx, first.ID, "", 0))(t)
		if len(logs) != 1 || logs[0].Message != "skipped" || logs[0].Details["a"] != "b" || !logs[0].Time.Equal(noon) {
			t.Fatalf("got %+v", logs)
		}
		other := w.operation(t)
		other.Object = "projects"
		must(t, s.BeginOperation(ctx, other, w.installation.Config.Content))
		all := got(s.Operations(ctx, windlass.OperationFilter{InstallationID: w.installation.ID, Limit: 1}))(t)
		wantSame(t, all, []windlass.Operation{other})
		all = got(s.Operations(ctx, windlass.OperationFilter{ProjectID: w.project.ID, Before: other.ID, Status: windlass.OperationRunning}))(t)
		wantSame(t, all, []windlass.Operation{first})
		_, err := s.Operation(ctx, "another project", first.ID)
		wantKind(t, err, windlass.NotFound)
	})
}

func TestOnlyTheOwnerMovesAnOperation(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx := open(), t.Context()
		w := found(t, s)
		p := w.operation(t)
		must(t, s.BeginOperation(ctx, p, w.installation.Config.Content))
		until := noon.Add(time.Minute)
		lease := func(owner string, now time.Time) bool {
			t.Helper()
			_, won, _, err := s.LeaseOperation(ctx, p.ID, owner, now, now.Add(time.Minute))
			must(t, err)
			return won
		}
		held, won, _, err := s.LeaseOperation(ctx, p.ID, "a", noon, until)
		must(t, err)
		if !won || !held.Started.Equal(noon) {
			t.Fatalf("won %v, %+v", won, held)
		}
		if _, won, til, err := s.LeaseOperation(ctx, p.ID, "b", noon.Add(time.Second), until); err != nil || won || !til.Equal(until) {
			t.Fatalf("won %v until %v, %v", won, til, err)
		}
		move := windlass.Progress{
			OperationID: p.ID, Owner: "a", From: "", To: "c1", Walked: 100, Records: 90, Batches: 2, Requests: 1, Estimate: 200,
			Full: true, Now: noon, LeaseUntil: until,
		}
		must(t, s.MoveCursor(ctx, move))
		wantKind(t, s.MoveCursor(ctx, move), windlass.Conflict) // the page has counted already
		move.From, move.To, move.Owner = "c1", "c2", "b"
		wantKind(t, s.MoveCursor(ctx, move), windlass.Conflict) // not b's
		moved := got(s.Operation(ctx, w.project.ID, p.ID))(t)
		if moved.Cursor != "c1" || moved.Pages != 1 || moved.Walked != 100 || moved.Records != 90 || moved.Batches != 2 || moved.Requests != 1 || moved.Estimate != 200 || !moved.Full {
			t.Fatalf("got %+v", moved)
		}
		if !lease("b", until) {
			t.Fatal("a lease that has run out is not to be had")
		}
		wantKind(t, s.SuspendOperation(ctx, p.ID, "a", until, 1, 1, noon), windlass.Conflict)
		must(t, s.SuspendOperation(ctx, p.ID, "b", until.Add(time.Hour), 1, 1, noon))
		if lease("c", until) {
			t.Fatal("it sleeps, and is taken")
		}
		must(t, s.WakeOperation(ctx, p.ID, noon))
		if !lease("c", until) {
			t.Fatal("it was woken, and is not to be had")
		}
		must(t, s.RestartOperation(ctx, p.ID, "c", 1, noon))
		if again := got(s.Operation(ctx, w.project.ID, p.ID))(t); again.Cursor != "" || again.Walked != 0 || again.Restarts != 1 || again.Records != 90 {
			t.Fatalf("got %+v", again)
		}
		if ids := got(s.ReleaseLeases(ctx, windlass.ActionRead, ""))(t); !slices.Equal(ids, []string{p.ID}) {
			t.Fatalf("released %v", ids)
		}
		wantKind(t, s.EndOperation(ctx, p.ID, "c", windlass.OperationSuccess, "Done.", 0, noon), windlass.Conflict)
		if !lease("d", until) {
			t.Fatal("it has no owner")
		}
		must(t, s.EndOperation(ctx, p.ID, "d", windlass.OperationFailure, "Failed.", 0, noon))
		ended := got(s.Operation(ctx, w.project.ID, p.ID))(t)
		if ended.Status != windlass.OperationFailure || ended.Result != "Failed." || !ended.Ended.Equal(noon) {
			t.Fatalf("got %+v", ended)
		}
		must(t, s.NoteStatus(ctx, w.installation.ID, windlass.OperationFailure, false))
		if in := got(s.Installation(ctx, w.project.ID, w.installation.ID))(t); in.LastStatus != windlass.OperationFailure || in.Healthy {
			t.Fatalf("got %+v", in)
		}
		if lease("e", until.Add(time.Hour)) {
			t.Fatal("what has ended was taken")
		}
		_, _, _, err = s.LeaseOperation(ctx, "none", "a", noon, until)
		wantKind(t, err, windlass.NotFound)
		if n := got(s.Prune(ctx, windlass.Cutoffs{Operations: noon.Add(time.Second)}, 10))(t); n != 2 {
			t.Fatalf("%d rows were cleared away, want the operation and its config", n)
		}
	})
}

func TestStalledOperations(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx := open(), t.Context()
		w := found(t, s)
		p := w.operation(t)
		must(t, s.BeginOperation(ctx, p, w.installation.Config.Content))
		stalled := func(kind string, before time.Time) []windlass.Operation {
			return got(s.StalledOperations(ctx, kind, before, 10))(t)
		}
		if all := stalled(windlass.ActionRead, noon); len(all) != 0 {
			t.Fatalf("got %+v", all)
		}
		if all := stalled(windlass.ActionRead, noon.Add(time.Minute)); len(all) != 1 {
			t.Fatalf("got %+v", all)
		}
		if all := stalled(windlass.ActionWrite, noon.Add(time.Minute)); len(all) != 0 {
			t.Fatalf("a read is among the writes: %+v", all)
		}
		_, _, _, err := s.LeaseOperation(ctx, p.ID, "a", noon, noon.Add(time.Hour))
		must(t, err)
		if all := stalled(windlass.ActionRead, noon.Add(time.Minute)); len(all) != 0 {
			t.Fatalf("it is leased: %+v", all)
		}
	})
}

func TestReadUnits(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx := open(), t.Context()
		w := found(t, s)
		p := w.operation(t)
		must(t, s.BeginOperation(ctx, p, w.installation.Config.Content))
		unit := func(parent string, position int64) windlass.ReadUnit {
			return windlass.ReadUnit{OperationID: p.ID, Object: "branches", ParentID: parent, Position: position, Status: windlass.UnitOpen}
		}
		_, err := s.NextReadUnit(ctx, p.ID)
		wantKind(t, err, windlass.NotFound)
		late, early := unit("late", 2), unit("early", 1)
		early.ParentKeys = map[string]json.RawMessage{"slug": json.RawMessage(`"e"`)}
		must(t, s.AddReadUnits(ctx, []windlass.ReadUnit{late, early}))
		must(t, s.AddReadUnits(ctx, []windlass.ReadUnit{unit("early", 0)})) // it is known already
		wantSame(t, got(s.NextReadUnit(ctx, p.ID))(t), early)
		early.Since, early.Cursor, early.Pass = noon, "c", 1
		must(t, s.SaveReadUnit(ctx, early))
		wantSame(t, got(s.NextReadUnit(ctx, p.ID))(t), early)
		early.Status = windlass.UnitRefused
		must(t, s.SaveReadUnit(ctx, early))
		wantSame(t, got(s.NextReadUnit(ctx, p.ID))(t), late)
		wantSame(t, got(s.CountReadUnits(ctx, p.ID))(t), map[string]int64{windlass.UnitOpen: 1, windlass.UnitRefused: 1})
		must(t, s.DropReadUnits(ctx, p.ID))
		wantKind(t, s.SaveReadUnit(ctx, late), windlass.NotFound)
		wantKind(t, s.AddReadUnits(ctx, []windlass.ReadUnit{{OperationID: "none"}}), windlass.NotFound)

		mark := func() time.Time { return got(s.ParentMark(ctx, w.installation.ID, "branches", "early"))(t) }
		if at := mark(); !at.IsZero() {
			t.Fatalf("a mark of %v", at)
		}
		must(t, s.NoteParent(ctx, w.installation.ID, "branches", "early", windlass.UnitRefused, time.Time{}, noon))
		must(t, s.NoteParent(ctx, w.installation.ID, "branches", "early", windlass.UnitDone, noon, noon))
		must(t, s.NoteParent(ctx, w.installation.ID, "branches", "early", windlass.UnitRefused, time.Time{}, noon)) // leaves the mark
		if at := mark(); !at.Equal(noon) {
			t.Fatalf("the mark is %v", at)
		}
		wantKind(t, s.NoteParent(ctx, "none", "branches", "early", windlass.UnitDone, noon, noon), windlass.NotFound)
	})
}

func TestReadMarks(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx := open(), t.Context()
		w := found(t, s)
		id, object := w.installation.ID, "repositories"
		_, err := s.ReadState(ctx, id, object)
		wantKind(t, err, windlass.NotFound)
		for want := 1; want <= 2; want++ {
			if n := got(s.CountFailure(ctx, id, object, noon))(t); n != want {
				t.Fatalf("%d failures, want %d", n, want)
			}
		}
		must(t, s.PauseReads(ctx, id, object, true, "a person did", noon))
		standing := got(s.Standing(ctx, id, object))(t)
		wantSame(t, standing, windlass.Standing{ConfigID: w.installation.Config.ID, ConnectionID: w.connection.ID, Status: windlass.ConnectionCreated, Paused: true})
		if other := got(s.Standing(ctx, id, "projects"))(t); other.Paused {
			t.Fatal("another object is paused, too")
		}
		must(t, s.MoveMark(ctx, id, object, "acme", noon, noon)) // which does not end the pause
		want := windlass.ReadState{InstallationID: id, Object: object, Workspace: "acme", Mark: noon, Paused: true, Reason: "a person did", Updated: noon}
		wantSame(t, got(s.ReadState(ctx, id, object))(t), want)
		must(t, s.PauseReads(ctx, id, object, false, "", noon))
		want.Paused, want.Reason = false, ""
		wantSame(t, got(s.ReadStates(ctx, id))(t), []windlass.ReadState{want})
		wantKind(t, s.PauseReads(ctx, "none", object, true, "", noon), windlass.NotFound)

		var many []windlass.SeenRecord
		var ids []string
		for i := range 450 {
			ids = append(ids, strconv.Itoa(i))
			many = append(many, windlass.SeenRecord{ID: ids[i], Updated: noon.Add(time.Duration(i) * time.Second)})
		}
		must(t, s.Remember(ctx, id, object, many))
		must(t, s.Remember(ctx, id, object, many[:1]))
		if seen := got(s.Seen(ctx, id, object, ids))(t); len(seen) != 450 || !seen["449"].Equal(many[449].Updated) {
			t.Fatalf("%d are remembered", len(seen))
		}
		must(t, s.Forget(ctx, id, object, many[440].Updated))
		if seen := got(s.Seen(ctx, id, object, ids))(t); len(seen) != 10 {
			t.Fatalf("%d are remembered, want the last 10", len(seen))
		}
		must(t, s.DeleteInstallation(ctx, w.project.ID, id)) // takes all of it along
		_, err = s.Standing(ctx, id, object)
		wantKind(t, err, windlass.NotFound)
	})
}

func TestLargeRecords(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx := open(), t.Context()
		l := windlass.LargeRecord{ID: newID(t), ProjectID: "p", BatchID: newID(t), TokenHash: "h", Body: json.RawMessage(`[{"a":1}]`), Created: noon}
		must(t, s.KeepLargeRecord(ctx, l))
		wantSame(t, got(s.LargeRecord(ctx, l.ID))(t), l)
		wantKind(t, s.KeepLargeRecord(ctx, l), windlass.Conflict)
		if n := got(s.Prune(ctx, windlass.Cutoffs{LargeRecords: noon.Add(time.Second)}, 10))(t); n != 1 {
			t.Fatalf("%d rows were cleared away", n)
		}
		_, err := s.LargeRecord(ctx, l.ID)
		if !errors.Is(err, windlass.NotFound) {
			t.Fatal(err)
		}
	})
}
