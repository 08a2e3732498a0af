package connect_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"windlass"
	"windlass/bitbucket/sandbox"
	"windlass/internal/connect"
)

func TestRefusedRefreshMakesBadOnce(t *testing.T) {
	t.Parallel()
	for _, fixed := range []bool{false, true} { // the two say it in different words
		virtually(t, scene{sandbox: sandbox.Options{FixedRefresh: fixed}}, func(w *world) {
			services := []*connect.Service{w.service(), w.service(), w.service()}
			c := w.connected(services[0])
			w.clock.pass(3 * time.Hour)
			w.server.RevokeConsent(w.app.ClientID)
			var callers sync.WaitGroup
			for i := range 30 {
				callers.Go(func() {
					_, err := services[i%3].Credential(w.ctx(), c)
					w.seen.failed(err)
					if !errors.Is(err, windlass.NeedsReconnect) {
						t.Errorf("got %v", err)
					}
				})
			}
			callers.Wait()
			got := w.stored(c)
			if got.Status != windlass.ConnectionBad || !strings.Contains(got.StatusReason, "refused the refresh token") {
				t.Errorf("it is %s: %s", got.Status, got.StatusReason)
			}
			w.told(connect.EventCreated, connect.EventError)
			asks := w.asks(func() {
				_, err := services[1].Credential(w.ctx(), c)
				w.fails(err, windlass.NeedsReconnect, `"acme" again`)
				_, err = services[1].Client(w.ctx(), c, nil)
				w.fails(err, windlass.NeedsReconnect)
			})
			if asks != 0 {
				t.Errorf("a bad connection made %d token requests", asks)
			}
		})
	}
}

// failing is a store whose saves fail, as that of a process that dies does.
type failing struct {
	kept
	saves atomic.Int64 // how many more are to fail
}

var errDisk = errors.New("the disk is full")

func (f *failing) SaveRefreshed(ctx context.Context, id, owner string, c windlass.Credentials) error {
	if f.saves.Add(-1) >= 0 {
		return errDisk
	}
	return f.kept.SaveRefreshed(ctx, id, owner, c)
}

func TestAnswerThatIsNotSaved(t *testing.T) {
	t.Parallel()
	t.Run("is saved again when that fails once", func(t *testing.T) {
		t.Parallel()
		virtually(t, scene{}, func(w *world) {
			store := &failing{kept: w.store}
			s := w.serviceOn(store)
			c := w.connected(s)
			w.clock.pass(3 * time.Hour)
			store.saves.Store(1)
			asks := w.asks(func() {
				_, err := s.Credential(w.ctx(), c)
				w.must(err)
			})
			if asks != 1 || w.credentials(c).Version != 2 {
				t.Errorf("%d token requests, version %d", asks, w.credentials(c).Version)
			}
		})
	})
	for _, row := range []struct {
		name  string
		later time.Duration
		bad   bool
	}{
		{"is asked for again by another process once the lease ends", 0, false},
		{"is asked for again within the grace", 9 * time.Minute, false},
		{"is lost beyond the grace, which is said plainly", 11 * time.Minute, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			virtually(t, scene{}, func(w *world) {
				store := &failing{kept: w.store}
				dying, living := w.serviceOn(store), w.service()
				c := w.connected(living)
				w.clock.pass(3 * time.Hour)
				store.saves.Store(1000)
				before := w.server.Requests()
				_, err := w.do(dying, c, "GET", "/user", "")
				if !errors.Is(err, windlass.Unavailable) {
					t.Errorf("got %v", err)
				}
				// Invariant 4: what was not saved was not used.
				if w.server.Requests() != before {
					t.Error("an access token was used whose refresh token is lost")
				}
				if got := w.stored(c); got.Status != windlass.ConnectionWorking {
					t.Errorf("it is %s: %s", got.Status, got.StatusReason)
				}
				w.clock.pass(row.later)
				_, err = living.Credential(w.ctx(), c)
				if !row.bad {
					w.must(err)
					if status := w.get(living, c, "/user"); status != 200 {
						t.Errorf("answered with %d", status)
					}
					w.told(connect.EventCreated)
					return
				}
				w.fails(err, windlass.NeedsReconnect, "again")
				if got := w.stored(c); got.Status != windlass.ConnectionBad || got.StatusReason == "" {
					t.Errorf("it is %s: %s", got.Status, got.StatusReason)
				}
				w.told(connect.EventCreated, connect.EventError)
			})
		})
	}
}

// late is a store on which something happens just before a lease is asked for.
type late struct {
	kept
	before func()
}

func (l *late) LeaseRefresh(ctx context.Context, id, owner string, now, until time.Time) (bool, error) {
	if before := l.before; before != nil {
		l.before = nil
		before()
	}
	return l.kept.LeaseRefresh(ctx, id, owner, now, until)
}

// Between a process's look at the credentials and its lease another one may
// begin and end a refresh: the lease is then won for nothing.
func TestLeaseThatIsWonTooLate(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		store := &late{kept: w.store}
		slow, quick := w.serviceOn(store), w.service()
		c := w.connected(quick)
		w.clock.pass(3 * time.Hour)
		store.before = func() {
			_, err := quick.Credential(w.ctx(), c)
			w.must(err)
		}
		asks := w.asks(func() {
			got, err := slow.Credential(w.ctx(), c)
			w.must(err)
			if got.Version != 2 {
				t.Errorf("version %d is used, want 2", got.Version)
			}
		})
		if asks != 1 {
			t.Errorf("%d token requests, want 1", asks)
		}
		// The lease was given back: the next refresh need not wait for its end.
		begun := w.clock.Now()
		_, _, err := quick.Get(w.ctx(), projectID, c.ID, connect.Force)
		w.must(err)
		if took := w.clock.Now().Sub(begun); took > 0 {
			t.Errorf("the next one took %v", took)
		}
	})
}

// A process that died with the lease holds the others up for its length only.
func TestLeaseOfADeadProcessEnds(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		c := w.connected(s)
		w.clock.pass(3 * time.Hour)
		won, err := w.store.LeaseRefresh(w.ctx(), c.ID, "the dead", w.clock.Now(), w.clock.Now().Add(30*time.Second))
		w.must(err)
		begun := w.clock.Now()
		_, err = s.Credential(w.ctx(), c)
		w.must(err)
		if took := w.clock.Now().Sub(begun); !won || took < 29*time.Second || took > 32*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// Two processes that refresh the same token, each with an answer: only the one
// that still has the lease may store its own.
func TestSlowHolderDoesNotOverwrite(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		c := w.connected(s)
		w.clock.pass(3 * time.Hour)
		theirs := windlass.Credentials{}
		w.spy.on(func() {
			w.spy.on(nil)
			w.clock.pass(40 * time.Second) // past the lease
			won, err := w.store.LeaseRefresh(w.ctx(), c.ID, "another", w.clock.Now(), w.clock.Now().Add(30*time.Second))
			w.must(err)
			grant, err := w.spy.OAuth.Refresh(w.ctx(), w.app, w.credentials(c).RefreshToken)
			w.must(err)
			w.seen.secret(grant.AccessToken.Reveal(), grant.RefreshToken.Reveal())
			theirs = windlass.Credentials{AccessToken: grant.AccessToken, RefreshToken: grant.RefreshToken, AccessExpiry: w.clock.Now().Add(time.Hour)}
			w.must(w.store.SaveRefreshed(w.ctx(), c.ID, "another", theirs))
			if !won {
				t.Error("the lease did not end")
			}
		})
		got, err := s.Credential(w.ctx(), c)
		w.must(err)
		if got.AccessToken != theirs.AccessToken || w.credentials(c).RefreshToken != theirs.RefreshToken {
			t.Error("the other process's tokens are lost")
		}
	})
}

// Before a connection is declared dead, what is stored is read again.
func TestRefusalOfATokenThatWasReplaced(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		refused bool
	}{{"while it was refused", true}, {"while it was refreshed", false}} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			virtually(t, scene{}, func(w *world) {
				s, other := w.service(), w.service()
				c := w.connected(s)
				w.clock.pass(3 * time.Hour)
				if row.refused {
					w.server.RevokeConsent(w.app.ClientID)
				}
				w.spy.on(func() { // the customer connects again at that very moment
					w.spy.on(nil)
					w.connected(other)
				})
				got, err := s.Credential(w.ctx(), c)
				w.must(err)
				if got.AccessToken != w.credentials(c).AccessToken || got.Version != 2 {
					t.Errorf("version %d is used, version %d is stored", got.Version, w.credentials(c).Version)
				}
				if got := w.stored(c); got.Status != windlass.ConnectionWorking {
					t.Errorf("it is %s: %s", got.Status, got.StatusReason)
				}
				w.told(connect.EventCreated, connect.EventUpdated)
			})
		})
	}
}
