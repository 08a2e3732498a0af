package store_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"windlass"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

// A process whose session has ended is seen to be silent by the others, and shows
// itself again; what it held is free when it is given up.
func TestPresence(t *testing.T) {
	t.Parallel()
	db := storetest.New(t, store.Postgres)
	mine, theirs := db.Open(t, nil), db.Open(t, nil)
	here, there := mine.Presence("here"), theirs.Presence("there")
	show := func(p *store.Presence, want ...string) {
		t.Helper()
		silent, err := p.Show(t.Context())
		must(t, err)
		if !slices.Equal(silent, want) {
			t.Errorf("%v are silent, want %v", silent, want)
		}
	}
	show(here)
	show(there)
	show(here)
	// Its session ends, as when it is killed.
	const end = `SELECT pg_terminate_backend(l.pid, 10000) FROM pg_locks l JOIN processes p ON p.number = l.objid::BIGINT
		WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND p.id = 'there'`
	if _, err := mine.DB().ExecContext(t.Context(), end); err != nil {
		t.Fatal(err)
	}
	show(here, "there")
	if _, err := there.Show(t.Context()); !errors.Is(err, windlass.Unavailable) {
		t.Errorf("a session that has ended is told of as %v", err)
	}
	show(there) // in another one
	show(here)
	must(t, there.Leave(t.Context()))
	show(here)
}

// What a process held that is gone is free at once, and nothing else is.
func TestReleaseLeases(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		ctx, s := t.Context(), open()
		w, now := found(t, s), noon
		first, second, write := w.operation(t), w.operation(t), w.operation(t)
		second.Object, write.Action = "projects", windlass.ActionWrite
		for _, p := range []windlass.Operation{first, second, write} {
			must(t, s.BeginOperation(ctx, p, w.installation.Config.Content))
		}
		for id, owner := range map[string]string{first.ID: "dead/1", second.ID: "deadly/1", write.ID: "dead/2"} {
			if _, won, _, err := s.LeaseOperation(ctx, id, owner, now, now.Add(time.Hour)); !won || err != nil {
				t.Fatal(won, err)
			}
		}
		must(t, s.FreeLeases(ctx, "dead")) // leaves operations to those who know their kinds
		wantSame(t, got(s.ReleaseLeases(ctx, windlass.ActionRead, "dead"))(t), []string{first.ID})
		must(t, s.ExtendLeases(ctx, []string{"dead/1"}, now.Add(2*time.Hour))) // it has none any more
		for id, want := range map[string]bool{first.ID: true, second.ID: false, write.ID: false} {
			if _, won, _, err := s.LeaseOperation(ctx, id, "alive/1", now, now.Add(time.Hour)); won != want || err != nil {
				t.Errorf("%s: %v, %v", id, won, err)
			}
		}
		// A lease is extended only for who has it.
		must(t, s.ExtendLeases(ctx, []string{"none", "alive/1"}, now.Add(2*time.Hour)))
		later := now.Add(90 * time.Minute)
		for id, want := range map[string]bool{first.ID: false, second.ID: true} {
			if _, won, _, err := s.LeaseOperation(ctx, id, "third/1", later, later.Add(time.Hour)); won != want || err != nil {
				t.Errorf("%s: %v, %v", id, won, err)
			}
		}
		if ids := got(s.ReleaseLeases(ctx, windlass.ActionRead, ""))(t); len(ids) != 2 {
			t.Errorf("%v were released, want all reads", ids)
		}
		wantSame(t, got(s.ReleaseLeases(ctx, windlass.ActionWrite, ""))(t), []string{write.ID})
	})
}
