package store_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"windlass"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

// Invariant 4: one refresh at a time, and what it brought is durable before it
// is used.
func TestLeaseOfARefresh(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx := open(), t.Context()
		w := found(t, s)
		id := w.connection.ID
		until := noon.Add(time.Minute)
		lease := func(owner string, now time.Time) bool {
			t.Helper()
			return got(s.LeaseRefresh(ctx, id, owner, now, now.Add(time.Minute)))(t)
		}
		fresh := w.credentials
		fresh.RefreshToken = windlass.NewSecret("rotated")

		wantSame(t, lease("one", noon), true)
		wantSame(t, lease("two", noon), false)
		wantSame(t, lease("one", noon), false) // an owner is a refresh, not a process
		must(t, s.ReleaseRefresh(ctx, id, "two", "nothing of mine"))
		wantSame(t, lease("two", noon), false)
		wantKind(t, s.SaveRefreshed(ctx, id, "two", fresh), windlass.Conflict)
		wantKind(t, s.SaveRefreshed(ctx, id, "", fresh), windlass.Conflict)

		// The one that vanished is followed by the next.
		wantSame(t, lease("two", until), true)
		wantKind(t, s.SaveRefreshed(ctx, id, "one", fresh), windlass.Conflict)
		must(t, s.SaveRefreshed(ctx, id, "two", fresh))
		fresh.Version = 2
		wantSame(t, got(s.Credentials(ctx, id))(t), fresh)
		wantSame(t, got(s.Connection(ctx, w.project.ID, id))(t).Status, windlass.ConnectionWorking)
		wantKind(t, s.SaveRefreshed(ctx, id, "two", fresh), windlass.Conflict) // it ended

		// One that brings nothing says why, and changes nothing else.
		wantSame(t, lease("three", until), true)
		must(t, s.ReleaseRefresh(ctx, id, "three", "Bitbucket is down"))
		c := got(s.Connection(ctx, w.project.ID, id))(t)
		wantSame(t, [2]string{string(c.Status), c.StatusReason}, [2]string{"working", "Bitbucket is down"})

		// A new consent takes the lease from the process that refreshes the old one.
		wantSame(t, lease("four", until), true)
		consented := windlass.Credentials{AccessToken: windlass.NewSecret("a"), RefreshToken: windlass.NewSecret("b")}
		must(t, s.ReplaceCredentials(ctx, id, consented))
		wantKind(t, s.SaveRefreshed(ctx, id, "four", fresh), windlass.Conflict)
		consented.Version = 3
		wantSame(t, got(s.Credentials(ctx, id))(t), consented)
		c = got(s.Connection(ctx, w.project.ID, id))(t)
		wantSame(t, [2]string{string(c.Status), c.StatusReason}, [2]string{"created", ""})

		_, err := s.LeaseRefresh(ctx, "none", "one", noon, until)
		wantKind(t, err, windlass.NotFound)
		wantKind(t, s.ReplaceCredentials(ctx, "none", consented), windlass.NotFound)
	})
}

func TestStatusOfAConnection(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx := open(), t.Context()
		w := found(t, s)
		for _, test := range []struct {
			name    string
			status  windlass.ConnectionStatus
			reason  string
			version int64
			changed bool
			want    string
		}{
			{"another status is a change", windlass.ConnectionWorking, "", 1, true, "working: "},
			{"the same is none", windlass.ConnectionWorking, "", 1, false, "working: "},
			{"another reason is noted without a change", windlass.ConnectionWorking, "slow", 1, false, "working: slow"},
			{"what an old token met says nothing", windlass.ConnectionBad, "revoked", 0, false, "working: slow"},
			{"what the current one met does", windlass.ConnectionBad, "revoked", 1, true, "bad_credentials: revoked"},
		} {
			t.Run(test.name, func(t *testing.T) {
				wantSame(t, got(s.SetConnectionStatus(ctx, w.connection.ID, test.status, test.reason, test.version))(t), test.changed)
				c := got(s.Connection(ctx, w.project.ID, w.connection.ID))(t)
				wantSame(t, string(c.Status)+": "+c.StatusReason, test.want)
			})
		}
		_, err := s.SetConnectionStatus(ctx, "none", windlass.ConnectionBad, "", 1)
		wantKind(t, err, windlass.NotFound)
	})
}

// Many at once: one wins a lease, one hears of a change of status, one finds a
// state.
func TestOneOfManyWins(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx := open(), t.Context()
		w := found(t, s)
		must(t, s.CreateState(ctx, windlass.ConnectState{Hash: "h", Data: []byte(`{}`), Expires: noon}))
		for _, race := range []struct {
			name string
			try  func(i int) (bool, error)
		}{
			{"a lease", func(i int) (bool, error) {
				return s.LeaseRefresh(ctx, w.connection.ID, fmt.Sprint("holder", i), noon, noon.Add(time.Minute))
			}},
			{"a change of status", func(int) (bool, error) {
				return s.SetConnectionStatus(ctx, w.connection.ID, windlass.ConnectionBad, "revoked", 1)
			}},
			{"a state", func(int) (bool, error) {
				_, err := s.TakeState(ctx, "h", noon.Add(-time.Minute))
				if errors.Is(err, windlass.NotFound) {
					return false, nil
				}
				return err == nil, err
			}},
		} {
			t.Run(race.name, func(t *testing.T) {
				var winners atomic.Int32
				var group sync.WaitGroup
				for i := range 20 {
					group.Go(func() {
						won, err := race.try(i)
						if err != nil {
							t.Error(err)
						}
						if won {
							winners.Add(1)
						}
					})
				}
				group.Wait()
				wantSame(t, winners.Load(), 1)
			})
		}
	})
}
