package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"windlass"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

const lane = "in-1/repositories"

// batch makes up a batch that is on its way to a world's destination.
func batch(tb testing.TB, w world, lane, body string) windlass.Batch {
	tb.Helper()
	return windlass.Batch{
		ID: newID(tb), ProjectID: w.project.ID, DestinationID: w.destination.ID, InstallationID: w.installation.ID,
		OperationID: "op-1", Object: "repositories", Kind: windlass.BatchRead, Lane: lane, Records: 3, Body: []byte(body),
		Created: noon, Updated: noon,
	}
}

func add(tb testing.TB, s *store.Store, batches ...windlass.Batch) []windlass.Batch {
	tb.Helper()
	must(tb, s.AddBatches(tb.Context(), batches))
	return batches
}

func due(tb testing.TB, s *store.Store, w world, lane string, now time.Time) []windlass.Batch {
	tb.Helper()
	return got(s.DueBatches(tb.Context(), w.destination.ID, lane, now, 100, 1<<20))(tb)
}

// lease is what an owner needs before he may record anything.
func lease(tb testing.TB, s *store.Store, w world, owner string, now time.Time) windlass.Health {
	tb.Helper()
	h, won, err := s.LeaseDestination(tb.Context(), w.destination.ID, owner, now, now.Add(time.Minute))
	must(tb, err)
	if !won {
		tb.Fatal("the lease was not given")
	}
	return h
}

func attempt(b windlass.Batch, status string, next time.Time) windlass.Outcome {
	return windlass.Outcome{
		Attempt: windlass.Attempt{
			BatchID: b.ID, Number: b.Attempts + 1, Time: noon, Status: 200, Latency: 1500 * time.Microsecond, Error: "none", Answer: "ok",
		}, Status: status, Next: next,
	}
}

func TestBatches(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		w := found(t, s)
		incompressible := make([]byte, 5000)
		for i := range incompressible {
			incompressible[i] = byte(rand.IntN(256))
		}
		added := add(t, s, batch(t, w, lane, `{"a": 1}`), batch(t, w, lane, ""), batch(t, w, "other", string(incompressible)), batch(t, w, lane, "last"))
		for i, seq := range []int64{1, 2, 1, 3} {
			wantSame(t, added[i].Seq, seq)
			wantSame(t, added[i].Status, windlass.BatchPending)
			wantSame(t, added[i].NextAttempt, noon)
		}
		t.Run("what is due comes in order and byte for byte", func(t *testing.T) {
			wantSame(t, got(s.DueLanes(t.Context(), w.destination.ID, noon, 10))(t), []string{lane, "other"})
			all := due(t, s, w, lane, noon)
			wantSame(t, len(all), 3)
			added[1].Body = []byte{}
			for i, want := range []windlass.Batch{added[0], added[1], added[3]} {
				wantSame(t, all[i], want)
			}
			if other := due(t, s, w, "other", noon); !bytes.Equal(other[0].Body, incompressible) {
				t.Error("the body has changed")
			}
			wantSame(t, len(due(t, s, w, lane, noon.Add(-time.Microsecond))), 0)
		})
		t.Run("no more bytes than asked for, unless one alone is larger", func(t *testing.T) {
			wantSame(t, len(got(s.DueBatches(t.Context(), w.destination.ID, lane, noon, 10, 8))(t)), 2)
			wantSame(t, len(got(s.DueBatches(t.Context(), w.destination.ID, "other", noon, 10, 1))(t)), 1)
			wantSame(t, len(got(s.DueBatches(t.Context(), w.destination.ID, lane, noon, 1, 1<<20))(t)), 1)
		})
		t.Run("one is found with its body, all are listed without", func(t *testing.T) {
			one := added[0] // and those who look are told whose it is
			one.GroupRef, one.IntegrationID, one.DestinationName = w.installation.Group.Ref, w.integration.ID, w.destination.Name
			wantSame(t, got(s.Batch(t.Context(), w.project.ID, one.ID))(t), one)
			_, err := s.Batch(t.Context(), "another", added[0].ID)
			wantKind(t, err, windlass.NotFound)
			all := got(s.Batches(t.Context(), windlass.BatchFilter{ProjectID: w.project.ID, OperationID: "op-1", Status: windlass.BatchPending, Limit: 2}))(t)
			wantSame(t, len(all), 2)
			wantSame(t, all[0].ID, added[3].ID)
			for _, b := range all {
				wantSame(t, []string{b.GroupRef, b.IntegrationID, b.DestinationName}, []string{one.GroupRef, one.IntegrationID, one.DestinationName})
			}
			all = got(s.Batches(t.Context(), windlass.BatchFilter{DestinationID: w.destination.ID, Before: all[1].ID, Since: noon, Until: noon.Add(time.Microsecond)}))(t)
			wantSame(t, len(all), 2)
			if all[1].Body != nil {
				t.Error("a list drags the bodies along")
			}
		})
		t.Run("what belongs to no installation, or to none any more, is listed all the same", func(t *testing.T) {
			stray := batch(t, w, "stray", "x")
			stray.InstallationID, stray.OperationID = newID(t), "op-2"
			add(t, s, stray)
			all := got(s.Batches(t.Context(), windlass.BatchFilter{OperationID: "op-2"}))(t)
			wantSame(t, len(all), 1)
			wantSame(t, []string{all[0].GroupRef, all[0].IntegrationID, all[0].DestinationName}, []string{"", "", w.destination.Name})
		})
		t.Run("what cannot be added is not", func(t *testing.T) {
			wantKind(t, s.AddBatches(t.Context(), []windlass.Batch{added[0]}), windlass.Conflict)
			stray := batch(t, w, lane, "x")
			stray.DestinationID = newID(t)
			wantKind(t, s.AddBatches(t.Context(), []windlass.Batch{stray}), windlass.NotFound)
			sorry := errors.New("sorry")
			err := inside(t, s, func(ctx context.Context) error {
				must(t, s.AddBatches(ctx, []windlass.Batch{batch(t, w, lane, "undone")}))
				return sorry
			})
			if !errors.Is(err, sorry) || len(due(t, s, w, lane, noon)) != 3 {
				t.Errorf("got %v and %d batches", err, len(due(t, s, w, lane, noon)))
			}
		})
		t.Run("a clock that is behind lets nothing overtake", func(t *testing.T) {
			late := batch(t, w, "clocks", "1")
			late.Created = noon.Add(3 * time.Second)
			early := batch(t, w, "clocks", "2")
			late, early = add(t, s, late)[0], add(t, s, early)[0]
			wantSame(t, early.NextAttempt, late.NextAttempt)
			wantSame(t, early.Seq, late.Seq+1)
			wantSame(t, len(due(t, s, w, "clocks", noon)), 0)
		})
	})
}

func TestLeaseOfADestination(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		w := found(t, s)
		ctx, id := t.Context(), w.destination.ID
		one := add(t, s, batch(t, w, lane, "1"))[0]
		wantSame(t, got(s.DueDestinations(ctx, noon, 10))(t), []string{id})
		wantSame(t, len(got(s.DueDestinations(ctx, noon.Add(-1000), 10))(t)), 0)
		lease(t, s, w, "a", noon)
		lease(t, s, w, "a", noon)
		for who, when := range map[string]time.Time{"b": noon, "c": noon.Add(time.Minute - time.Microsecond)} {
			if _, won, err := s.LeaseDestination(ctx, id, who, when, when.Add(time.Minute)); err != nil || won {
				t.Errorf("%s got a lease that another one holds (%v)", who, err)
			}
		}
		wantSame(t, len(got(s.DueDestinations(ctx, noon, 10))(t)), 0)
		wantSame(t, got(s.ReleaseDestination(ctx, id, "a", noon, false))(t), false) // something is due
		lease(t, s, w, "b", noon.Add(time.Minute))                                  // it has run out

		record := func(owner string, o ...windlass.Outcome) bool {
			return got(s.RecordOutcomes(ctx, windlass.Outcomes{
				Health: windlass.Health{DestinationID: id, Failures: 2, FailingSince: noon, HoldUntil: noon.Add(time.Hour)},
				Owner:  owner, Until: noon.Add(2 * time.Minute), Now: noon, Outcomes: o, Lanes: []string{lane},
			}))(t)
		}
		wantSame(t, record("a", attempt(one, windlass.BatchDelivered, time.Time{})), false)
		wantSame(t, len(due(t, s, w, lane, noon)), 1) // and nothing of it was kept
		wantSame(t, record("b", attempt(one, windlass.BatchPending, noon.Add(time.Hour))), true)
		wantSame(t, got(s.Health(ctx, id))(t), windlass.Health{DestinationID: id, Failures: 2, FailingSince: noon, HoldUntil: noon.Add(time.Hour)})
		wantSame(t, got(s.ReleaseDestination(ctx, id, "a", noon, true))(t), false)
		wantSame(t, got(s.ReleaseDestination(ctx, id, "b", noon, false))(t), true) // nothing is due now
		wantSame(t, len(got(s.DueDestinations(ctx, noon.Add(59*time.Minute), 10))(t)), 0)
		wantSame(t, len(got(s.DueDestinations(ctx, noon.Add(time.Hour), 10))(t)), 1)

		why := windlass.Disabling{Why: "disabled by hand", By: "key"}
		wantSame(t, got(s.SetDestinationDisabled(ctx, id, true, why, noon))(t), true)
		wantSame(t, got(s.SetDestinationDisabled(ctx, id, true, windlass.Disabling{Why: "again"}, noon.Add(time.Hour)))(t), false)
		why.At = noon
		target := got(s.Target(ctx, id))(t)
		wantSame(t, target.Disabled, true)
		wantSame(t, target.Disabling, why)
		must(t, s.UpdateDestination(ctx, target)) // which is not about that
		wantSame(t, got(s.Target(ctx, id))(t).Disabling, why)
		wantSame(t, len(got(s.DueDestinations(ctx, noon.Add(time.Hour), 10))(t)), 0)
		wantSame(t, got(s.SetDestinationDisabled(ctx, id, false, why, noon))(t), true)
		wantSame(t, got(s.Target(ctx, id))(t).Disabling, windlass.Disabling{})
		wantSame(t, got(s.Health(ctx, id))(t), windlass.Health{DestinationID: id})

		lease(t, s, w, "c", noon)
		must(t, s.ReleaseAllDestinations(ctx))
		lease(t, s, w, "d", noon)
		_, err := s.Target(ctx, newID(t))
		wantKind(t, err, windlass.NotFound)
		_, _, err = s.LeaseDestination(ctx, newID(t), "a", noon, noon)
		wantKind(t, err, windlass.NotFound)
	})
}

func TestOutcomesAndReplay(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		w := found(t, s)
		ctx, id := t.Context(), w.destination.ID
		all := add(t, s, batch(t, w, lane, "1"), batch(t, w, lane, "2"), batch(t, w, lane, "3"), batch(t, w, "other", "4"))
		lease(t, s, w, "a", noon)
		later := noon.Add(5 * time.Second)
		wantSame(t, got(s.RecordOutcomes(ctx, windlass.Outcomes{
			Health: windlass.Health{DestinationID: id}, Owner: "a", Until: later, Now: later, Lanes: []string{lane, "other"},
			Outcomes: []windlass.Outcome{
				attempt(all[0], windlass.BatchDelivered, time.Time{}), attempt(all[1], windlass.BatchPending, later),
				attempt(all[2], windlass.BatchFailed, time.Time{}), attempt(all[3], windlass.BatchDelivered, time.Time{}),
			},
		}))(t), true)
		wantSame(t, got(s.Attempts(ctx, all[0].ID))(t), []windlass.Attempt{{
			BatchID: all[0].ID, Number: 1, Time: noon, Status: 200, Latency: 1500 * time.Microsecond, Error: "none", Answer: "ok",
		}})
		want := all[1]
		want.Attempts, want.Tries, want.NextAttempt, want.Updated = 1, 1, later, later
		wantSame(t, due(t, s, w, lane, later), []windlass.Batch{want})
		wantSame(t, len(due(t, s, w, lane, noon)), 0)
		wantSame(t, len(got(s.DueLanes(ctx, id, noon, 10))(t)), 0)
		wantSame(t, got(s.DueLanes(ctx, id, later, 10))(t), []string{lane})

		replay := func(r windlass.Replayed, limit int) (n int) {
			r.DestinationID = id
			for after := ""; ; {
				some, last, err := s.ReplayBatches(ctx, r, later, after, limit)
				must(t, err)
				if some == 0 {
					return n
				}
				n, after = n+some, last
			}
		}
		wantSame(t, replay(windlass.Replayed{Status: windlass.BatchFailed, Since: noon.Add(time.Second)}, 10), 0)
		wantSame(t, replay(windlass.Replayed{Status: windlass.BatchFailed, Since: noon}, 10), 1)
		wantSame(t, replay(windlass.Replayed{BatchID: all[0].ID}, 10), 1)
		again := due(t, s, w, lane, later)
		wantSame(t, len(again), 3)
		for i, b := range again { // in the order of reading, however they come back
			wantSame(t, b.ID, all[i].ID)
			wantSame(t, string(b.Body), string(all[i].Body))
		}
		wantSame(t, again[2].Tries, 0)
		wantSame(t, again[2].Attempts, 1)
		wantSame(t, replay(windlass.Replayed{}, 1), 1) // the others wait already
		wantSame(t, got(s.DueLanes(ctx, id, later, 10))(t), []string{lane, "other"})
	})
}

// What is added while a process settles the lane is seen.
func TestLanesForgetNothing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		w := found(t, s)
		ctx := t.Context()
		const writers, each = 3, 25
		var group sync.WaitGroup
		errs := make([]error, writers)
		for i := range writers {
			group.Go(func() {
				for range each {
					errs[i] = errors.Join(errs[i], s.AddBatches(ctx, []windlass.Batch{batch(t, w, lane, "x"), batch(t, w, fmt.Sprint("w", i), "y")}))
				}
			})
		}
		lease(t, s, w, "a", noon)
		delivered := map[string]bool{}
		done := make(chan struct{})
		go func() { group.Wait(); close(done) }()
		for finished := false; ; {
			lanes := got(s.DueLanes(ctx, w.destination.ID, noon, 10))(t)
			if len(lanes) == 0 && finished {
				break
			}
			for _, name := range lanes {
				var outcomes []windlass.Outcome
				for _, b := range due(t, s, w, name, noon) {
					outcomes = append(outcomes, attempt(b, windlass.BatchDelivered, time.Time{}))
					delivered[b.ID] = true
				}
				wantSame(t, got(s.RecordOutcomes(ctx, windlass.Outcomes{
					Health: windlass.Health{DestinationID: w.destination.ID}, Owner: "a", Until: noon.Add(time.Minute), Now: noon,
					Outcomes: outcomes, Lanes: []string{name},
				}))(t), true)
			}
			select {
			case <-done:
				finished = true
			default:
			}
		}
		must(t, errors.Join(errs...))
		wantSame(t, len(delivered), 2*writers*each)
	})
}

func TestBatchesAreCleared(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		w := found(t, s)
		ctx := t.Context()
		all := add(t, s, batch(t, w, lane, "1"), batch(t, w, lane, "2"))
		lease(t, s, w, "a", noon)
		got(s.RecordOutcomes(ctx, windlass.Outcomes{
			Health: windlass.Health{DestinationID: w.destination.ID}, Owner: "a", Until: noon, Now: noon,
			Outcomes: []windlass.Outcome{attempt(all[0], windlass.BatchDelivered, time.Time{})},
		}))(t)
		// The ids in these tests are of today, whatever the day of their noon.
		tomorrow := time.Now().Add(24 * time.Hour)
		if tomorrow.Before(noon) {
			tomorrow = noon.Add(time.Hour)
		}
		prune := func(before time.Time) int {
			return got(s.Prune(ctx, windlass.Cutoffs{Batches: before}, 10))(t)
		}
		wantSame(t, prune(noon), 0)
		wantSame(t, prune(tomorrow), 1)
		_, err := s.Batch(ctx, w.project.ID, all[0].ID)
		wantKind(t, err, windlass.NotFound)
		wantSame(t, len(got(s.Attempts(ctx, all[0].ID))(t)), 0)
		wantSame(t, prune(tomorrow), 0)
		got(s.SetDestinationDisabled(ctx, w.destination.ID, true, windlass.Disabling{}, noon))(t)
		wantSame(t, prune(tomorrow), 1)
		wantSame(t, got(s.Stats(ctx))(t)["batches_pending"], int64(0))

		add(t, s, batch(t, w, lane, "3"))
		must(t, s.DeleteDestination(ctx, w.project.ID, w.destination.ID)) // and what is on its way to it
	})
}

// Whatever a body holds comes back byte for byte (invariant 2).
func FuzzBodies(f *testing.F) {
	f.Add([]byte(`{"a":1}`))
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte("abc"), 1000))
	f.Add([]byte{0, 1, 255})
	s := storetest.New(f, store.SQLite).Open(f, nil)
	w := found(f, s)
	f.Fuzz(func(t *testing.T, body []byte) {
		b := batch(t, w, lane, string(body))
		must(t, s.AddBatches(t.Context(), []windlass.Batch{b}))
		if back := got(s.Batch(t.Context(), w.project.ID, b.ID))(t).Body; !bytes.Equal(back, body) {
			t.Errorf("%q came back as %q", body, back)
		}
	})
}

// One look at many lanes finds the short ones in which nothing waits, whole.
func TestDueOfLanes(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		w := found(t, s)
		ctx, id := t.Context(), w.destination.ID
		add(t, s, batch(t, w, "a", "1234"), batch(t, w, "a", "5678"), batch(t, w, "b", "12345678"), batch(t, w, "c", "x"))
		add(t, s, batch(t, w, "long", "1"), batch(t, w, "long", "2"), batch(t, w, "long", "3"), batch(t, w, "not asked for", "x"))
		later := batch(t, w, "later", "x")
		later.Created = noon.Add(time.Second)
		waits := add(t, s, later, batch(t, w, "waits", "1"), batch(t, w, "waits", "2"))[1]
		lease(t, s, w, "owner", noon)
		wantSame(t, got(s.RecordOutcomes(ctx, windlass.Outcomes{
			Health: windlass.Health{DestinationID: id}, Owner: "owner", Until: noon.Add(time.Hour), Now: noon, Lanes: []string{"waits"},
			Outcomes: []windlass.Outcome{attempt(waits, windlass.BatchPending, noon.Add(time.Hour))},
		}))(t), true)
		for bytes, want := range map[int64]string{100: "a:1234 a:5678 b:12345678 c:x", 9: "a:1234 a:5678 c:x", 7: "c:x", 0: ""} {
			var said []string
			for _, b := range got(s.DueOfLanes(ctx, id, noon, []string{"waits", "long", "c", "b", "a", "later", "none"}, 3, bytes))(t) {
				said = append(said, b.Lane+":"+string(b.Body))
			}
			wantSame(t, strings.Join(said, " "), want)
		}
	})
}
