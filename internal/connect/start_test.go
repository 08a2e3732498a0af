package connect_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"windlass"
	"windlass/internal/connect"
)

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func TestStartSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	input := func(value string) map[string]windlass.MetadataValue {
		return map[string]windlass.MetadataValue{"workspace": {Value: value, Source: "input"}}
	}
	for _, row := range []struct {
		name   string
		change func(*connect.Ask, *connect.Opener, *world)
		kind   windlass.Kind
		says   []string
	}{
		{
			"everything that is missing, at once",
			func(a *connect.Ask, _ *connect.Opener, _ *world) { *a = connect.Ask{} },
			windlass.Invalid,
			[]string{"projectIdOrName", "provider", "groupRef", "consumerRef", "providerWorkspaceRef"},
		},
		{
			"an unknown project",
			func(a *connect.Ask, _ *connect.Opener, _ *world) { a.Project = "post" },
			windlass.NotFound,
			[]string{`no project "post"`},
		},
		{
			"an unknown provider",
			func(a *connect.Ask, _ *connect.Opener, _ *world) { a.Provider = "gitea" },
			windlass.Invalid,
			[]string{`no provider "gitea"`},
		},
		{
			"an unknown provider app",
			func(a *connect.Ask, _ *connect.Opener, _ *world) { a.ProviderApp = "x" },
			windlass.NotFound,
			[]string{`no provider app "x"`},
		},
		{
			"two provider apps, and none chosen",
			func(_ *connect.Ask, _ *connect.Opener, w *world) {
				second := w.app
				second.ID, second.ClientID = "018f0000-0000-7000-8000-00000000000b", "second"
				w.must(w.store.CreateProviderApp(w.ctx(), second))
			},
			windlass.Conflict,
			[]string{"several provider apps", "providerAppId"},
		},
		{
			"a workspace that differs from itself",
			func(a *connect.Ask, _ *connect.Opener, _ *world) { a.Metadata = input("umbrella") },
			windlass.Invalid,
			[]string{`"acme"`, `"umbrella"`},
		},
		{
			"an address for a workspace",
			func(a *connect.Ask, _ *connect.Opener, _ *world) { a.Workspace = "https://bitbucket.org/acme" },
			windlass.Invalid,
			[]string{"without slashes"},
		},
		{
			"a page for an origin",
			func(_ *connect.Ask, o *connect.Opener, _ *world) { o.Origin = origin + "/page" },
			windlass.Invalid,
			[]string{"is not an origin"},
		},
		{
			"a script for an origin",
			func(_ *connect.Ask, o *connect.Opener, _ *world) { o.Origin = "javascript:alert(1)" },
			windlass.Invalid,
			[]string{"is not an origin"},
		},
		{
			"a provider app that takes the state's place",
			func(_ *connect.Ask, _ *connect.Opener, w *world) {
				w.app.AuthParams = map[string][]string{"state": {"fixed"}}
				w.must(w.store.UpdateProviderApp(w.ctx(), w.app))
			},
			windlass.Invalid,
			[]string{`the parameter "state"`},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			virtually(t, scene{}, func(w *world) {
				ask, opener := w.ask(), connect.Opener{Origin: origin}
				row.change(&ask, &opener, w)
				begun, err := w.service().Start(w.ctx(), ask, opener)
				w.fails(err, row.kind, row.says...)
				if begun.URL != "" {
					t.Errorf("it began all the same: %s", begun.URL)
				}
			})
		})
	}
}

func TestStartTakesTheWorkspaceFromEitherPlace(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s, ask := w.service(), w.ask()
		ask.Metadata = map[string]windlass.MetadataValue{
			"workspace": {Value: ask.Workspace, Source: "input"}, "region": {Value: "eu", Source: "input"},
			"workspaceId": {Value: "{made up}", Source: "input"},
		}
		ask.Workspace = ""
		begun, err := s.Start(w.ctx(), ask, connect.Opener{})
		w.must(err)
		outcome, err := s.Callback(w.ctx(), w.consent(begun))
		w.must(err)
		if c := outcome.Connection; c.Workspace != "acme" || c.Metadata["region"].Value != "eu" {
			t.Errorf("the connection is %+v", c)
		}
	})
}

func TestAuthParamsTravel(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		w.app.AuthParams = map[string][]string{"prompt": {"consent"}}
		w.must(w.store.UpdateProviderApp(w.ctx(), w.app))
		begun, err := w.service().Start(w.ctx(), w.ask(), connect.Opener{})
		w.must(err)
		if at := w.visit(begun); !strings.Contains(at.provider, "prompt=consent") {
			t.Errorf("the page asked for is %s", at.provider)
		}
	})
}

// What is stored of a consent under way must not be enough to finish it.
func TestStateIsStoredAsItsHash(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		begun, err := w.service().Start(w.ctx(), w.ask(), connect.Opener{})
		w.must(err)
		ticket := w.param(begun.URL, callbackURL+connect.BeginPath, connect.TicketParam)
		at := w.visit(begun)
		store, ok := w.store.(*memory)
		if !ok || store.pending() != 1 {
			t.Fatal("one state is stored")
		}
		for _, state := range store.rows.states {
			if state.Hash != hashOf(ticket) {
				t.Errorf("stored under %s", state.Hash)
			}
			for _, secret := range []string{ticket, at.opening.Browser.Reveal(), w.param(at.provider, "https://bitbucket.org/site/oauth2/authorize", "state")} {
				if strings.Contains(state.Hash+string(state.Data), secret) {
					t.Error("a secret is stored")
				}
			}
		}
	})
}
