package connect_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/internal/connect"
)

// begin starts a consent for a group.
func (w *world) begin(s *connect.Service, group string) connect.Consent {
	w.Helper()
	ask := w.ask()
	ask.GroupRef = group
	begun, err := s.Start(w.ctx(), ask, connect.Opener{Origin: origin})
	w.must(err)
	return begun
}

// none fails when a group has a connection.
func (w *world) none(group string) {
	w.Helper()
	found, err := w.store.Connections(w.ctx(), windlass.ConnectionFilter{ProjectID: projectID, GroupRef: group})
	w.must(err)
	if len(found) > 0 {
		w.Errorf("the group %s has a connection", group)
	}
}

// Who has a frontend key can begin consents for any group, and open all of their
// addresses. What they cannot have is the victim's browser.
func TestAttackerCannotFinishInTheVictimsBrowser(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		attack func(w *world, s *connect.Service) error
	}{
		{"with a callback of their own consent", func(w *world, s *connect.Service) error {
			// They go as far as Bitbucket's answer, and have the victim open that.
			answer := w.consent(w.begin(s, "attacker"))
			answer.Browser = windlass.Secret{}
			_, err := s.Callback(w.ctx(), answer)
			return err
		}},
		{"with a callback, where the victim has a consent of another group", func(w *world, s *connect.Service) error {
			victims := w.visit(w.begin(s, "victim"))
			answer := w.consent(w.begin(s, "attacker"))
			answer.Browser = victims.opening.Browser
			_, err := s.Callback(w.ctx(), answer)
			return err
		}},
		{"with Bitbucket's page, past the one that names the group", func(w *world, s *connect.Service) error {
			// The victim consents there, and comes back without the cookie.
			back, err := w.server.Consent(w.visit(w.begin(s, "attacker")).provider)
			w.must(err)
			_, err = s.Callback(w.ctx(), w.answer(windlass.Secret{}, back))
			return err
		}},
		{"with the way on from that page", func(w *world, s *connect.Service) error {
			begun := w.begin(s, "attacker")
			at := w.visit(begun)
			_, err := s.Continue(w.ctx(), w.param(begun.URL, callbackURL+connect.BeginPath, connect.TicketParam), windlass.Secret{},
				w.param(at.opening.Continue, callbackURL+connect.ContinuePath, connect.ConfirmParam))
			return err
		}},
		{"with the way on, where the victim has seen the page in passing", func(w *world, s *connect.Service) error {
			begun := w.begin(s, "attacker")
			attackers, victims := w.visit(begun), w.visit(begun)
			_, err := s.Continue(w.ctx(), w.param(begun.URL, callbackURL+connect.BeginPath, connect.TicketParam), victims.opening.Browser,
				w.param(attackers.opening.Continue, callbackURL+connect.ContinuePath, connect.ConfirmParam))
			return err
		}},
		{"with a cookie that they made up", func(w *world, s *connect.Service) error {
			answer := w.consent(w.begin(s, "attacker"))
			_, ticket, _ := strings.Cut(answer.Browser.Reveal(), ".")
			answer.Browser = windlass.NewSecret(strings.Repeat("A", 43) + "." + ticket)
			_, err := s.Callback(w.ctx(), answer)
			return err
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			virtually(t, scene{}, func(w *world) {
				s := w.service()
				w.fails(row.attack(w, s), windlass.Forbidden, "another browser")
				w.none("attacker")
				w.none("victim")
				w.told()
			})
		})
	}
}

// What the wrong browser shows does not use the right one's consent up.
func TestWrongBrowserUsesNothingUp(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		answer := w.consent(w.begin(s, "group-1"))
		wrong := answer
		wrong.Browser = windlass.Secret{}
		outcome, err := s.Callback(w.ctx(), wrong)
		w.fails(err, windlass.Forbidden)
		if outcome.Origin != origin {
			t.Errorf("the opener is not told: %q", outcome.Origin)
		}
		_, err = s.Callback(w.ctx(), answer)
		w.must(err)
	})
}

// A code that an attacker's own consent brought is of no use with another's state:
// otherwise a victim ends up with the attacker's workspace.
func TestCodeBelongsToItsConsent(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		attackers, victims := w.consent(w.begin(s, "attacker")), w.consent(w.begin(s, "victim"))
		victims.Code = attackers.Code
		_, err := s.Callback(w.ctx(), victims)
		w.fails(err, windlass.NeedsReconnect, "code")
		w.none("victim")
	})
}

// Consents at the same time in one browser do not get into each other's way.
func TestConsentsOfOneBrowserGoOnSideBySide(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		first, second := w.consent(w.begin(s, "one")), w.consent(w.begin(s, "two"))
		if connect.KeyOfState(first.State) == connect.KeyOfState(second.State) || connect.KeyOfState(first.State) == "" {
			t.Error("the two share a cookie")
		}
		for _, answer := range []connect.Answer{first, second} {
			_, err := s.Callback(w.ctx(), answer)
			w.must(err)
		}
	})
}

func TestConsentOfAConnectionIsBoundLikewise(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		c := w.connected(s)
		begun, err := s.Reconnect(w.ctx(), projectID, c.ID, connect.Opener{Origin: origin})
		w.must(err)
		answer := w.consent(begun)
		answer.Browser = windlass.Secret{}
		_, err = s.Callback(w.ctx(), answer)
		w.fails(err, windlass.Forbidden, "another browser")
		if version := w.credentials(c).Version; version != 1 {
			t.Errorf("the credentials have version %d", version)
		}
	})
}

func TestConsentsBeginFromTheProjectsOriginsOnly(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		c := w.connected(s)
		if !strings.Contains(w.logs.String(), "allowedOrigins") {
			t.Error("no warning that any page may begin")
		}
		project, err := w.store.Project(w.ctx(), projectID)
		w.must(err)
		project.Origins = []string{origin, "http://localhost:3000"}
		w.must(w.store.CreateProject(w.ctx(), project)) // in memory that replaces it
		for _, from := range []string{"https://evil.example", "https://app.example.com.evil.example", "http://app.example.com", "https://app.example.com:8443"} {
			_, err := s.Start(w.ctx(), w.ask(), connect.Opener{Origin: from})
			w.fails(err, windlass.Forbidden, "allowedOrigins")
			_, err = s.Reconnect(w.ctx(), projectID, c.ID, connect.Opener{Origin: from})
			w.fails(err, windlass.Forbidden, "allowedOrigins")
		}
		for _, from := range append(project.Origins, "") {
			_, err := s.Start(w.ctx(), w.ask(), connect.Opener{Origin: from})
			w.must(err)
		}
	})
}

// Before going to the provider the person reads who asks, and for whom.
func TestOpeningSaysWhatItIsAbout(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		for range 2 { // the second time for the connection
			begun := w.begin(s, "group-1")
			got := w.visit(begun).opening
			if got.Product != "Mail" || got.GroupRef != "group-1" || got.GroupName != "Acme" || got.Workspace != "acme" || got.Origin != origin {
				t.Errorf("it says %+v", got)
			}
			_, err := s.Callback(w.ctx(), w.consent(begun))
			w.must(err)
			ticket := w.param(begun.URL, callbackURL+connect.BeginPath, connect.TicketParam)
			late, err := s.Open(w.ctx(), ticket, windlass.Secret{})
			w.fails(err, windlass.NotFound, "used already")
			if late.Origin != origin {
				t.Errorf("the opener is not told: %q", late.Origin)
			}
		}
		// A look by a program, or a reload, binds nothing and breaks nothing.
		begun := w.begin(s, "group-2")
		ticket := w.param(begun.URL, callbackURL+connect.BeginPath, connect.TicketParam)
		_, err := s.Open(w.ctx(), ticket, windlass.Secret{})
		w.must(err)
		answer := w.consent(begun)
		again, err := s.Open(w.ctx(), ticket, answer.Browser)
		w.must(err)
		if again.Browser != answer.Browser {
			t.Error("a reload takes the browser's secret away")
		}
		_, err = s.Callback(w.ctx(), answer)
		w.must(err)
	})
}

// A frontend key begins consents without end: each group has its share, and what
// has expired is deleted when it expires, without a request.
func TestPendingConsentsAreBounded(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		store := w.store.(*memory)
		refused := 0
		for i := range 200 {
			ask := w.ask()
			ask.GroupRef = "noisy"
			if _, err := s.Start(w.ctx(), ask, connect.Opener{}); err != nil {
				refused++
				if failure := w.failure(err, windlass.RateLimited, `"noisy"`); failure.RetryAfter <= 0 || failure.RetryAfter > 10*time.Minute {
					t.Errorf("%d: wait for %v", i, failure.RetryAfter)
				}
			}
		}
		if refused != 150 {
			t.Errorf("%d of 200 were refused, want 150", refused)
		}
		w.begin(s, "another")
		for i := range 3000 {
			ask := w.ask()
			ask.GroupRef = fmt.Sprintf("group-%d", i)
			if _, err := s.Start(w.ctx(), ask, connect.Opener{}); err != nil {
				w.fails(err, windlass.RateLimited, "the project")
			}
		}
		if got := store.pending(); got != 2000 {
			t.Errorf("%d are pending, want 2000", got)
		}
		w.clock.pass(10*time.Minute + 2*time.Second)
		if got := store.pending(); got != 0 {
			t.Errorf("%d are kept though they have expired", got)
		}
	})
}

// What a caller sends about itself and others is bounded.
func TestNamesInAConsentAreBounded(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 257)
	many := map[string]windlass.MetadataValue{}
	for i := range 33 {
		many[fmt.Sprintf("key-%d", i)] = windlass.MetadataValue{Value: "x", Source: "input"}
	}
	for _, row := range []struct {
		name   string
		change func(*connect.Ask)
	}{
		{"groupRef", func(a *connect.Ask) { a.GroupRef = long }},
		{"groupName", func(a *connect.Ask) { a.GroupName = long }},
		{"groupName", func(a *connect.Ask) { a.GroupName = "a\x00b" }},
		{"consumerRef", func(a *connect.Ask) { a.ConsumerRef = long }},
		{"consumerName", func(a *connect.Ask) { a.ConsumerName = long }},
		{"provider", func(a *connect.Ask) { a.Provider = long }},
		{"providerAppId", func(a *connect.Ask) { a.ProviderApp = long }},
		{"providerMetadata", func(a *connect.Ask) { a.Metadata = many }},
		{"providerMetadata", func(a *connect.Ask) { a.Metadata = map[string]windlass.MetadataValue{long: {Value: "x"}} }},
		{"providerMetadata", func(a *connect.Ask) {
			a.Metadata = map[string]windlass.MetadataValue{"x": {Value: strings.Repeat("x", 5000)}}
		}},
		{"providerMetadata", func(a *connect.Ask) { a.Metadata = map[string]windlass.MetadataValue{"x": {DisplayName: long}} }},
	} {
		virtually(t, scene{}, func(w *world) {
			ask := w.ask()
			row.change(&ask)
			_, err := w.service().Start(w.ctx(), ask, connect.Opener{})
			w.fails(err, windlass.Invalid, row.name)
			_, err = w.service().Generate(w.ctx(), connect.Import{Ask: ask, Credentials: windlass.Credentials{APIKey: windlass.NewSecret("x")}})
			w.fails(err, windlass.Invalid, row.name)
		})
	}
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		c := w.connected(s)
		for range 2 {
			_, err := s.Update(w.ctx(), projectID, c.ID, connect.Change{Metadata: many})
			w.fails(err, windlass.Invalid, "providerMetadata")
		}
	})
}
