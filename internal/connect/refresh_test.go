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

const tokens = "path=/site/oauth2/access_token"

// Whatever a provider in trouble answers, nothing is held against the connection.
func TestProviderInTroubleMakesNothingBad(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		fault string
		kind  windlass.Kind
		says  string
		wait  time.Duration // that callers are told; 0 is any
	}{
		{"down", "reset," + tokens, windlass.Unavailable, "could not be reached", 0},
		{"slow", "hang," + tokens, windlass.Unavailable, "no answer within the time allowed", 0},
		{"over its limit", "status=429,retry-after=90s," + tokens, windlass.RateLimited, "", 90 * time.Second},
		{"over its limit, and silent on how long", "status=429," + tokens, windlass.RateLimited, "", 0},
		{"broken", "status=500," + tokens, windlass.Unavailable, "HTTP 500", 0},
		{"in maintenance", "status=503,retry-after=120s," + tokens, windlass.Unavailable, "HTTP 503", 2 * time.Minute},
		{"behind a gateway's page", "html," + tokens, windlass.Unavailable, "HTML", 0},
		{"behind a page that says it is fine", "html=200," + tokens, windlass.Unavailable, "HTML", 0},
		{"behind a page that refuses", "html=400," + tokens, windlass.Unavailable, "HTML", 0},
		{"cut off", "cut=40," + tokens, windlass.Unavailable, "broke off", 0},
		{"not JSON", "malformed," + tokens, windlass.Unavailable, "broke off", 0},
		{"moved", "status=302," + tokens, windlass.Unavailable, "HTTP 302", 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			virtually(t, scene{}, func(w *world) {
				s := w.service()
				c := w.connected(s)
				w.clock.pass(119 * time.Minute)
				w.inject(row.fault)
				if _, err := s.Credential(w.ctx(), c); err != nil {
					t.Errorf("the old token is good for a minute, but: %v", err)
				}
				w.clock.pass(2 * time.Minute)
				_, err := s.Credential(w.ctx(), c)
				failure := w.failure(err, row.kind, row.says)
				if failure.RetryAfter <= 0 || row.wait > 0 && (failure.RetryAfter > row.wait || failure.Remedy == "") {
					t.Errorf("callers are told to wait %v, want %v: %v", failure.RetryAfter, row.wait, err)
				}
				asks := w.asks(func() {
					for range 20 {
						_, err := s.Credential(w.ctx(), c)
						w.fails(err, row.kind)
					}
				})
				if asks > 1 {
					t.Errorf("20 callers made %d token requests", asks)
				}
				got := w.stored(c)
				if got.Status != windlass.ConnectionWorking || !strings.Contains(got.StatusReason, "could not be refreshed") ||
					!strings.Contains(got.StatusReason, row.says) {
					t.Errorf("it is %s: %s", got.Status, got.StatusReason)
				}
				w.told(connect.EventCreated)

				w.server.ClearFaults()
				w.clock.pass(max(row.wait, time.Minute))
				_, err = s.Credential(w.ctx(), c)
				w.must(err)
				if got := w.stored(c); got.Status != windlass.ConnectionWorking || got.StatusReason != "" {
					t.Errorf("afterwards it is %s: %s", got.Status, got.StatusReason)
				}
			})
		})
	}
}

func TestWrongClientSecretBlamesTheProviderApp(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		c := w.connected(s)
		right := w.app.ClientSecret
		w.app.ClientSecret = windlass.NewSecret("rotated at Bitbucket")
		w.must(w.store.UpdateProviderApp(w.ctx(), w.app))
		w.clock.pass(3 * time.Hour)
		_, err := s.Credential(w.ctx(), c)
		w.fails(err, windlass.Unauthorized, appID, "client id and secret")
		if got := w.stored(c); got.Status != windlass.ConnectionWorking || got.StatusReason == "" {
			t.Errorf("it is %s: %s", got.Status, got.StatusReason)
		}
		if !strings.Contains(w.logs.String(), appID) {
			t.Error("nobody is told which provider app it is")
		}
		w.app.ClientSecret = right
		w.must(w.store.UpdateProviderApp(w.ctx(), w.app))
		w.clock.pass(time.Minute)
		_, err = s.Credential(w.ctx(), c)
		w.must(err)
	})
}

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
				_, err = services[1].Client(w.ctx(), c)
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

func (f *failing) SaveRefreshed(ctx context.Context, id, holder string, c windlass.Credentials) error {
	if f.saves.Add(-1) >= 0 {
		return errDisk
	}
	return f.kept.SaveRefreshed(ctx, id, holder, c)
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

func TestKeepAlive(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, row := range []struct {
		name   string
		after  time.Duration
		change func(w *world)
		want   connect.Kept
	}{
		{"leaves alone what was refreshed lately", 29 * day, nil, connect.Kept{}},
		{"refreshes what lies idle", 31 * day, nil, connect.Kept{Refreshed: 2}},
		{"comes too late after three months", 91 * day, nil, connect.Kept{Bad: 2}},
		{"finds out what was revoked", 31 * day, func(w *world) { w.server.RevokeConsent(w.app.ClientID) }, connect.Kept{Bad: 2}},
		{"asks once when the provider is down", 31 * day, func(w *world) { w.inject("status=503," + tokens) }, connect.Kept{Waiting: 2}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			virtually(t, scene{}, func(w *world) {
				s := w.service()
				w.connected(s)
				second := w.ask()
				second.ConsumerRef = "person-2"
				begun, err := s.Start(w.ctx(), second, connect.Opener{})
				w.must(err)
				_, err = s.Callback(w.ctx(), w.consent(begun))
				w.must(err)
				w.clock.pass(row.after)
				if row.change != nil {
					row.change(w)
				}
				asks := w.asks(func() {
					got, err := s.KeepAlive(w.ctx(), w.clock.Now())
					w.must(err)
					if got != row.want {
						t.Errorf("did %+v, want %+v", got, row.want)
					}
				})
				if want := row.want.Refreshed + row.want.Bad + min(row.want.Waiting, 1); asks != want {
					t.Errorf("%d token requests, want %d", asks, want)
				}
				again, err := s.KeepAlive(w.ctx(), w.clock.Now())
				w.must(err)
				if again.Refreshed != 0 || again.Bad != 0 {
					t.Errorf("at once again it did %+v", again)
				}
			})
		})
	}
}
