package connect_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/internal/connect"
)

// several connects customers of one provider app, each as a person of their own.
func (w *world) several(s *connect.Service, n int) []windlass.Connection {
	w.Helper()
	all := make([]windlass.Connection, n)
	for i := range all {
		ask := w.ask()
		ask.GroupRef = fmt.Sprintf("group-%d", i)
		begun, err := s.Start(w.ctx(), ask, connect.Opener{Origin: origin})
		w.must(err)
		outcome, err := s.Callback(w.ctx(), w.consent(begun))
		w.must(err)
		outcome.Connection.ConsumerRef = fmt.Sprintf("{person-%d}", i)
		w.must(w.store.UpdateConnection(w.ctx(), outcome.Connection))
		all[i] = outcome.Connection
	}
	return all
}

// The provider app is refused: no connection is bad, one probe asks for all of
// them, and they come back by themselves.
func TestRefusedProviderAppLeavesItsConnectionsAlone(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name          string
		breaks, mends func(w *world)
		says          string
	}{
		{
			"its consumer is disabled",
			func(w *world) { w.server.DisableConsumer(w.app.ClientID, true) },
			func(w *world) { w.server.DisableConsumer(w.app.ClientID, false) },
			"consumer has been disabled",
		},
		{
			"its consumer has no callback",
			func(w *world) { w.server.SetConsumerCallback(w.app.ClientID, "") },
			func(w *world) { w.server.SetConsumerCallback(w.app.ClientID, callbackURL) },
			"No callback uri",
		},
		{
			"a plain 401",
			func(w *world) { w.inject("status=401,text," + tokens) },
			func(w *world) { w.server.ClearFaults() },
			"401",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			virtually(t, scene{}, func(w *world) {
				s := w.service()
				all := w.several(s, 5)
				w.clock.pass(3 * time.Hour)
				row.breaks(w)
				asks := w.asks(func() {
					for range 4 {
						for _, c := range all {
							_, err := s.Credential(w.ctx(), c)
							failure := w.failure(err, windlass.Unauthorized, row.says, appID)
							if failure.RetryAfter <= 0 {
								t.Errorf("the error does not say when to try again: %v", err)
							}
							client, err := s.Client(w.ctx(), c, nil)
							w.must(err)
							_, err = client.Get("https://api.bitbucket.org/2.0/user")
							if kind := connectorKind(err); kind != windlass.Unavailable {
								t.Errorf("what uses the connection is told %q: %v", kind, err)
							}
						}
					}
				})
				if asks != 1 {
					t.Errorf("%d token requests for %d connections, want one", asks, len(all))
				}
				for range 10 {
					w.clock.pass(5 * time.Minute)
					asks = w.asks(func() {
						for _, c := range all {
							_, err := s.Credential(w.ctx(), c)
							w.fails(err, windlass.Unauthorized)
						}
					})
					if asks != 1 {
						t.Errorf("%d token requests after a wait, want one", asks)
					}
				}
				row.mends(w)
				w.clock.pass(5 * time.Minute)
				_, err := s.Credential(w.ctx(), all[2]) // the first one may have tried last: it lets others
				w.must(err)
				for _, c := range all {
					if got := w.stored(c); got.Status != windlass.ConnectionWorking {
						t.Errorf("%s is %s: %s", c.Group.Ref, got.Status, got.StatusReason)
					}
					_, err := s.Credential(w.ctx(), c)
					w.must(err)
				}
				for _, event := range w.notices.types() {
					if event == connect.EventError {
						t.Error("the product was told of an error")
					}
				}
				if !strings.Contains(w.logs.String(), "accepted again") {
					t.Error("no message says that it works again")
				}
			})
		})
	}
}

// Several people's tokens are refused alike within minutes: that is a sign, too.
// The first two were believed; they come back with the others.
func TestTokensOfManyRefusedAlikeBlameTheProviderApp(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		all := w.several(s, 6)
		w.clock.pass(3 * time.Hour)
		w.spy.refuse("Invalid refresh_token")
		for _, c := range all {
			_, err := s.Credential(w.ctx(), c)
			w.seen.failed(err)
			w.clock.pass(30 * time.Second)
		}
		bad := 0
		for _, c := range all {
			if w.stored(c).Status == windlass.ConnectionBad {
				bad++
			}
		}
		if bad != 2 {
			t.Errorf("%d connections are bad, want the first two", bad)
		}
		w.spy.refuse("")
		w.clock.pass(10 * time.Minute)
		_, err := s.Credential(w.ctx(), all[5])
		w.must(err)
		s.Wait()
		for _, c := range all {
			if got := w.stored(c); got.Status != windlass.ConnectionWorking {
				t.Errorf("%s is %s: %s", c.Group.Ref, got.Status, got.StatusReason)
			}
		}
	})
}

// One person who takes the consent back ends several connections at once. The app
// is not what is wrong.
func TestOnePersonsRefusalsDoNotBlameTheProviderApp(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		all := w.several(s, 5)
		for _, c := range all {
			c.ConsumerRef = "{one-person}"
			w.must(w.store.UpdateConnection(w.ctx(), c))
		}
		w.clock.pass(3 * time.Hour)
		w.server.RevokeConsent(w.app.ClientID)
		for _, c := range all {
			_, err := s.Credential(w.ctx(), c)
			w.fails(err, windlass.NeedsReconnect)
		}
	})
}

// A connection that alone is refused, in words that blame the app, does not stop
// the others for good, and is bad in the end.
func TestOneConnectionThatIsRefusedDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		all := w.several(s, 3)
		w.clock.pass(3 * time.Hour)
		dead := w.credentials(all[0]).RefreshToken
		w.spy.refuseToken(dead, "No such client")
		for range 60 {
			for _, c := range all {
				_, err := s.Credential(w.ctx(), c)
				w.seen.failed(err)
			}
			w.clock.pass(15 * time.Minute)
		}
		if got := w.stored(all[0]); got.Status != windlass.ConnectionBad || !strings.Contains(got.StatusReason, "No such client") {
			t.Errorf("the one is %s: %s", got.Status, got.StatusReason)
		}
		for _, c := range all[1:] {
			if got := w.stored(c); got.Status != windlass.ConnectionWorking || got.StatusReason != "" {
				t.Errorf("another is %s: %s", got.Status, got.StatusReason)
			}
		}
	})
}

// A change of the provider app is worth an attempt at once.
func TestProviderAppThatWasMendedIsTriedAtOnce(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		c := w.connected(s)
		right := w.app
		w.app.ClientSecret, w.app.Updated = windlass.NewSecret("mistyped"), w.clock.Now()
		w.must(w.store.UpdateProviderApp(w.ctx(), w.app))
		w.clock.pass(3 * time.Hour)
		_, err := s.Credential(w.ctx(), c)
		w.fails(err, windlass.Unauthorized)
		right.Updated = w.clock.Now()
		w.must(w.store.UpdateProviderApp(w.ctx(), right))
		_, err = s.Credential(w.ctx(), c)
		w.must(err)
	})
}
