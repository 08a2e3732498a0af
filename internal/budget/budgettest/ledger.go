// Package budgettest says what every ledger of package budget must do, as tests
// that its implementations run.
package budgettest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"windlass/internal/budget"
)

// Ledger runs the suite. open returns an empty ledger, or one that holds nothing
// of the keys that begin with the test's name; it may be called from many tests at
// a time.
func Ledger(t *testing.T, open func(t *testing.T) budget.Ledger) { //nolint:gocognit,funlen // a list of tests, each of which reads by itself
	t.Helper()
	t.Run("a key that was never used has an empty book", func(t *testing.T) {
		t.Parallel()
		book := read(t, open(t), t.Name(), 0)
		if book.Limit != 0 || !book.Blocked.IsZero() || len(book.Grants) != 0 {
			t.Errorf("%+v", book)
		}
	})
	t.Run("grants add up by minute, owner and class", func(t *testing.T) {
		t.Parallel()
		l := open(t)
		slot := budget.Slot{Key: t.Name(), Minute: 100, Owner: "a", Class: budget.Interactive, Waiting: [budget.Classes]int{1, 2, 3}}
		grant(t, l, slot, 5)
		grant(t, l, slot, 2)
		slot.Class, slot.Waiting = budget.Backfill, [budget.Classes]int{0, 0, 4}
		grant(t, l, slot, 1)
		slot.Minute, slot.Owner = 101, "b"
		grant(t, l, slot, 0)
		want(t, read(t, l, t.Name(), 100), []budget.Grants{
			{Minute: 100, Owner: "a", Granted: [budget.Classes]int{7, 0, 1}, Waiting: [budget.Classes]int{0, 0, 4}},
			{Minute: 101, Owner: "b", Waiting: [budget.Classes]int{0, 0, 4}},
		})
		want(t, read(t, l, t.Name(), 101), []budget.Grants{{Minute: 101, Owner: "b", Waiting: [budget.Classes]int{0, 0, 4}}})
		want(t, read(t, l, t.Name()+" of another", 0), nil)
	})
	t.Run("Decide sees what others were granted, also for future minutes", func(t *testing.T) {
		t.Parallel()
		l := open(t)
		for _, minute := range []int64{100, 170, 500} {
			grant(t, l, budget.Slot{Key: t.Name(), Minute: minute, Owner: "a"}, 1)
		}
		var seen budget.Book
		err := l.Reserve(t.Context(), one(budget.Slot{Key: t.Name(), Minute: 171, Owner: "b"}, 111, func(book budget.Book) int {
			seen = book
			return 0
		}))
		if err != nil {
			t.Fatal(err)
		}
		want(t, seen, []budget.Grants{{Minute: 170, Owner: "a", Granted: [budget.Classes]int{1}}, {Minute: 500, Owner: "a", Granted: [budget.Classes]int{1}}})
	})
	t.Run("what goes back is taken off, but not below zero", func(t *testing.T) {
		t.Parallel()
		l := open(t)
		slot := budget.Slot{Key: t.Name(), Minute: 100, Owner: "a", Class: budget.Scheduled}
		grant(t, l, slot, 5)
		for _, left := range []int{2, 0} {
			if err := l.Return(t.Context(), slot, 3); err != nil {
				t.Fatal(err)
			}
			want(t, read(t, l, t.Name(), 0), []budget.Grants{{Minute: 100, Owner: "a", Granted: [budget.Classes]int{0, left, 0}}})
		}
		slot.Owner = "unknown"
		if err := l.Return(t.Context(), slot, 3); err != nil {
			t.Errorf("a slot that does not exist: %v", err)
		}
	})
	t.Run("what was seen stays, and a block is only ever moved later", func(t *testing.T) {
		t.Parallel()
		l := open(t)
		at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
		for _, seen := range []budget.Seen{{Limit: 2000}, {Blocked: at}, {Blocked: at.Add(-time.Hour)}, {Limit: 1500, Blocked: at.Add(time.Minute)}, {}} {
			if err := l.Observe(t.Context(), t.Name(), seen); err != nil {
				t.Fatal(err)
			}
		}
		if book := read(t, l, t.Name(), 0); book.Limit != 1500 || !book.Blocked.Equal(at.Add(time.Minute)) {
			t.Errorf("%+v", book)
		}
	})
	t.Run("a block by a clock that was set back replaces the one before", func(t *testing.T) {
		t.Parallel()
		l := open(t)
		at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
		early := at.Add(-3 * time.Hour)
		for _, step := range []struct {
			seen          budget.Seen
			until, seenAt time.Time
		}{
			{budget.Seen{Blocked: at.Add(time.Minute), At: at}, at.Add(time.Minute), at},
			{budget.Seen{Blocked: at.Add(time.Second), At: at.Add(time.Second)}, at.Add(time.Minute), at},
			{budget.Seen{Blocked: early.Add(time.Minute), At: early, Replace: true}, early.Add(time.Minute), early},
		} {
			if err := l.Observe(t.Context(), t.Name(), step.seen); err != nil {
				t.Fatal(err)
			}
			if book := read(t, l, t.Name(), 0); !book.Blocked.Equal(step.until) || !book.BlockedAt.Equal(step.seenAt) {
				t.Errorf("after %+v: %+v", step.seen, book)
			}
		}
	})
	t.Run("the last request is not granted twice", func(t *testing.T) {
		t.Parallel()
		lastRequest(t, open(t))
	})
	t.Run("several keys at once are each granted what is decided of them", func(t *testing.T) {
		t.Parallel()
		severalKeys(t, open(t))
	})
	t.Run("the last request is not granted twice to those who ask for several keys", func(t *testing.T) {
		t.Parallel()
		lastRequests(t, open(t))
	})
	t.Run("a context that is over ends it", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := open(t).Reserve(ctx, one(budget.Slot{Key: t.Name(), Minute: 1, Owner: "a"}, 0, func(budget.Book) int { return 1 }))
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
}

// lastRequest has many owners reserve at once, from a limit that they together
// exceed.
func lastRequest(t *testing.T, l budget.Ledger) {
	t.Helper()
	const limit = 30
	var all sync.WaitGroup
	for _, owner := range []string{"a", "b", "c", "d"} {
		all.Go(func() {
			for minute := range int64(10) {
				err := l.Reserve(t.Context(), one(budget.Slot{Key: t.Name(), Minute: 100 + minute, Owner: owner}, 50, func(book budget.Book) int {
					return min(2, limit-total(book))
				}))
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := total(read(t, l, t.Name(), 0)); n != limit {
		t.Errorf("%d requests were granted of %d", n, limit)
	}
}

// severalKeys reserves of three keys in one call, each with minutes, an owner and a
// class of its own, twice.
func severalKeys(t *testing.T, l budget.Ledger) {
	t.Helper()
	key := func(i int) string { return t.Name() + "cba"[i:i+1] } // in no order
	grant(t, l, budget.Slot{Key: key(1), Minute: 99, Owner: "other"}, 9)
	seen := make([]budget.Book, 3)
	for round := range 2 {
		all := make([]budget.Reservation, 0, len(seen))
		for i := range seen {
			slot := budget.Slot{Key: key(i), Minute: 100 + int64(i), Owner: "a", Class: budget.Class(i), Waiting: [budget.Classes]int{i, round, 3}}
			all = append(all, one(slot, 99+int64(i), func(book budget.Book) int {
				seen[i] = book
				return i + 1
			})...)
		}
		if err := l.Reserve(t.Context(), all); err != nil {
			t.Fatal(err)
		}
	}
	for i := range seen {
		grants := budget.Grants{Minute: 100 + int64(i), Owner: "a", Waiting: [budget.Classes]int{i, 1, 3}}
		grants.Granted[i] = 2 * (i + 1)
		want(t, read(t, l, key(i), 100), []budget.Grants{grants})
		grants.Granted[i], grants.Waiting[1] = i+1, 0
		want(t, seen[i], []budget.Grants{grants}) // key 1 leaves out minute 99
	}
}

// lastRequests is lastRequest for owners who reserve of several keys at once, in
// orders of their own: none may wait for another who waits for it.
func lastRequests(t *testing.T, l budget.Ledger) {
	t.Helper()
	const limit, keys = 30, 5
	key := func(i int) string { return fmt.Sprint(t.Name(), i) }
	var all sync.WaitGroup
	for number, owner := range []string{"a", "b", "c", "d"} {
		all.Go(func() {
			for minute := range int64(10) {
				var several []budget.Reservation
				for i := range keys {
					slot := budget.Slot{Key: key((i*(number+1) + number) % keys), Minute: 100 + minute, Owner: owner}
					several = append(several, one(slot, 50, func(book budget.Book) int { return min(2, limit-total(book)) })...)
				}
				if err := l.Reserve(t.Context(), several); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for i := range keys {
		if n := total(read(t, l, key(i), 0)); n != limit {
			t.Errorf("%d requests were granted of %d of key %d", n, limit, i)
		}
	}
}

func total(book budget.Book) int {
	n := 0
	for _, g := range book.Grants {
		n += g.Granted[budget.Interactive]
	}
	return n
}

// one is a reservation of one key.
func one(slot budget.Slot, since int64, decide func(budget.Book) int) []budget.Reservation {
	return []budget.Reservation{{Slot: slot, Since: since, Decide: decide}}
}

func grant(t *testing.T, l budget.Ledger, slot budget.Slot, n int) {
	t.Helper()
	if err := l.Reserve(t.Context(), one(slot, slot.Minute-60, func(budget.Book) int { return n })); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, l budget.Ledger, key string, since int64) budget.Book {
	t.Helper()
	books, err := l.Read(t.Context(), []string{key, "never used"}, since)
	if err != nil {
		t.Fatal(err)
	}
	if book, ok := books["never used"]; ok {
		t.Errorf("a key that was never used has a book: %v", book)
	}
	return books[key]
}

// want compares grants, in whatever order.
func want(t *testing.T, book budget.Book, grants []budget.Grants) {
	t.Helper()
	slices.SortFunc(book.Grants, func(a, b budget.Grants) int { return int(a.Minute - b.Minute) })
	if !slices.Equal(book.Grants, grants) {
		t.Errorf("got  %+v\nwant %+v", book.Grants, grants)
	}
}
