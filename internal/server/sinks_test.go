package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"windlass"
	"windlass/bitbucket/sandbox"
	"windlass/internal/server"
	"windlass/internal/sink"
)

// A folder is a toy of a type of destination: it appends what is delivered to files
// of a folder, a line for each record. Nothing else of the product knows of it.
type folder struct {
	mu     sync.Mutex
	refuse int // so many attempts more
	tried  int
	ids    []string // of the batches that were accepted
}

// folderSettings are what its destinations say.
type folderSettings struct {
	Path  string `json:"path"`
	Lines int    `json:"lines,omitempty"` // of a batch; 0 is any number
}

func (f *folder) destinationType() sink.Type {
	return sink.Type{Name: "folder", Sink: f, Settings: folderSettings{}}
}

func (f *folder) settings(d windlass.Destination) (s folderSettings) {
	if err := json.Unmarshal(d.Settings, &s); err != nil {
		panic(err) // they were checked
	}
	return s
}

func (f *folder) Check(d windlass.Destination) []windlass.Issue {
	if s := f.settings(d); !filepath.IsAbs(s.Path) {
		return []windlass.Issue{{In: "body", Name: "path", Message: "is not the whole path of a folder"}}
	}
	return nil
}

func (f *folder) Encode(d windlass.Destination, of sink.Stream, entries []sink.Entry) ([]sink.Batch, error) {
	lines := f.settings(d).Lines
	if lines == 0 {
		lines = len(entries)
	}
	var batches []sink.Batch
	for chunk := range slices.Chunk(entries, max(lines, 1)) {
		var body []byte
		for _, entry := range chunk {
			body = fmt.Appendf(body, "%s %s %s\n", of.Kind, of.Object, entry.JSON)
		}
		batches = append(batches, sink.Batch{Body: body, Entries: len(chunk)})
	}
	return batches, nil
}

func (f *folder) Send(_ context.Context, d windlass.Destination, b windlass.Batch) sink.Result {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.tried++; f.refuse > 0 {
		f.refuse--
		return sink.Result{Error: "the disk is full", Detail: "ENOSPC"}
	}
	if err := os.WriteFile(filepath.Join(f.settings(d).Path, b.ID), b.Body, 0o600); err != nil {
		return sink.Result{Error: "the folder cannot be written", Detail: err.Error()}
	}
	f.ids = append(f.ids, b.ID)
	return sink.Result{}
}

func (f *folder) attempts() (tried int, accepted []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.tried, slices.Clone(f.ids)
}

// lines are what has arrived in a folder.
func lines(t *testing.T, path string) (all []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(path, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")...)
	}
	return all
}

// awaitUntil looks again and again until something is so.
func awaitUntil(t *testing.T, what string, is func() bool) {
	t.Helper()
	const patience = time.Minute // never spent when all is well
	for begun := time.Now(); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Since(begun) > patience {
			t.Fatalf("waited %s for %s", patience, what)
		}
	}
}

// to has a server that knows the toy send to a destination of its type.
func (f *folder) to(t *testing.T, config server.Config, bitbucket *sandbox.Server, settings folderSettings) *running {
	t.Helper()
	config.Sinks = []sink.Type{f.destinationType()}
	r := start(t, delivering(config, bitbucket))
	r.product(bitbucket)
	r.must(http.MethodPost, inProject+"/destinations", map[string]any{"name": "archive", "type": "folder", "metadata": settings}, nil)
	manifest := strings.Replace(amp, "destination: webhook", "destination: archive", 1)
	r.must(http.MethodPut, inProject+"/integrations:batch", map[string]string{"sourceYaml": manifest}, nil)
	r.consent(bitbucket)
	return r
}

// A type of destination that only this file knows receives a backfill, end to end.
func TestToyDestinationReceivesABackfill(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, config server.Config) {
		const repositories, perBatch = 250, 30 // pages of 100: batches of 30, 30, 30 and 10
		toy, path := &folder{}, t.TempDir()
		bitbucket := sandbox.New(&sandbox.Options{Repositories: repositories, Limit: -1})
		r := toy.to(t, config, bitbucket, folderSettings{Path: path, Lines: perBatch})
		r.must(http.MethodPost, inProject+"/integrations/bitbucket/installations?skipSampling=true", installation, nil)
		awaitUntil(t, "the backfill", func() bool { return len(lines(t, path)) == repositories })
		seen := map[string]bool{}
		for _, line := range lines(t, path) {
			entry, found := strings.CutPrefix(line, "read repositories ")
			var record struct{ Raw json.RawMessage }
			if err := json.Unmarshal([]byte(entry), &record); err != nil || !found {
				t.Fatalf("%v in %s", err, line)
			}
			seen[idOf(record.Raw)] = true
		}
		if len(seen) != repositories {
			t.Errorf("%d of %d repositories came", len(seen), repositories)
		}
		var page struct {
			Results []struct {
				NumRecords  int
				Status      string
				Destination string `json:"destinationName"`
			}
		}
		awaitUntil(t, "the last record of an attempt", func() bool {
			r.must(http.MethodGet, inProject+"/deliveries?pageSize=100&status=delivered", nil, &page)
			_, accepted := toy.attempts()
			return len(page.Results) == len(accepted)
		})
		records := 0
		for _, d := range page.Results {
			if records += d.NumRecords; d.NumRecords > perBatch || d.Destination != "archive" {
				t.Errorf("a delivery is %+v", d)
			}
		}
		if records != repositories {
			t.Errorf("the deliveries count %d records", records)
		}
	})
}

// What the toy refuses is kept with the reason that it gave, and arrives with the same
// bytes when it is asked for once more.
func TestToyDestinationThatRefuses(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, config server.Config) {
		toy, path := &folder{refuse: 1}, t.TempDir()
		bitbucket := sandbox.New(&sandbox.Options{Repositories: 5})
		r := toy.to(t, config, bitbucket, folderSettings{Path: path})
		r.must(http.MethodPost, inProject+"/integrations/bitbucket/installations?skipSampling=true", installation, nil)
		type one struct {
			ID, Status, Body string
			Tried            []struct{ Error, Answer string }
		}
		var page struct{ Results []one }
		awaitUntil(t, "a refusal", func() bool {
			r.must(http.MethodGet, inProject+"/deliveries?destination=archive", nil, &page)
			tried, _ := toy.attempts()
			return len(page.Results) == 1 && tried > 0
		})
		delivery := inProject + "/deliveries/" + page.Results[0].ID
		var refused, accepted one
		awaitUntil(t, "the attempt to be kept", func() bool {
			r.must(http.MethodGet, delivery+"?includeBody=true", nil, &refused)
			return len(refused.Tried) > 0
		})
		if refused.Tried[0].Error != "the disk is full" {
			t.Errorf("it was tried %+v", refused.Tried)
		}
		r.must(http.MethodPost, delivery+":replay", map[string]any{}, nil)
		awaitUntil(t, "the batch", func() bool {
			r.must(http.MethodGet, delivery+"?includeBody=true", nil, &accepted)
			return accepted.Status == windlass.BatchDelivered
		})
		written, err := os.ReadFile(filepath.Join(path, refused.ID))
		if err != nil || string(written) != refused.Body || accepted.Body != refused.Body || len(lines(t, path)) != 5 {
			t.Errorf("%v: arrived %.100s, was %.100s", err, written, refused.Body)
		}
	})
}

// The API takes the types of the table and the settings of each, and no others; the
// document says which there are.
func TestSettingsOfAToyDestination(t *testing.T) {
	t.Parallel()
	config := configOf(t, "sqlite")
	config.Sinks = []sink.Type{(&folder{}).destinationType()}
	r := start(t, config)
	const destinations = inProject + "/destinations"
	folderAt := func(path string) map[string]any { return map[string]any{"path": path} }
	for name, row := range map[string]struct {
		kind     string
		metadata map[string]any
		says     string
	}{
		"a path that is not whole":   {"folder", folderAt("relative"), `"name":"metadata.path","detail":"is not the whole path of a folder"`},
		"no settings":                {"folder", map[string]any{}, `"name":"metadata.path","detail":"is not the whole path of a folder"`},
		"another type's setting":     {"folder", map[string]any{"url": "https://example.com"}, "are not the settings of type folder: they may have path, lines"},
		"one of the toy's elsewhere": {"webhook", folderAt("/tmp"), "are not the settings of type webhook: they may have url, headers"},
		"a webhook without a URL":    {"webhook", map[string]any{}, `"name":"metadata.url","detail":"is missing"`},
		"one that nothing has":       {"folder", map[string]any{"mode": 7}, "metadata.mode"},
		"a value of another sort":    {"folder", map[string]any{"path": "/tmp", "lines": "many"}, "metadata.lines"},
		"a type that there is not":   {"ftp", folderAt("/tmp"), "write webhook or folder"},
	} {
		status, body := r.call(http.MethodPost, destinations, map[string]any{"name": "d", "type": row.kind, "metadata": row.metadata}, nil)
		if status != http.StatusBadRequest || !strings.Contains(body, row.says) {
			t.Errorf("%s: %d %s, want it to say %s", name, status, body, row.says)
		}
	}
	var made struct {
		ID, Type string
		Metadata json.RawMessage
		Secrets  *struct{}
	}
	r.must(http.MethodPost, destinations, map[string]any{"name": "archive", "type": "folder", "metadata": map[string]any{"path": "/tmp", "lines": 5}}, nil)
	r.must(http.MethodPatch, destinations+"/archive", map[string]any{
		"updateMask": []string{"metadata.path"}, "destination": map[string]any{"metadata": folderAt("/srv")},
	}, nil)
	r.must(http.MethodGet, destinations+"/archive?includeSecrets=true", nil, &made)
	if made.Type != "folder" || string(made.Metadata) != `{"path":"/srv","lines":5}` || made.Secrets != nil {
		t.Errorf("it is %+v, with %s", made, made.Metadata)
	}
	for name, change := range map[string]map[string]any{
		"a bad path":           {"updateMask": []string{"metadata.path"}, "destination": map[string]any{"metadata": folderAt("relative")}},
		"a webhook's settings": {"updateMask": []string{"metadata.url"}, "destination": map[string]any{"metadata": map[string]any{"url": "https://example.com"}}},
	} {
		if status, body := r.call(http.MethodPatch, destinations+"/archive", change, nil); status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	if status, body := r.call(http.MethodGet, destinations+"/archive?rotate=true", nil, nil); status != http.StatusBadRequest || !strings.Contains(body, "not signed") {
		t.Errorf("rotating what has no secret: %d %s", status, body)
	}
	document := r.must(http.MethodGet, "/openapi.json", nil, nil)
	for _, says := range []string{`"enum":["webhook","folder"]`, `"path":{"type":"string"`} {
		if !strings.Contains(document, says) {
			t.Errorf("the document does not say %s", says)
		}
	}
}
