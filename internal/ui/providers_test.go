package ui_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/bitbucket"
	"windlass/connector"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

// gitforge is another provider whose customers consent.
type gitforge struct{ bitbucket.Provider }

func (*gitforge) Info() connector.Info {
	return connector.Info{
		Name: "gitforge", DisplayName: "Gitforge Cloud", Brand: "Gitforge", AuthType: connector.OAuth2,
		Consent: &connector.ConsentInfo{App: connector.AppWords{
			Name: "application", About: "An application of your *forge*.",
			Steps:    []string{"Choose **New & shiny**, then *Apps*; enter {callback}", "Save"},
			ClientID: "Gitforge calls it *Id*.", ClientSecret: "Gitforge calls it *Password*.", Scopes: "code", Limit: "5,000",
		}},
	}
}

// keyed is a provider whose customers do not consent.
type keyed struct{ gitforge }

func (k *keyed) Info() connector.Info {
	info := k.gitforge.Info()
	info.Name, info.Brand, info.Consent, info.AuthType = "keyed", "Keyed", nil, connector.APIKey
	return info
}

func pageDesk(t *testing.T, providers ...connector.Provider) *desk {
	t.Helper()
	d := newDesk(t, storetest.New(t, store.SQLite).Open(t, nil), providers...)
	made := time.Unix(1_800_000_000, 0)
	if err := d.store.CreateProject(t.Context(), windlass.Project{ID: "p1", Name: "mail", AppName: "Mail", Created: made, Updated: made}); err != nil {
		t.Fatal(err)
	}
	return d
}

// What is said of a provider is its own: one is called by its name, and each of several
// has a form of its own.
func TestPagesTakeProvidersWordsFromThem(t *testing.T) {
	t.Parallel()
	one, two := pageDesk(t, &bitbucket.Provider{}), pageDesk(t, &keyed{}, &bitbucket.Provider{}, &gitforge{})
	editors := map[*desk]*http.Cookie{one: one.session(windlass.Editor), two: two.session(windlass.Editor)}
	for _, row := range []struct {
		desk     *desk
		page     string
		has, not []string
	}{
		{
			one, "provider-apps",
			[]string{
				"An OAuth consumer of a Bitbucket workspace of yours. Your customers", "<h2>Register a Bitbucket OAuth consumer</h2>",
				`<code id="callback">`, "open the consumer, and copy its <strong>Key</strong>", "Bitbucket calls it <em>Secret</em>.", "(see <em>First steps</em>)",
			},
			[]string{`name="provider"`, "**"},
		},
		{one, "budget", []string{"<p>Bitbucket counts requests", "Nothing was asked of Bitbucket"}, nil},
		{one, "deploy?template=1", []string{"provider: bitbucket"}, []string{"gitforge"}},
		{
			two, "provider-apps",
			[]string{
				"<h2>Register a Bitbucket OAuth consumer</h2>", "<h2>Register a Gitforge application</h2>", `name="provider" value="gitforge"`,
				"Choose <strong>New &amp; shiny</strong>, then <em>Apps</em>; enter <code id=\"callback-gitforge\">", `id="clientId-gitforge"`, "Empty: 5,000.",
			},
			[]string{"Keyed", `value="bitbucket"`},
		},
		{two, "budget", []string{"<p>The provider counts requests", "Nothing was asked of a provider"}, []string{"Bitbucket"}},
		{two, "deploy?template=1", []string{"provider: bitbucket", "provider: gitforge", "provider: keyed"}, nil},
	} {
		body := row.desk.send("GET", "/dashboard/p/p1/"+row.page, editors[row.desk], nil).Body.String()
		for _, want := range row.has {
			if !strings.Contains(body, want) {
				t.Errorf("%s does not say %q:\n%s", row.page, want, body)
			}
		}
		for _, unwanted := range row.not {
			if strings.Contains(body, unwanted) {
				t.Errorf("%s says %q", row.page, unwanted)
			}
		}
	}
}

// A form registers an app of the provider that it is for.
func TestAFormRegistersAnAppOfItsProvider(t *testing.T) {
	t.Parallel()
	d := pageDesk(t, &keyed{}, &bitbucket.Provider{}, &gitforge{})
	editor := d.session(windlass.Editor)
	for _, row := range []struct{ named, want string }{{"", "bitbucket"}, {"gitforge", "gitforge"}} {
		form := url.Values{"clientId": {"id of " + row.want}, "clientSecret": {"secret"}}
		if row.named != "" {
			form.Set("provider", row.named)
		}
		if got := d.submit("POST", "/dashboard/p/p1/provider-apps", form, editor, nil); got.Code != 303 {
			t.Fatalf("got %d: %s", got.Code, got.Body)
		}
	}
	apps, err := d.store.ProviderApps(t.Context(), "p1", windlass.Page{})
	if err != nil || len(apps) != 2 {
		t.Fatalf("%+v, %v", apps, err)
	}
	for _, app := range apps {
		if app.ClientID != "id of "+app.Provider {
			t.Errorf("%s is an app of %s", app.ClientID, app.Provider)
		}
	}
	// What was entered stays in the form that it was entered in.
	page := d.submit("POST", "/dashboard/p/p1/provider-apps", url.Values{"provider": {"gitforge"}, "clientId": {"half"}}, editor, nil)
	if body := page.Body.String(); page.Code != 422 || !strings.Contains(body, `id="clientId-gitforge" name="clientId" value="half"`) || strings.Count(body, `value="half"`) != 1 {
		t.Errorf("got %d: %s", page.Code, body)
	}
}
