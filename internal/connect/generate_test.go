package connect_test

import (
	"testing"
	"time"

	"windlass"
	"windlass/internal/connect"
)

func TestGenerate(t *testing.T) {
	t.Parallel()
	secret := windlass.NewSecret
	tokensOf := func(w *world) windlass.Credentials {
		access, refresh, err := w.server.NewOAuthTokens(w.app.ClientID)
		w.must(err)
		w.seen.secret(access, refresh)
		return windlass.Credentials{AccessToken: secret(access), RefreshToken: secret(refresh)}
	}
	for _, row := range []struct {
		name   string
		given  func(w *world) windlass.Credentials
		change func(i *connect.Import)
		scheme windlass.AuthScheme
		asks   int // of the token endpoint
		kind   windlass.Kind
		says   string
	}{
		{
			name: "an API token",
			given: func(w *world) windlass.Credentials {
				k := w.server.Credentials()
				return windlass.Credentials{Username: k.Email, Password: secret(k.APIToken)}
			},
			scheme: windlass.AuthBasic,
		},
		{
			name: "an access token",
			given: func(w *world) windlass.Credentials {
				return windlass.Credentials{APIKey: secret(w.server.Credentials().AccessToken)}
			},
			scheme: windlass.AuthAPIKey,
		},
		{
			name: "a Connect app",
			given: func(w *world) windlass.Credentials {
				k := w.server.Credentials()
				return windlass.Credentials{AppKey: k.ConnectAppKey, ClientKey: k.ConnectClientKey, SharedSecret: secret(k.ConnectSharedSecret)}
			},
			scheme: windlass.AuthAPIKey,
		},
		{name: "tokens of OAuth", given: tokensOf, scheme: windlass.AuthOAuth},
		{
			name: "a refresh token alone",
			given: func(w *world) windlass.Credentials {
				given := tokensOf(w)
				given.AccessToken = windlass.Secret{}
				return given
			},
			scheme: windlass.AuthOAuth, asks: 1,
		},
		{
			name: "an access token that is known to be over",
			given: func(w *world) windlass.Credentials {
				given := tokensOf(w)
				given.AccessExpiry = w.clock.Now().Add(-time.Hour)
				return given
			},
			scheme: windlass.AuthOAuth, asks: 1,
		},
		{
			name: "an access token that turns out to be over",
			given: func(w *world) windlass.Credentials {
				given := tokensOf(w)
				w.clock.pass(5 * time.Hour)
				return given
			},
			scheme: windlass.AuthOAuth, asks: 1,
		},
		{
			name: "an access token of OAuth without a refresh token",
			given: func(w *world) windlass.Credentials {
				given := tokensOf(w)
				given.RefreshToken = windlass.Secret{}
				return given
			},
			scheme: windlass.AuthOAuth,
		},
		{
			name: "a mistyped API token",
			given: func(w *world) windlass.Credentials {
				return windlass.Credentials{Username: w.server.Credentials().Email, Password: secret("3f1d-typo")}
			},
			kind: windlass.Unauthorized, says: "not accepted",
		},
		{
			name: "a user name where an email address belongs",
			given: func(*world) windlass.Credentials {
				return windlass.Credentials{Username: "jane", Password: secret("3f1d-one")}
			},
			kind: windlass.Invalid, says: "not an email address",
		},
		{
			name:  "a password without its user",
			given: func(*world) windlass.Credentials { return windlass.Credentials{Password: secret("3f1d-one")} },
			kind:  windlass.Invalid, says: "basicAuth",
		},
		{name: "nothing", given: func(*world) windlass.Credentials { return windlass.Credentials{} }, kind: windlass.Invalid, says: "exactly one sort"},
		{
			name: "two sorts at once",
			given: func(*world) windlass.Credentials {
				return windlass.Credentials{APIKey: secret("3f1d-one"), AccessToken: secret("3f1d-two")}
			},
			kind: windlass.Invalid, says: "exactly one sort",
		},
		{
			name:   "a workspace that the token cannot see",
			given:  tokensOf,
			change: func(i *connect.Import) { i.Workspace = "acme-vault" },
			kind:   windlass.NotFound, says: "covers acme",
		},
		{
			name:  "a refresh token that the provider does not know",
			given: func(*world) windlass.Credentials { return windlass.Credentials{RefreshToken: secret("made up")} },
			kind:  windlass.NeedsReconnect, says: "Invalid refresh_token", asks: 1,
		},
		{
			name: "a provider that cannot be asked now",
			given: func(w *world) windlass.Credentials {
				w.inject("status=503,path=/2.0/workspaces/*")
				return tokensOf(w)
			},
			kind: windlass.Unavailable, says: "try again",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			virtually(t, scene{}, func(w *world) {
				s := w.service()
				given := connect.Import{Ask: w.ask(), Credentials: row.given(w)}
				w.seen.secret(given.Credentials.AccessToken.Reveal(), given.Credentials.Password.Reveal(), given.Credentials.APIKey.Reveal(), given.Credentials.SharedSecret.Reveal())
				if row.change != nil {
					row.change(&given)
				}
				var outcome connect.Outcome
				var err error
				if asks := w.asks(func() { outcome, err = s.Generate(w.ctx(), given) }); asks != row.asks {
					t.Errorf("%d token requests, want %d", asks, row.asks)
				}
				if row.kind != "" {
					w.fails(err, row.kind, row.says)
					if all, _ := w.store.Connections(w.ctx(), windlass.ConnectionFilter{}); len(all) != 0 {
						t.Errorf("left behind: %+v", all)
					}
					w.told()
					return
				}
				w.must(err)
				c := outcome.Connection
				if c.Scheme != row.scheme || c.Status != windlass.ConnectionWorking || !outcome.Created || outcome.Origin != "" {
					t.Errorf("the outcome is %+v", outcome)
				}
				if status := w.get(s, c, "/workspaces/acme"); status != 200 {
					t.Errorf("its first use was answered with %d", status)
				}
				w.told(connect.EventCreated)
			})
		})
	}
}

func TestDeadTokenThatCannotBeRefreshed(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		fault string
		bad   bool
	}{
		{"a token that ended makes the connection bad", "status=401,path=/2.0/*", true},
		{"an endpoint that wants another sort does not", "status=401,path=/2.0/user", false},
		{"nor does one while nothing can be asked", "status=401,path=/2.0/user status=503,path=/2.0/workspaces/*", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			virtually(t, scene{}, func(w *world) {
				s, k := w.service(), w.server.Credentials()
				w.seen.secret(k.APIToken)
				outcome, err := s.Generate(w.ctx(), connect.Import{
					Ask: w.ask(), Credentials: windlass.Credentials{Username: k.Email, Password: windlass.NewSecret(k.APIToken)},
				})
				w.must(err)
				if row.bad {
					row.fault += " status=401,path=/2.0/workspaces/*"
				}
				w.injectAll(row.fault)
				before := w.server.Requests()
				for range 5 {
					_, err = w.do(s, outcome.Connection, "GET", "/user", "")
				}
				got := w.stored(outcome.Connection)
				if (got.Status == windlass.ConnectionBad) != row.bad || (err != nil) != row.bad {
					t.Errorf("it is %s: %s; the last use: %v", got.Status, got.StatusReason, err)
				}
				if made := w.server.Requests() - before; made > 7 {
					t.Errorf("5 uses made %d requests", made)
				}
				if row.bad {
					w.told(connect.EventCreated, connect.EventError)
				} else {
					w.told(connect.EventCreated)
				}
			})
		})
	}
}

func TestOAuthWithoutARefreshTokenEnds(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		access, _, err := w.server.NewOAuthTokens(w.app.ClientID)
		w.must(err)
		w.seen.secret(access)
		outcome, err := s.Generate(w.ctx(), connect.Import{Ask: w.ask(), Credentials: windlass.Credentials{
			AccessToken: windlass.NewSecret(access), AccessExpiry: w.clock.Now().Add(time.Hour),
		}})
		w.must(err)
		w.clock.pass(59 * time.Minute)
		if status := w.get(s, outcome.Connection, "/user"); status != 200 {
			t.Errorf("a minute before its end it is answered with %d", status)
		}
		w.clock.pass(2 * time.Minute)
		_, err = s.Credential(w.ctx(), outcome.Connection)
		w.fails(err, windlass.NeedsReconnect, "no refresh token")
		w.told(connect.EventCreated, connect.EventError)
	})
}
