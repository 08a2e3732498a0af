package server

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"windlass"
	"windlass/internal/budget"
)

// appsOf is the one provider app there is, of the project p.
type appsOf string

func (a appsOf) ProviderApp(context.Context, string, string) (windlass.ProviderApp, error) {
	return windlass.ProviderApp{ID: string(a)}, nil
}

func (a appsOf) ProviderApps(_ context.Context, projectID string, _ windlass.Page) ([]windlass.ProviderApp, error) {
	if projectID != "p" {
		return nil, nil
	}
	return []windlass.ProviderApp{{ID: string(a)}}, nil
}

// A payingSite is budgets of two requests an hour, and what answers them.
type payingSite struct {
	*budgets

	t   *testing.T
	url string
}

func newPayingSite(t *testing.T) *payingSite {
	t.Helper()
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	t.Cleanup(site.Close)
	config, err := Config{HourlyLimit: 2}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	return &payingSite{newBudgets(&config, budget.NewMemory(), appsOf("app"), windlass.NewSecret("secret")), t, site.URL}
}

// send sends a request and reports whether it was paid.
func (s *payingSite) send(c windlass.Connection, spent windlass.Credentials) bool {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := (&payer{s.budgets, c, spent, &spending{}, http.DefaultTransport}).RoundTrip(req)
	if _, waits := errors.AsType[*budget.Wait](err); waits {
		return false
	}
	if err != nil {
		s.t.Fatal(err)
	}
	resp.Body.Close()
	return true
}

func token(text string) windlass.Credentials {
	return windlass.Credentials{APIKey: windlass.NewSecret(text)}
}

// A budget belongs to what Bitbucket counts: a credential, whatever it is used for and
// by however many connections, and a provider app.
func TestABudgetBelongsToTheCredential(t *testing.T) {
	t.Parallel()
	checked := windlass.Connection{ProjectID: "p"}
	one, two := windlass.Connection{ID: "1", ProjectID: "p"}, windlass.Connection{ID: "2", ProjectID: "q"}
	byApp := func(id string) windlass.Connection {
		return windlass.Connection{ID: id, ProjectID: "p", ProviderAppID: "app"}
	}
	login := func(name, password string) windlass.Credentials {
		return windlass.Credentials{Username: name, Password: windlass.NewSecret(password)}
	}
	connectApp := func(client, secret string) windlass.Credentials {
		return windlass.Credentials{AppKey: "key", ClientKey: client, SharedSecret: windlass.NewSecret(secret)}
	}
	type spending struct {
		by    windlass.Connection
		spent windlass.Credentials
	}
	for _, test := range []struct {
		name          string
		first, second spending
		shared        bool
	}{
		{"two credentials that are checked", spending{checked, token("a")}, spending{checked, token("b")}, false},
		{"one that is checked and then connected", spending{checked, token("a")}, spending{one, token("a")}, true},
		{"two connections of two projects with one token", spending{one, token("a")}, spending{two, token("a")}, true},
		{"two connections with two tokens", spending{one, token("a")}, spending{two, token("b")}, false},
		{"another token of the same connection", spending{one, token("a")}, spending{one, token("b")}, false},
		{"one API token by two names", spending{one, login("ann@example.com", "a")}, spending{two, login("x-bitbucket-api-token-auth", "a")}, true},
		{"one token as an access token and as an API token", spending{one, token("a")}, spending{two, login("ann@example.com", "a")}, true},
		{"one installed Connect app, its secret replaced", spending{one, connectApp("c", "a")}, spending{two, connectApp("c", "b")}, true},
		{"two installed Connect apps", spending{one, connectApp("c", "a")}, spending{two, connectApp("d", "a")}, false},
		{"two people of one provider app", spending{byApp("1"), token("a")}, spending{byApp("2"), token("b")}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newPayingSite(t)
			for i := range 2 {
				if !s.send(test.first.by, test.first.spent) {
					t.Fatalf("request %d of two was not paid", i+1)
				}
			}
			if paid := s.send(test.second.by, test.second.spent); paid == test.shared {
				t.Errorf("after the first has spent its hour the second pays: %v", paid)
			}
			// Proxied requests pay from the same.
			if err := (&proxyBudget{s.budgets}).Pay(t.Context(), test.first.by, test.first.spent); err == nil {
				t.Error("a proxied request was paid from an hour that is spent")
			}
		})
	}
}

// A project sees its own budgets, and of a budget that another one shares its own
// connections.
func TestAProjectSeesItsOwnBudgets(t *testing.T) {
	t.Parallel()
	s := newPayingSite(t)
	s.send(windlass.Connection{ID: "1", ProjectID: "p"}, token("shared"))
	s.send(windlass.Connection{ID: "2", ProjectID: "q"}, token("shared"))
	s.send(windlass.Connection{ID: "3", ProjectID: "q"}, token("of q"))
	s.send(windlass.Connection{ProjectID: "p"}, token("checked"))
	s.send(windlass.Connection{ID: "4", ProjectID: "p", ProviderAppID: "app"}, token("of a person"))
	got := map[string][]string{}
	for _, project := range []string{"p", "q", "r"} {
		states, err := s.Budgets(t.Context(), project)
		if err != nil {
			t.Fatal(err)
		}
		for _, state := range states {
			got[project+" "+state.Key] = state.Payers
		}
	}
	want := map[string][]string{
		"p " + s.ofCredential(token("shared")): {"1"}, "p " + s.ofCredential(token("checked")): nil, "p app:app": nil,
		"q " + s.ofCredential(token("shared")): {"2"}, "q " + s.ofCredential(token("of q")): {"3"},
	}
	if !maps.EqualFunc(got, want, slices.Equal[[]string]) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}
