package connect_test

import (
	"strings"
	"testing"
	"time"

	"windlass"
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
			t.Error("the log does not say which provider app it is")
		}
		w.app.ClientSecret = right
		w.must(w.store.UpdateProviderApp(w.ctx(), w.app))
		w.clock.pass(time.Minute)
		_, err = s.Credential(w.ctx(), c)
		w.must(err)
	})
}
