package connect_test

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/bitbucket/sandbox"
	"windlass/internal/connect"
)

func TestConsentBecomesAConnection(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		begun, err := s.Start(w.ctx(), w.ask(), connect.Opener{Origin: origin})
		w.must(err)
		at := w.visit(begun)
		page, err := url.Parse(at.provider)
		w.must(err)
		q := page.Query()
		if page.Host != "bitbucket.org" || q.Get("client_id") != w.app.ClientID || q.Get("response_type") != "code" ||
			q.Get("redirect_uri") != callbackURL || len(q.Get("state")) < 43 || q.Has("scope") ||
			q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 {
			t.Errorf("the page asked for is %s", at.provider)
		}
		outcome, err := s.Callback(w.ctx(), w.consent(begun))
		w.must(err)
		c := outcome.Connection
		if outcome.Origin != origin || !outcome.Created || len(outcome.Missing) != 0 {
			t.Errorf("the outcome is %+v", outcome)
		}
		if c.Status != windlass.ConnectionWorking || c.StatusReason != "" || c.Scheme != windlass.AuthOAuth ||
			c.ProviderAppID != w.app.ID || c.Workspace != "acme" || c.Group.Ref != "group-1" || c.Consumer.Ref != "person-1" ||
			!strings.HasPrefix(c.ConsumerRef, "{") || !slices.Contains(c.Scopes, "repository") ||
			c.Metadata["workspaceId"].Value != w.server.Credentials().WorkspaceUUID {
			t.Errorf("the connection is %+v", c)
		}
		got := w.stored(c)
		if got.Status != c.Status || got.Workspace != c.Workspace {
			t.Errorf("%+v was stored, %+v returned", got, c)
		}
		credentials := w.credentials(c)
		if credentials.Version != 1 || credentials.RefreshToken.IsZero() || !credentials.AccessExpiry.Equal(w.clock.Now().Add(2*time.Hour)) {
			t.Errorf("the credentials have version %d and end at %v", credentials.Version, credentials.AccessExpiry)
		}
		w.told(connect.EventCreated)
	})
}

func TestConsentAgainReplacesInPlace(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		change func(*connect.Ask, *sandbox.Server)
		same   bool
	}{
		{"the same person and workspace", func(*connect.Ask, *sandbox.Server) {}, true},
		{"the same workspace by its id", func(a *connect.Ask, s *sandbox.Server) { a.Workspace = s.Credentials().WorkspaceUUID }, true},
		{"another person", func(a *connect.Ask, _ *sandbox.Server) { a.ConsumerRef = "person-2" }, false},
		{"another customer", func(a *connect.Ask, _ *sandbox.Server) { a.GroupRef = "group-2" }, false},
		{"another workspace", func(a *connect.Ask, s *sandbox.Server) { a.Workspace = s.Credentials().OtherWorkspace }, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			virtually(t, scene{}, func(w *world) {
				s := w.service()
				first := w.connected(s)
				ask := w.ask()
				row.change(&ask, w.server)
				begun, err := s.Start(w.ctx(), ask, connect.Opener{})
				w.must(err)
				outcome, err := s.Callback(w.ctx(), w.consent(begun))
				w.must(err)
				if same := outcome.Connection.ID == first.ID; same != row.same || outcome.Created == row.same {
					t.Fatalf("the same connection: %v, created: %v", same, outcome.Created)
				}
				if row.same {
					w.told(connect.EventCreated, connect.EventUpdated)
					if version := w.credentials(first).Version; version != 2 {
						t.Errorf("the credentials have version %d, want 2", version)
					}
				}
			})
		})
	}
}

// Each of these ends a consent without a connection, with words for the person,
// and tells the page that opened it wherever the state says which that is.
func TestConsentThatFails(t *testing.T) {
	t.Parallel()
	const again = "start again from the product"
	type answers = func(w *world, begun connect.Consent, a connect.Answer) connect.Answer
	as := func(change func(*connect.Answer)) answers {
		return func(_ *world, _ connect.Consent, a connect.Answer) connect.Answer { change(&a); return a }
	}
	for _, row := range []struct {
		name      string
		workspace string
		answer    answers
		kind      windlass.Kind
		says      string
		told      bool // the page that opened it is told
	}{
		{
			"a denied consent", "",
			as(func(a *connect.Answer) { a.Code, a.Error = "", "access_denied" }), windlass.Forbidden, "access was denied", true,
		},
		{
			"a provider that has a problem", "",
			as(func(a *connect.Answer) { a.Code, a.Error = "", "temporarily_unavailable" }), windlass.Unavailable, "try again later", true,
		},
		{
			"a provider that refuses the request", "",
			as(func(a *connect.Answer) { a.Code, a.Error, a.Description = "", "invalid_request", "no such callback" }), windlass.Invalid, "no such callback", true,
		},
		{"neither code nor error", "", as(func(a *connect.Answer) { a.Code = "" }), windlass.Invalid, "sent no code", true},
		{"a code that was made up", "", as(func(a *connect.Answer) { a.Code = "forged" }), windlass.NeedsReconnect, "code is not valid", true},
		{"no state", "", as(func(a *connect.Answer) { a.State = "" }), windlass.Invalid, again, false},
		{"a forged state", "", as(func(a *connect.Answer) { a.State = strings.Repeat("A", 43) }), windlass.NotFound, "not started here", false},
		{
			"the hash of a state, as from a stolen database", "",
			as(func(a *connect.Answer) { a.State = hashOf(a.State) }), windlass.NotFound, "not started here", false,
		},
		{
			"a state that was used", "",
			func(w *world, _ connect.Consent, a connect.Answer) connect.Answer {
				_, err := w.service().Callback(w.ctx(), connect.Answer{State: a.State, Browser: a.Browser, Error: "access_denied"})
				w.fails(err, windlass.Forbidden)
				return a
			},
			windlass.NotFound, "used already", true,
		},
		{
			"a state that is too old", "",
			func(w *world, _ connect.Consent, a connect.Answer) connect.Answer {
				w.clock.pass(10 * time.Minute)
				return a
			},
			windlass.Gone, "took too long", true,
		},
		{"another browser", "", as(func(a *connect.Answer) { a.Browser = windlass.NewSecret("another") }), windlass.Forbidden, "another browser", true},
		{"a browser that shows nothing", "", as(func(a *connect.Answer) { a.Browser = windlass.Secret{} }), windlass.Forbidden, "another browser", true},
		{"a workspace that does not exist", "nowhere", nil, windlass.NotFound, "covers acme", true},
		{"a workspace that the person cannot see", "acme-vault", nil, windlass.NotFound, "covers acme", true},
		{"a workspace marked as spam", "acme-flagged", nil, windlass.Gone, "spam", true},
		{
			"a workspace of others that anybody may look at", "somebodys",
			func(w *world, _ connect.Consent, a connect.Answer) connect.Answer {
				w.server.ServeBody("GET", "/workspaces/somebodys", 200, []byte(`{"uuid":"{1}","slug":"somebodys","name":"Open"}`))
				w.server.ServeBody("GET", "/user/workspaces/somebodys/permission", 403,
					[]byte(`{"type":"error","error":{"message":"You are not a member of this workspace."}}`))
				return a
			},
			windlass.Forbidden, "does not belong to the workspace", true,
		},
		{
			"a client secret that is wrong", "",
			func(w *world, _ connect.Consent, a connect.Answer) connect.Answer {
				w.app.ClientSecret = windlass.NewSecret("not the secret")
				w.must(w.store.UpdateProviderApp(w.ctx(), w.app))
				return a
			},
			windlass.Unauthorized, "client id and secret of the provider app \"" + appID, true,
		},
		{
			"a provider that is down", "",
			func(w *world, _ connect.Consent, a connect.Answer) connect.Answer {
				w.inject("reset,path=/site/oauth2/access_token")
				return a
			},
			windlass.Unavailable, "could not be reached", true,
		},
		{
			"a provider that takes forever", "",
			func(w *world, _ connect.Consent, a connect.Answer) connect.Answer {
				w.inject("hang,path=/site/oauth2/access_token")
				return a
			},
			windlass.Unavailable, "no answer", true,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			virtually(t, scene{}, func(w *world) {
				s, ask := w.service(), w.ask()
				if row.workspace != "" {
					ask.Workspace = row.workspace
				}
				begun, err := s.Start(w.ctx(), ask, connect.Opener{Origin: origin})
				w.must(err)
				answer := w.consent(begun)
				if row.answer != nil {
					answer = row.answer(w, begun, answer)
				}
				outcome, err := s.Callback(w.ctx(), answer)
				failure := w.failure(err, row.kind, row.says)
				if failure.Remedy == "" {
					t.Errorf("%v says nothing of what can be done", err)
				}
				if (outcome.Origin == origin) != row.told || (outcome.Origin == "") == row.told {
					t.Errorf("the origin to tell is %q", outcome.Origin)
				}
				if all, _ := w.store.Connections(w.ctx(), windlass.ConnectionFilter{}); len(all) != 0 || outcome.Connection.ID != "" {
					t.Errorf("left behind: %+v", all)
				}
				w.told()
			})
		})
	}
}

// Two pages of different origins are each told of their own consent only.
func TestEachOriginIsToldOfItsOwnConsent(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		other := "https://elsewhere.example.org:8443"
		mine, err := s.Start(w.ctx(), w.ask(), connect.Opener{Origin: origin})
		w.must(err)
		theirs, err := s.Start(w.ctx(), w.ask(), connect.Opener{Origin: other})
		w.must(err)
		for want, begun := range map[string]connect.Consent{origin: mine, other: theirs} {
			outcome, err := s.Callback(w.ctx(), w.consent(begun))
			w.must(err)
			if outcome.Origin != want {
				t.Errorf("%s is told, want %s", outcome.Origin, want)
			}
		}
	})
}

// The window may be closed as soon as the code has arrived: what it is good for
// must not be lost.
func TestConsentOutlivesItsWindow(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		begun, err := s.Start(w.ctx(), w.ask(), connect.Opener{})
		w.must(err)
		ctx, closed := context.WithCancel(w.ctx())
		closed()
		outcome, err := s.Callback(ctx, w.consent(begun))
		w.must(err)
		w.stored(outcome.Connection)
	})
}

func TestMissingScopesAreReported(t *testing.T) {
	t.Parallel()
	content := `{"name":"sync","provider":"bitbucket","read":{"objects":[{"objectName":"repositories"},{"objectName":"hooks"}]},` +
		`"write":{"objects":[{"objectName":"projects"}]}}`
	for _, row := range []struct {
		name   string
		scopes []string
		want   []string
	}{
		{"all that is asked for", []string{"repository", "webhook", "project", "project:admin"}, nil},
		{"one too few", []string{"repository", "project", "project:admin", "account"}, []string{"webhook"}},
		{"a scope may be implied by another", []string{"project", "project:admin", "webhook"}, nil},
		{"project:admin does not imply project", []string{"repository", "project:admin", "webhook"}, []string{"project"}},
		{"nothing that is of use", []string{"email"}, []string{"project", "project:admin", "repository", "webhook"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			virtually(t, scene{scopes: row.scopes}, func(w *world) {
				w.must(w.store.SaveIntegrations(w.ctx(), projectID, []windlass.Integration{
					{ID: "i", ProjectID: projectID, Name: "sync", Provider: "bitbucket", Latest: windlass.Revision{ID: "r", IntegrationID: "i", Content: []byte(content)}},
					{ID: "j", ProjectID: projectID, Name: "other", Provider: "elsewhere", Latest: windlass.Revision{Content: []byte(`{"read":{"objects":[{"objectName":"snippets"}]}}`)}},
				}))
				s := w.service()
				begun, err := s.Start(w.ctx(), w.ask(), connect.Opener{})
				w.must(err)
				outcome, err := s.Callback(w.ctx(), w.consent(begun))
				w.must(err)
				if !slices.Equal(outcome.Missing, row.want) {
					t.Errorf("missing %v, want %v", outcome.Missing, row.want)
				}
				// The connection goes on saying so, after a refresh too.
				for range 2 {
					reason := w.stored(outcome.Connection).StatusReason
					if (reason == "") != (row.want == nil) || !strings.Contains(reason, strings.Join(row.want, ", ")) {
						t.Errorf("the connection says %q", reason)
					}
					_, _, err := s.Get(w.ctx(), projectID, outcome.Connection.ID, connect.Force)
					w.must(err)
				}
			})
		})
	}
}

// An outage of the API after the consent must not waste the consent.
func TestConsentWithoutACheckIsTakenOnTrust(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		begun, err := s.Start(w.ctx(), w.ask(), connect.Opener{Origin: origin})
		w.must(err)
		w.inject("status=429,path=/2.0/workspaces/*,times=1")
		outcome, err := s.Callback(w.ctx(), w.consent(begun))
		w.must(err)
		if got := w.stored(outcome.Connection); got.Status != windlass.ConnectionCreated || !strings.Contains(got.StatusReason, "could not be checked yet") {
			t.Errorf("it is %s: %s", got.Status, got.StatusReason)
		}
		w.get(s, outcome.Connection, "/user")
		if got := w.stored(outcome.Connection); got.Status != windlass.ConnectionWorking || got.StatusReason != "" {
			t.Errorf("after its first use it is %s: %s", got.Status, got.StatusReason)
		}

		// A connection that works already is not replaced on trust.
		again, err := s.Start(w.ctx(), w.ask(), connect.Opener{Origin: origin})
		w.must(err)
		w.inject("status=503,path=/2.0/workspaces/*,times=1")
		_, err = s.Callback(w.ctx(), w.consent(again))
		w.fails(err, windlass.Unavailable, "left as it was")
		if version := w.credentials(outcome.Connection).Version; version != 1 {
			t.Errorf("the credentials have version %d", version)
		}
	})
}
