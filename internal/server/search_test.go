package server_test

import (
	"net/http"
	"strings"
	"testing"

	"windlass/bitbucket/sandbox"
	"windlass/internal/server"
)

// A search finds what Bitbucket has now, page by page, and its requests are paid for
// like those of anyone who waits for an answer.
func TestSearchesArePaidFor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, config server.Config) {
		bitbucket := sandbox.New(&sandbox.Options{Repositories: 150})
		to := newReceiver(t)
		r := connectedTo(t, delivering(config, bitbucket), bitbucket, to)
		r.logOf(r.reads("repositories"), "Read 150 records")
		if _, err := bitbucket.CreateRepository("after-the-read", ""); err != nil {
			t.Fatal(err)
		}
		const searches = 40
		before := bitbucket.Requests()
		for range searches {
			var found struct {
				Result, Results []struct{ Raw struct{ Slug string } }
			}
			r.must(http.MethodPost, inProject+"/integrations/bitbucket?groupRef=group-1", map[string]any{
				"objectName": "repositories", "fieldFilters": []any{map[string]string{"fieldName": "slug", "operator": "eq", "value": "after-the-read"}},
			}, &found)
			if len(found.Result) != 1 || len(found.Results) != 1 || found.Result[0].Raw.Slug != "after-the-read" {
				t.Fatalf("found %+v", found)
			}
		}
		sent := bitbucket.Requests() - before
		if sent != 2*searches {
			t.Errorf("%d searches of two pages took %d requests", searches, sent)
		}
		var budgets []struct {
			Key  string
			Used struct{ Interactive int }
		}
		r.must(http.MethodGet, inProject+"/budgets", nil, &budgets)
		paid := 0
		for _, b := range budgets {
			if strings.HasPrefix(b.Key, "app:") {
				paid = b.Used.Interactive
			}
		}
		if paid < sent {
			t.Errorf("%d requests were sent, and %d were paid for: %+v", sent, paid, budgets)
		}
	})
}
