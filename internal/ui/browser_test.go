package ui_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"windlass/bitbucket/sandbox"
	"windlass/connector"
	"windlass/internal/browsertest"
	"windlass/internal/server"
)

// world is a running server in front of the sandbox, and a browser in front of it.
type world struct {
	*browsertest.Browser

	t      *testing.T
	server *server.Server
	bucket *sandbox.Server
}

// newWorld starts a server on a new SQLite file. It stops when the test ends.
func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldWith(t, &sandbox.Options{Repositories: 25})
}

func newWorldWith(t *testing.T, options *sandbox.Options) *world {
	t.Helper()
	browser := browsertest.Open(t) // first: without one there is nothing to start
	bucket := sandbox.New(options)
	site := httptest.NewServer(bucket)
	t.Cleanup(site.Close)
	s, err := server.New(t.Context(), server.Config{
		Addr: "127.0.0.1:0", DataDir: t.TempDir(), Endpoints: map[string]connector.Endpoints{"bitbucket": {API: site.URL + "/2.0", Site: site.URL}},
		AllowHTTPDestinations: true, AllowPrivateDestinations: []string{"127.0.0.0/8"},
		Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("stop the server: %v", err)
		}
	})
	return &world{Browser: browser, t: t, server: s, bucket: bucket}
}

// signIn follows the link that the first start prints.
func (w *world) signIn() {
	w.t.Helper()
	w.Visit(w.server.FirstSignIn().Reveal())
	w.Submit("main button")
}

// page opens a page of the dashboard.
func (w *world) page(path string) {
	w.t.Helper()
	w.Visit(w.server.URL() + path)
}

// says fails the test unless the page has a text.
func (w *world) says(text string) {
	w.t.Helper()
	if page := w.Text("body"); !strings.Contains(page, text) {
		w.t.Errorf("the page does not say %q:\n%s", text, page)
	}
}

func TestAPersonSignsInAndSetsAPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.page("/")
	if !strings.Contains(w.At(), "/dashboard/sign-in") {
		t.Fatalf("/ leads to %s", w.At())
	}
	w.signIn()
	w.says("Set a password")
	w.Fill("#password", "correct horse")
	w.Submit("form[action$=password] button")
	w.says("The password is set.")
	w.Submit("form[action$=sign-out] button")
	w.says("You are signed out.")
	w.Fill("#password", "wrong horse!")
	w.Submit("main button")
	w.says("The password is wrong.")
	w.Fill("#password", "correct horse")
	w.Submit("main button")
	w.page("/dashboard/audit")
	w.says("password.change")
	w.page("/dashboard/sign-in/used-up")
	w.Submit("main button")
	w.says("The sign-in link is not valid")
}

func TestAPersonCreatesAProject(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signIn()
	w.page("/dashboard/?all")
	w.Fill("#name", "default")
	w.Submit("form[action$=projects] button")
	w.says(`There is a project named "default" already.`)
	w.Fill("#name", "second")
	w.Fill("#appName", "<b>Second</b>")
	w.Submit("form[action$=projects] button")
	w.says("Created.")
	w.says("<b>Second</b>")
	w.page("/dashboard/nothing")
	w.says("There is no such page.")
}

// Every page that needs no setting up, as everyone may see it.
func TestPagesAreAccessibleAndFitAPhone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	check := func(paths ...string) {
		for _, scheme := range []string{"light", "dark"} {
			w.Scheme(scheme)
			for _, path := range paths {
				w.Size(1280, 900)
				w.page(path)
				w.CheckAccessible(path + " in " + scheme)
				w.Size(360, 740)
				w.page(path)
				w.CheckNoSidewaysScrolling(path)
			}
		}
	}
	check("/dashboard/sign-in", "/dashboard/sign-in/token")
	w.signIn()
	check("/dashboard/account", "/dashboard/?all", "/dashboard/audit", "/dashboard/nothing", "/dashboard/")
}

func TestAPersonSetsUpProviderAppAndDestination(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signIn()
	w.page("/dashboard/")
	project := w.At()
	w.Visit(project + "/provider-apps")
	w.says(w.server.CallbackURL())
	w.Fill("#clientId", "key of the consumer")
	w.Fill("#clientSecret", "a secret that must stay hidden")
	w.Fill("#limit", "many")
	w.Submit("main form button[type=submit]")
	w.says("is not a number of requests")
	w.Fill("#clientSecret", "a secret that must stay hidden")
	w.Fill("#limit", "2000")
	w.Submit("main form button[type=submit]")
	w.says("Created.")
	w.says("2,000")
	w.CheckAccessible("provider apps")
	w.Submit("tbody a")
	w.Fill("#scopes", "repository account")
	w.Submit("main form button[type=submit]")
	w.says("Saved.")
	w.CheckAccessible("a provider app")

	w.Visit(project + "/destinations")
	w.Fill("#name", "hook")
	w.Fill("#url", "http://127.0.0.1:9/hooks")
	w.Submit("main form button[type=submit]")
	w.says("Created.")
	w.CheckAccessible("a destination")
	w.Submit("form[action$=reveal] button")
	w.says("whsec_")
	w.Submit("form[action$=rotate] button")
	if n := strings.Count(w.Text("main"), "whsec_"); n != 2 {
		t.Errorf("after a rotation the page shows %d secrets, want 2", n)
	}
	w.Submit("form[action$=switch] button")
	w.says("It is disabled")
	w.Submit("form[action$=switch] button")
	w.Visit(project + "/deliveries")
	w.says("There are none.")
	w.CheckAccessible("deliveries")
	w.Size(360, 740)
	for _, page := range []string{"/provider-apps", "/destinations", "/destinations/hook", "/deliveries"} {
		w.Visit(project + page)
		w.CheckNoSidewaysScrolling(page)
	}
	w.page("/dashboard/audit")
	for _, action := range []string{"provider-app.create", "destination.rotate", "destination.disable"} {
		w.says(action)
	}
	if page := w.Text("body"); strings.Contains(page, "must stay hidden") || strings.Contains(page, "whsec_") {
		t.Errorf("the audit log shows a secret:\n%s", page)
	}
}

func TestAPersonManagesKeysAndTopics(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signIn()
	w.page("/dashboard/")
	project := w.At()
	w.Visit(project + "/keys")
	w.Fill("#label", "the backend")
	w.Submit("form[action$='keys/api'] button")
	made := w.Text("#made")
	if !strings.HasPrefix(made, "wlk_") {
		t.Fatalf("the new key is %q", made)
	}
	w.CheckAccessible("a new key")
	w.Visit(project + "/keys")
	if strings.Contains(w.Text("main"), made) {
		t.Error("the key is shown again")
	}
	w.Fill("#jwt-label", "the front end")
	w.Fill("#pem", "no key")
	w.Submit("form[action$='keys/jwt'] button")
	w.says("publicKeyPem")
	w.Visit(project + "/destinations")
	w.Fill("#name", "hook")
	w.Fill("#url", "http://127.0.0.1:9/hooks")
	w.Submit("main form button[type=submit]")
	w.Visit(project + "/topics")
	w.Fill("#name", "trouble")
	w.Submit("form[action$=topics] button")
	w.says("It has no destination")
	w.Submit("form[action$=events] button")
	w.Submit("form[action$=destinations] button")
	w.says("hook")
	w.CheckAccessible("topics")
	w.Visit(project + "/budget")
	w.says("Nothing was asked of Bitbucket")
	w.Scheme("dark")
	w.Size(360, 740)
	for _, page := range []string{"/keys", "/topics", "/budget"} {
		w.Visit(project + page)
		w.CheckAccessible(page + " in dark")
		w.CheckNoSidewaysScrolling(page)
	}
	w.page("/dashboard/audit")
	for _, action := range []string{"api-key.create", "topic.create", "topic.route-event", "topic.route"} {
		w.says(action)
	}
}
