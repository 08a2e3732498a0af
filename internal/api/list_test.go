package api_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"windlass"
	"windlass/internal/api"
	"windlass/internal/install"
)

// countedInstallations counts what is read at once of the installations, and can
// fail in the middle.
type countedInstallations struct {
	install.Store

	mu      sync.Mutex
	parts   int
	largest int
	failAt  int
}

func (c *countedInstallations) Installations(ctx context.Context, filter windlass.InstallationFilter) ([]windlass.Installation, error) {
	all, err := c.Store.Installations(ctx, filter)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.parts++
	c.largest = max(c.largest, len(all))
	if c.parts == c.failAt {
		return nil, errors.New("the disk is full")
	}
	return all, err
}

// withInstallations is a world of many customers.
func withInstallations(t *testing.T, n int) (*world, *countedInstallations) {
	t.Helper()
	counted := &countedInstallations{}
	w := newWorldWith(t, func(c *api.Config) {
		counted.Store = c.Lookup.(install.Store)
		c.Install = install.New(counted, nil, nil)
	})
	w.deployed()
	id := w.installed("cust", w.connected("cust", "person"))
	one, err := w.store.Installation(t.Context(), w.project.ID, id)
	if err != nil {
		t.Fatal(err)
	}
	err = w.store.In(t.Context(), func(ctx context.Context) error {
		for i := 1; i < n; i++ {
			made, err := uuid.NewV7()
			if err != nil {
				return err
			}
			one.ID, one.Group.Ref = made.String(), fmt.Sprint("cust-", i)
			if err := w.store.CreateInstallation(ctx, one, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return w, counted
}

func TestWholeListIsReadInParts(t *testing.T) {
	t.Parallel()
	const n = 1203
	w, counted := withInstallations(t, n)
	for _, path := range []string{w.in("/installations"), w.in("/integrations/repos/installations")} {
		counted.parts = 0
		seen := map[string]bool{}
		for _, one := range w.get(path).is(200).list() {
			seen[one["id"].(string)] = true
		}
		if len(seen) != n || counted.parts != 3 || counted.largest > 501 {
			t.Errorf("%s: %d installations in %d parts of at most %d", path, len(seen), counted.parts, counted.largest)
		}
	}
	if got := w.do(request{method: "HEAD", path: w.in("/installations")}).is(200); got.body != "" {
		t.Errorf("HEAD has a body of %d bytes", len(got.body))
	}
}

func TestListThatBreaksOffIsNotTakenForTheWhole(t *testing.T) {
	t.Parallel()
	w, counted := withInstallations(t, 1203)
	counted.parts, counted.failAt = 0, 2
	server := httptest.NewServer(w.api)
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+w.in("/installations"), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Api-Key", w.key)
	answer, err := server.Client().Do(r)
	if err == nil {
		defer answer.Body.Close()
		_, err = io.Copy(io.Discard, answer.Body)
	}
	if err == nil {
		t.Error("the answer ended as if it were whole")
	}
	if !strings.Contains(w.logs.String(), "the disk is full") {
		t.Error("the log does not say why")
	}
	counted.parts, counted.failAt = 0, 1
	w.get(w.in("/installations")).problem(500, "internal")
}

func TestEveryListHasPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deployed()
	second := strings.ReplaceAll(theManifest, "name: repos", "name: others")
	w.send("PUT", w.in("/integrations:batch"), map[string]any{"sourceYaml": second}).is(200)
	w.newProject("another")
	for i, name := range []string{"one", "two", "three"} {
		group := fmt.Sprint("cust-", i)
		w.installed(group, w.connected(group, "person"))
		w.send("POST", w.in("/destinations"), map[string]any{"name": name, "type": "webhook", "metadata": map[string]any{"url": "https://hooks.example.com/" + name}}).is(201)
		w.send("POST", w.in("/provider-apps"), map[string]any{"provider": "bitbucket", "clientId": name, "clientSecret": "s"}).is(200)
		w.send("POST", w.in("/topics"), map[string]any{"name": name}).is(201)
		w.signer()
	}
	topics, destinations := w.get(w.in("/topics")).list(), w.get(w.in("/destinations")).list()
	for i := range topics {
		w.send("POST", w.in("/notification-event-topic-routes"), map[string]any{"eventType": "connection.error", "topicId": topics[i]["id"]}).is(201)
		w.send("POST", w.in("/topic-destination-routes"), map[string]any{"topicId": topics[0]["id"], "destinationId": destinations[i]["id"]}).is(201)
	}
	w.carryOn(t)
	installation := w.get(w.in("/installations")).list()[0]["id"].(string)
	operations := w.get(w.in(inRepos + installation + "/operations")).object()["results"].([]any)
	operation := operations[0].(map[string]any)["id"].(string)
	for _, path := range []string{
		"/v1/projects", w.in("/provider-apps"), w.in("/integrations"), w.in("/installations"), w.in("/integrations/repos/installations"),
		w.in("/connections"), w.in("/destinations"), w.in("/api-keys"), w.in("/api-keys?active=true"), w.in("/jwt-keys"), w.in("/topics"),
		w.in("/notification-event-topic-routes?eventType=connection.error"), w.in("/topic-destination-routes"),
		w.in("/operations/" + operation + "/logs"),
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			w := w.as(t)
			key := w.key
			if path == "/v1/projects" {
				key = operatorKey
			}
			whole := w.do(request{method: "GET", path: path, key: key}).is(200).body
			if count := len(w.do(request{method: "GET", path: path, key: key}).list()); count < 2 {
				t.Fatalf("nothing to page through: %s", whole)
			}
			var items []string
			base, err := url.Parse(path)
			if err != nil {
				t.Fatal(err)
			}
			query := base.Query()
			query.Set("pageSize", "1")
			next := base.Path + "?" + query.Encode()
			for next != "" && len(items) < 50 {
				page := w.do(request{method: "GET", path: next, key: key}).is(200)
				items = append(items, strings.TrimSuffix(strings.TrimPrefix(page.body, "["), "]"))
				next = ""
				if link, there := strings.CutSuffix(page.header.Get("Link"), `>; rel="next"`); there {
					reference, err := url.Parse(strings.TrimPrefix(link, "<"))
					if err != nil {
						t.Fatal(err)
					}
					next = base.ResolveReference(reference).String()
				}
			}
			if got := "[" + strings.Join(items, ",") + "]"; got != whole {
				t.Errorf("the pages are\n%s\nand the whole is\n%s", got, whole)
			}
		})
	}
}

func TestPagesAreBounded(t *testing.T) {
	t.Parallel()
	w, counted := withInstallations(t, 600)
	if got := w.get(w.in("/installations?pageSize=100000")).is(200); len(got.list()) != 500 || counted.largest > 501 {
		t.Errorf("a page has %d installations", len(got.list()))
	}
	w.get(w.in("/installations?pageSize=0")).problem(400, "invalid")
	if got := w.get(w.in("/installations?pageToken=" + url.QueryEscape(strings.Repeat("0", 36)))).is(200); len(got.list()) != 50 {
		t.Errorf("a page without a size has %d installations", len(got.list()))
	}
}
