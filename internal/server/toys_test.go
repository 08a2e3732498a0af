package server_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"windlass/connector"
	"windlass/internal/server"
	"windlass/internal/sink"
)

const loansAmp = `specVersion: 1.0.0
integrations:
  - name: reading-room
    provider: library
    read:
      objects:
        - objectName: books
          destination: archive
          requiredFields:
            - fieldName: title
          backfill:
            defaultPeriod:
              fullHistory: true
        - objectName: loans
          destination: archive
          optionalFieldsAuto: all
          backfill:
            defaultPeriod:
              fullHistory: true
`

// A provider with one object below another and a type of destination, neither of which
// any other package knows of, compiled into one server that is stopped in the middle
// of the backfill: every record arrives, and once.
func TestToysTogetherThroughARestart(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, config server.Config) {
		const books = 45
		site, toy, path := newLibrarySite(t, books), &folder{}, t.TempDir()
		// The first read of a second page of loans does not end while this server runs.
		reached, pages := make(chan struct{}), atomic.Int32{}
		site.holds(func(r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/loans") && r.URL.Query().Get("page") == "2" && pages.Add(1) == 1 {
				close(reached)
				<-r.Context().Done()
			}
		})
		config.Providers = connector.Providers{&library{url: site.URL}}
		config.Sinks = []sink.Type{toy.destinationType()}
		config.AllowPrivateDestinations = []string{"127.0.0.0/8", "::1"}
		config.Keyset, _ = newKeyset(t)
		r := start(t, config)
		r.must(http.MethodPost, inProject+"/destinations", map[string]any{"name": "archive", "type": "folder", "metadata": folderSettings{Path: path, Lines: 7}}, nil)
		r.must(http.MethodPut, inProject+"/integrations:batch", map[string]string{"sourceYaml": loansAmp}, nil)
		r.must(http.MethodPost, libraryKeys, (&lent{}).connection("main", site.key), nil)
		chosen := func(object string) map[string]any {
			return map[string]any{"objectName": object, "selectedFields": map[string]bool{}, "selectedFieldMappings": map[string]string{}}
		}
		r.must(http.MethodPost, readingRoom+"/installations?skipSampling=true", map[string]any{
			"groupRef": "group-1", "config": map[string]any{"content": map[string]any{
				"provider": "library", "read": map[string]any{"objects": map[string]any{"books": chosen("books"), "loans": chosen("loans")}},
			}},
		}, nil)

		<-reached
		if arrived := len(lines(t, path)); arrived >= books+libraryShelves*libraryLoans {
			t.Fatalf("%d records had arrived before the restart", arrived)
		}
		if err := r.end(); err != nil {
			t.Fatal(err)
		}
		start(t, config)
		const all = books + libraryShelves*libraryLoans
		awaitUntil(t, "every record", func() bool { return len(lines(t, path)) >= all })
		seen := map[string]int{}
		for _, line := range lines(t, path) {
			_, entry, _ := strings.Cut(strings.TrimPrefix(line, "read "), " ")
			var record struct{ Raw struct{ UUID string } }
			if err := json.Unmarshal([]byte(entry), &record); err != nil {
				t.Fatalf("%v in %s", err, line)
			}
			seen[record.Raw.UUID]++
		}
		for id, times := range seen {
			if times != 1 {
				t.Errorf("%s arrived %d times", id, times)
			}
		}
		if len(seen) != all {
			t.Errorf("%d records arrived, want %d", len(seen), all)
		}
		if pages.Load() < 2 {
			t.Error("the page that the restart broke off was not read again")
		}
	})
}

// holds has every request wait for a function.
func (s *librarySite) holds(wait func(r *http.Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hold = wait
}
