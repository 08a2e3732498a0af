package ui_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"windlass/bitbucket/sandbox"
	"windlass/internal/browsertest"
)

// A customer's backfill moves on the page by itself, until it has ended.
func TestAPersonFollowsABackfill(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, &sandbox.Options{Repositories: 250})
	stuck, err := sandbox.ParseFault("status=503,path=/2.0/repositories/*,after=1")
	if err != nil {
		t.Fatal(err)
	}
	w.bucket.Inject(stuck)
	project := w.project()
	key, _ := w.product()
	w.connected(key, "acme-1", "<i>Acme</i>", "account", "repository", "project")
	id := w.installed("acme-1")
	page := project + "/installations/" + id

	w.Visit(project + "/installations")
	w.says("acme-1")
	w.says("<i>Acme</i>")
	w.Submit("tbody a")
	if w.At() != page {
		t.Fatalf("the list leads to %s", w.At())
	}
	w.until("40%, 100 of about 250")
	w.says("backfill, full")
	w.Scripts(false)
	w.Visit(page)
	w.says("100 of about 250")
	w.says("Look again")
	w.Scripts(true)
	w.Visit(page)
	w.bucket.ClearFaults()
	w.until("complete up to")
	w.until("success")
	w.says("250")
	w.Visit(page)
	w.says("well")
	w.fits(project+"/installations", page, page+"/objects/repositories")
}

func TestAPersonChangesHowAnInstallationIsRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	project := w.project()
	key, received := w.product()
	w.connected(key, "acme-1", "Acme", "account", "repository", "project")
	id := w.installed("acme-1")
	page := project + "/installations/" + id
	w.Visit(page)
	w.until("complete up to")

	w.Fill("#note", "moving house")
	w.Submit("form[action$=pause] button")
	w.says("The reads are paused.")
	w.says("moving house")
	w.Submit("form[action$=read] button")
	w.says("are paused: moving house")
	w.Submit("form[action$=pause] button[formaction]")
	w.says("The reads are resumed.")

	w.Visit(page + "/objects/repositories")
	w.says("full_name")
	w.Fill("#schedule", "* * * * *")
	w.Submit("main form button")
	w.says(`runs every minute`)
	if typed := browsertest.Evaluate[string](w.Browser, `document.querySelector("#schedule").value`); typed != "* * * * *" {
		t.Errorf("what was typed became %q", typed)
	}
	w.Fill("#schedule", "0 5 * * *")
	w.Tick(`input[name=field][value="language"]`)
	w.Submit("main form button")
	w.says("Saved.")
	w.Visit(page)
	if config := w.Text("pre"); !strings.Contains(config, `"schedule": "0 5 * * *"`) || !strings.Contains(config, `"language": true`) {
		t.Errorf("the config is %s", config)
	}
	w.says("0 5 * * *")

	before := received.Load()
	w.Visit(page)
	w.Choose("#read-object", "repositories")
	w.Submit("form[action$=read] button")
	w.says("The read has begun.")
	if !strings.Contains(w.At(), "/operations/") {
		t.Errorf("a read that was asked for leads to %s", w.At())
	}
	w.Visit(page)
	w.until("success")
	for begun := time.Now(); received.Load() == before && time.Since(begun) < 30*time.Second; {
		time.Sleep(50 * time.Millisecond)
	}
	if received.Load() == before {
		t.Error("nothing was delivered of the read that was asked for")
	}

	w.Submit("form[action$=delete] button")
	w.says("Deleted.")
	w.says("There is none yet")
	w.page("/dashboard/audit")
	for _, action := range []string{"installation.pause", "installation.unpause", "installation.config", "installation.read", "installation.delete", "moving house"} {
		w.says(action)
	}
}

// A page that follows does not hold up the server's end: the world fails the test
// when its server is not done in time.
func TestTheServerEndsWhileAPageFollows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key, _ := w.product()
	w.connected(key, "acme-1", "Acme")
	id := w.installed("acme-1")
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	send := func(method, address string, cookies []*http.Cookie) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, cookie := range cookies {
			r.AddCookie(cookie)
		}
		resp, err := browser.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	in := send(http.MethodPost, w.server.FirstSignIn().Reveal(), nil)
	defer in.Body.Close()
	live := send(http.MethodGet, w.server.URL()+"/dashboard/p/default/installations/"+id+"/live", in.Cookies())
	if live.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("there is no stream: %s", live.Status)
	}
}

func TestInstallationsAreSearched(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	project := w.project()
	key, _ := w.product()
	for _, group := range []string{"acme-1", "zebra-2"} {
		w.connected(key, group, "Customer "+group)
		w.installed(group)
	}
	w.Visit(project + "/installations")
	w.Fill("#search", "ZEB")
	w.Submit("main form button")
	w.says("zebra-2")
	if strings.Contains(w.Text("table"), "acme-1") {
		t.Errorf("the search finds %s", w.Text("table"))
	}
	w.Visit(project + "/installations?search=nothing&health=unhealthy")
	w.says("None match the filter.")
	w.Scripts(false)
	w.Visit(project + "/installations?health=healthy&integration=repos")
	w.says("acme-1")
	w.Visit(project + "/installations/00000000-0000-7000-8000-000000000000")
	w.says("There is no such installation.")
	resp, err := http.Get(w.server.URL() + strings.TrimPrefix(w.At(), w.server.URL()) + "/live")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		t.Error("a stranger follows an installation")
	}
}
