package ui_test

import (
	"strings"
	"testing"
)

func TestAPersonSeesToAConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	project := w.project()
	key, _ := w.product()
	id := w.connected(key, "acme-1", "Acme", "account", "repository")
	other := w.connected(key, "zebra-2", "Zebra", "account", "repository", "project", "project:admin")
	w.installed("acme-1")

	w.Visit(project + "/connections")
	w.says("acme-1")
	w.Fill("#search", "zeb")
	w.Choose("#status", "working")
	w.Submit("main form button")
	w.says("zebra-2")
	if strings.Contains(w.Text("table"), "acme-1") {
		t.Errorf("the search finds %s", w.Text("table"))
	}
	w.Submit("tbody a")
	w.says("none") // of the scopes is missing
	w.Visit(project + "/connections?status=bad_credentials")
	w.says("None match the filter.")

	page := project + "/connections/" + id
	w.Visit(page)
	w.says("Ann")
	w.says("OAuth consent")
	w.says("project:admin") // is missing
	w.Submit("form[action$=delete] button")
	w.says("Installations still use it.")

	w.Scripts(false)
	w.Visit(page)
	w.Submit("form[action$=reconnect] button")
	w.says("Link for the customer")
	link := w.Text("section code")
	if strings.Contains(w.At(), "consent=") || !strings.HasPrefix(link, w.server.URL()) {
		t.Fatalf("the link is %q, on %s", link, w.At())
	}
	w.Scripts(true)
	w.Visit(page)
	w.Submit("form[action$=reconnect] button")
	w.CheckAccessible("a link to re-authorize")
	w.fits(project+"/connections", page)
	w.Visit(link)
	w.says("Acme")
	w.says(w.bucket.Credentials().Workspace)

	w.Visit(project + "/connections/" + other)
	w.Submit("form[action$=delete] button")
	w.says("Deleted.")
	w.page("/dashboard/audit")
	w.says("connection.reconnect")
	w.says("connection.delete")
	if page := w.Text("body"); strings.Contains(page, "consent=") {
		t.Errorf("the audit log shows a link:\n%s", page)
	}
}
