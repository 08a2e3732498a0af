package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"windlass/connector"
	"windlass/internal/server"
)

const libraryAmp = `specVersion: 1.0.0
integrations:
  - name: reading-room
    provider: library
    proxy:
      enabled: true
    read:
      objects:
        - objectName: books
          destination: webhook
          schedule: "*/10 * * * *"
          requiredFields:
            - fieldName: title
          backfill:
            defaultPeriod:
              fullHistory: true
        - objectName: shelves
          destination: webhook
          schedule: "*/10 * * * *"
          optionalFieldsAuto: all
          backfill:
            defaultPeriod:
              fullHistory: true
    write:
      objects:
        - objectName: books
`

const (
	readingRoom = inProject + "/integrations/reading-room"
	libraryKeys = inProject + "/connections:generate"
)

// lent is a server that is built with the library for its only provider, a customer of
// which has installed an integration.
type lent struct {
	*running

	site         *librarySite
	to           *receiver
	config       server.Config
	installation string
}

func newLent(t *testing.T, config server.Config, books int) *lent {
	t.Helper()
	l := &lent{site: newLibrarySite(t, books), to: newReceiver(t), config: config}
	l.config.Providers = connector.Providers{&library{url: l.site.URL}}
	l.config.AllowHTTPDestinations, l.config.AllowPrivateDestinations = true, []string{"127.0.0.0/8", "::1"}
	l.config.Keyset, _ = newKeyset(t)
	l.running = start(t, l.config)
	l.must(http.MethodPost, inProject+"/destinations", map[string]any{
		"name": "webhook", "type": "webhook", "metadata": map[string]string{"url": l.to.URL},
	}, nil)
	l.receives(l.to)
	l.must(http.MethodPut, inProject+"/integrations:batch", map[string]string{"sourceYaml": libraryAmp}, nil)
	l.must(http.MethodPost, libraryKeys, l.connection("main", l.site.key), nil)
	return l
}

func (l *lent) connection(library, key string) map[string]string {
	return map[string]string{"provider": "library", "groupRef": "group-1", "consumerRef": "ann", "providerWorkspaceRef": library, "apiKey": key}
}

// install installs the integration, with one record read of each object to try it.
func (l *lent) install() {
	l.tb.Helper()
	chosen := func(object string) map[string]any {
		return map[string]any{"objectName": object, "selectedFields": map[string]bool{}, "selectedFieldMappings": map[string]string{}}
	}
	var made struct{ ID string }
	l.must(http.MethodPost, readingRoom+"/installations", map[string]any{
		"groupRef": "group-1", "config": map[string]any{"content": map[string]any{
			"provider": "library", "proxy": map[string]any{"enabled": true},
			"read":  map[string]any{"objects": map[string]any{"books": chosen("books"), "shelves": chosen("shelves")}},
			"write": map[string]any{"objects": map[string]any{"books": map[string]any{"objectName": "books", "deletionSettings": map[string]bool{"enabled": true}}}},
		}},
	}, &made)
	l.installation = made.ID
}

// again stops the server and starts it with every schedule due.
func (l *lent) again(t *testing.T) {
	t.Helper()
	key := l.key
	if err := l.end(); err != nil {
		t.Fatal(err)
	}
	makeDue(t, l.config)
	l.running = start(t, l.config)
	l.key = key
}

// A provider that nothing but this test knows of runs through the whole of a server:
// the server's list of providers is all that names one.
func TestAToyProviderRunsFromEndToEnd(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, config server.Config) {
		const books = 25
		l := newLent(t, config, books)
		l.describes(t)
		l.refuses(t)
		l.install()
		l.to.await(t, books+libraryShelves, time.Minute) // the backfill

		before := len(l.site.since(0))
		l.site.put(libraryBook{UUID: "book-new", Title: "The latest", Updated: time.Now()})
		l.again(t)
		l.to.await(t, books+libraryShelves+1, 3*time.Minute)
		for _, request := range l.site.since(before) {
			if strings.HasPrefix(request, "GET /library-1/books") && !strings.Contains(request, "since=") {
				t.Errorf("it was read in full: %s", request)
			}
		}
		l.to.check(t)
		l.writes(t)
		l.passesOn(t)
		l.accounts(t)
	})
}

// describes looks at what the server says of the provider.
func (l *lent) describes(t *testing.T) {
	t.Helper()
	type support struct{ Read, Write, Delete, Proxy bool }
	var catalog map[string]struct {
		DisplayName, AuthType, BaseURL string
		Support                        support
		OAuth2Opts                     *struct{}
	}
	l.must(http.MethodGet, "/v1/providers", nil, &catalog)
	entry, found := catalog["library"]
	if len(catalog) != 1 || !found || entry.DisplayName != "Public Library" || entry.AuthType != "apiKey" || entry.BaseURL != l.site.URL ||
		entry.OAuth2Opts != nil || entry.Support != (support{true, true, true, true}) {
		t.Errorf("the catalogue is %+v", catalog)
	}
	metadata := l.must(http.MethodGet, inProject+"/providers/library/objects/books/metadata?groupRef=group-1", nil, nil)
	if !strings.Contains(metadata, `"Code of the lock"`) {
		t.Error(metadata)
	}
}

// refuses tries what the provider has not got.
func (l *lent) refuses(t *testing.T) {
	t.Helper()
	for _, row := range []struct {
		name, method, path string
		body               any
		status             int
		says               string
	}{
		{"a consent", http.MethodPost, "/v1/oauth-connect", map[string]string{
			"projectIdOrName": "default", "provider": "library", "groupRef": "group-1", "consumerRef": "ann", "providerWorkspaceRef": "main",
		}, http.StatusBadRequest, "Public Library has no consent page"},
		{"an object", http.MethodPut, inProject + "/integrations:batch", map[string]string{
			"sourceYaml": strings.ReplaceAll(libraryAmp, "objectName: shelves", "objectName: shelfs"),
		}, http.StatusUnprocessableEntity, "shelves"},
		{"another provider", http.MethodPut, inProject + "/integrations:batch", map[string]string{"sourceYaml": amp}, http.StatusUnprocessableEntity, "library"},
		{"a key", http.MethodPost, libraryKeys, l.connection("main", "another-key"), http.StatusUnprocessableEntity, "no such key"},
		{"a library", http.MethodPost, libraryKeys, l.connection("elsewhere", l.site.key), http.StatusUnprocessableEntity, "404"},
	} {
		if status, body := l.call(row.method, row.path, row.body, nil); status != row.status || !strings.Contains(body, row.says) {
			t.Errorf("%s: got %d %s, want %d that says %q", row.name, status, body, row.status, row.says)
		}
	}
}

// writes creates, changes and deletes a book.
func (l *lent) writes(t *testing.T) {
	t.Helper()
	const path, secret = readingRoom + "/objects/books", "4-8-15-16-23-42"
	var made struct{ Result struct{ RecordID string } }
	answer := l.must(http.MethodPost, path, map[string]any{
		"groupRef": "group-1", "type": "create", "record": map[string]string{"title": "Written", "lock": secret},
	}, &made)
	id := made.Result.RecordID
	if b, found := l.site.book(id); !found || b.Title != "Written" || b.Lock != secret {
		t.Errorf("the library has %+v, %t", b, found)
	}
	if strings.Contains(answer, secret) {
		t.Errorf("the answer shows a secret field: %s", answer)
	}
	l.must(http.MethodPost, path, map[string]any{"groupRef": "group-1", "type": "update", "record": map[string]string{"id": id, "title": "Written anew"}}, nil)
	if b, _ := l.site.book(id); b.Title != "Written anew" {
		t.Errorf("the library has %+v", b)
	}
	l.must(http.MethodPost, path, map[string]any{"groupRef": "group-1", "type": "delete", "record": map[string]string{"id": id}}, nil)
	if b, found := l.site.book(id); found {
		t.Errorf("the library still has %+v", b)
	}
	status, body := l.call(http.MethodPost, path, map[string]any{"groupRef": "group-1", "type": "create", "record": map[string]string{"title": ""}}, nil)
	if status != http.StatusUnprocessableEntity || !strings.Contains(body, "a book needs a title") {
		t.Errorf("%d %s", status, body)
	}
}

// passesOn calls the provider through the proxy.
func (l *lent) passesOn(t *testing.T) {
	t.Helper()
	p := &proxied{running: l.running, installation: l.installation}
	status, body := p.do(p.request(t.Context(), http.MethodGet, "/main/shelves?page=1", ""))
	if status != http.StatusOK || strings.Count(body, "shelf-") != libraryShelves {
		t.Errorf("%d %s", status, body)
	}
}

// accounts looks at what was counted of the provider's requests.
func (l *lent) accounts(t *testing.T) {
	t.Helper()
	var budgets []struct {
		Limit int
		Used  struct{ Interactive, Scheduled, Backfill int }
	}
	l.must(http.MethodGet, inProject+"/budgets", nil, &budgets)
	if len(budgets) != 1 || budgets[0].Limit != libraryHourly || budgets[0].Used.Interactive == 0 || budgets[0].Used.Scheduled == 0 || budgets[0].Used.Backfill == 0 {
		t.Errorf("the budgets are %+v", budgets)
	}
	if n := l.metric("windlass_library_requests_total"); n == 0 {
		t.Error("no request to the library is counted")
	}
	if n := l.metric("windlass_bitbucket_requests_total"); n != 0 {
		t.Errorf("%v requests to Bitbucket are counted", n)
	}
}
