package bitbucket_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"windlass"
	"windlass/bitbucket"
	"windlass/bitbucket/sandbox"
	"windlass/connector"
)

const elsewhere = `{"uuid":"{77777777-7777-4777-8777-777777777777}","type":"repository","name":"new","slug":"new"}`

// A write that is answered with a redirect was not done: the answer of the GET
// that a client makes of it is not the answer to the write.
func TestARedirectedWriteIsNotDone(t *testing.T) {
	t.Parallel()
	const api = "https://api.bitbucket.org/2.0"
	for _, row := range []struct {
		name, location string
		status         int
		kind           windlass.Kind
		says           string
	}{
		{"301", api + "/repositories/acme/new", 301, windlass.Conflict, "moved to /2.0/repositories/acme/new"},
		{"302", api + "/repositories/acme/new", 302, windlass.Conflict, "moved to /2.0/repositories/acme/new"},
		{"303", "/2.0/repositories/acme/new", 303, windlass.Conflict, "moved to /2.0/repositories/acme/new"},
		{"307 to another host", "https://elsewhere.example/2.0/repositories/acme/new?token=x", 307, windlass.Conflict, "https://elsewhere.example, which is not the API"},
		{"308 out of the API", "https://api.bitbucket.org/login", 308, windlass.Conflict, "which is not the API"},
		{"301 to nowhere", "", 301, windlass.Conflict, "does not say where to"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			sent := map[string]int{}
			c := over(t, transportFunc(func(req *http.Request) (*http.Response, error) {
				sent[req.Method]++
				if req.Method == http.MethodGet || strings.HasSuffix(req.URL.Path, "/new") {
					return reply(200, elsewhere), nil
				}
				if row.location == "" {
					return reply(row.status, ""), nil
				}
				return reply(row.status, "", "Location", row.location), nil
			}))
			check := func(err error) {
				t.Helper()
				e := typed(t, err)
				if e.Kind != row.kind || !strings.Contains(e.Error(), row.says) || strings.Contains(e.Error(), "token=x") {
					t.Errorf("%s: %v", e.Kind, e)
				}
				if e.Provider.Status != row.status {
					t.Errorf("the status is %d", e.Provider.Status)
				}
			}
			check(c.Delete(t.Context(), connector.DeleteRequest{Object: "repositories", ID: "old"}))
			_, err := c.Write(t.Context(), connector.WriteRequest{Object: "repositories", Record: []byte(`{"name":"old"}`)})
			check(err)
			if sent[http.MethodGet] != 0 || sent[http.MethodDelete] != 1 || sent[http.MethodPost] != 1 {
				t.Errorf("sent %v", sent)
			}
		})
	}
}

// 307 and 308 keep the method and the body: a write may follow them.
func TestAWriteFollowsWhatKeepsItsMethod(t *testing.T) {
	t.Parallel()
	for _, status := range []int{307, 308} {
		var sent []string
		c := over(t, transportFunc(func(req *http.Request) (*http.Response, error) {
			sent = append(sent, req.Method+" "+req.URL.Path)
			if strings.HasSuffix(req.URL.Path, "/old") {
				return reply(status, "", "Location", "/2.0/repositories/acme/new"), nil
			}
			return reply(204, ""), nil
		}))
		err := c.Delete(t.Context(), connector.DeleteRequest{Object: "repositories", ID: "old"})
		if want := "DELETE /2.0/repositories/acme/old DELETE /2.0/repositories/acme/new"; err != nil || strings.Join(sent, " ") != want {
			t.Errorf("%d: %v, %v", status, sent, err)
		}
	}
}

// A write that 307 leads to a 303 ends there as well.
func TestAWriteFollowsNothingThatChangesItsMethodLater(t *testing.T) {
	t.Parallel()
	c := over(t, transportFunc(func(req *http.Request) (*http.Response, error) {
		switch {
		case strings.HasSuffix(req.URL.Path, "/old"):
			return reply(307, "", "Location", "/2.0/repositories/acme/new"), nil
		case req.Method == http.MethodGet:
			return reply(200, elsewhere), nil
		default:
			return reply(303, "", "Location", "/2.0/repositories/acme/newer"), nil
		}
	}))
	err := c.Delete(t.Context(), connector.DeleteRequest{Object: "repositories", ID: "old"})
	if !errors.Is(err, windlass.Conflict) || !strings.Contains(err.Error(), "/acme/newer") {
		t.Error(err)
	}
}

func TestReadsFollowRedirectsWithinTheAPI(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, location, says string
		kind                 windlass.Kind
		asked                int
	}{
		{"within", "/2.0/repositories/acme/new", "", "", 2},
		{"to another host", "https://elsewhere.example/2.0/x", "https://elsewhere.example, which is not the API", windlass.Malformed, 1},
		{"out of the API", "/account/signin", "which is not the API", windlass.Malformed, 1},
		{"in a circle", "/2.0/repositories/acme/old", "redirects in a circle", windlass.Malformed, 10},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			c := over(t, transportFunc(func(req *http.Request) (*http.Response, error) {
				asked++
				if strings.HasSuffix(req.URL.Path, "/old") {
					return reply(301, "", "Location", row.location), nil
				}
				return reply(200, elsewhere), nil
			}))
			record, err := c.Get(t.Context(), connector.GetRequest{Object: "repositories", ID: "old"})
			if asked != row.asked {
				t.Errorf("asked %d times", asked)
			}
			if row.kind == "" {
				if err != nil || record.ID != "{77777777-7777-4777-8777-777777777777}" {
					t.Errorf("%+v, %v", record, err)
				}
				return
			}
			if !errors.Is(err, row.kind) || !strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), "could not be reached") {
				t.Error(err)
			}
		})
	}
}

// The client that was given keeps its own rules, and its transport's callers theirs.
func TestNewDoesNotChangeTheClient(t *testing.T) {
	t.Parallel()
	client := &http.Client{}
	if _, err := bitbucket.New(client, nil); err != nil || client.CheckRedirect != nil {
		t.Error("the client was changed")
	}
}

// A repository that was renamed answers at its old path with 301.
func TestAMovedRepository(t *testing.T) {
	t.Parallel()
	r := setUp(t, &sandbox.Options{Repositories: 3})
	slug, err := r.server.CreateRepository("Old Name", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.server.EditRepository(slug, map[string]any{"name": "New Name"}); err != nil {
		t.Fatal(err)
	}
	record, err := r.Get(t.Context(), connector.GetRequest{Object: "repositories", ID: slug})
	if err != nil || stringIn(t, record.Raw, "slug") != "new-name" {
		t.Fatalf("%s, %v", record.Raw, err)
	}
	err = r.Delete(t.Context(), connector.DeleteRequest{Object: "repositories", ID: slug})
	if !errors.Is(err, windlass.Conflict) || !strings.Contains(err.Error(), "moved to /2.0/repositories/acme/new-name") {
		t.Errorf("the delete: %v", err)
	}
	if _, err := r.Get(t.Context(), connector.GetRequest{Object: "repositories", ID: record.ID}); err != nil {
		t.Errorf("it is gone: %v", err)
	}
	// An update goes by the uuid, wherever it is.
	if _, err := r.Write(t.Context(), connector.WriteRequest{Object: "repositories", ID: slug, Record: []byte(`{"description":"moved"}`)}); err != nil {
		t.Error(err)
	}
	if err := r.Delete(t.Context(), connector.DeleteRequest{Object: "repositories", ID: record.ID}); err != nil {
		t.Error(err)
	}
}
