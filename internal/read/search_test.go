package read_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/read"
)

// search asks for what passes filters, each as in name=value with a JSON value.
func (w *world) search(f *read.Flow, filters ...string) ([]json.RawMessage, error) {
	return f.Search(w.Context(), w.project.ID, "repos", searching(w.installation.Group.Ref, filters...))
}

func searching(group string, filters ...string) read.SearchRequest {
	r := read.SearchRequest{ObjectName: "repositories", GroupRef: group}
	for _, filter := range filters {
		name, value, _ := strings.Cut(filter, "=")
		r.FieldFilters = append(r.FieldFilters, read.SearchFilter{FieldName: name, Operator: "eq", Value: json.RawMessage(value)})
	}
	return r
}

func slugs(t *testing.T, found []json.RawMessage) (all []string) {
	t.Helper()
	for _, one := range found {
		var entry struct {
			Fields struct{ Slug string } `json:"fields"`
		}
		if err := json.Unmarshal(one, &entry); err != nil {
			t.Fatalf("%v: %s", err, one)
		}
		all = append(all, entry.Fields.Slug)
	}
	return all
}

func TestSearch(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(250, 10)
		w.provider.records[17].Raw = json.RawMessage(`{"uuid":"{000017}","slug":"odd","full_name":"acme/odd","name":"acme/repo-3","size":1.0,"private":null}`)
		w.install(configOf(""))
		before := w.provider.asked()
		operations := w.count()
		for name, test := range map[string]struct {
			filters []string
			want    []string
		}{
			"by the provider's name":              {[]string{`uuid="{000201}"`}, []string{"repo-201"}},
			"by the product's name":               {[]string{`name="acme/repo-3"`}, []string{"repo-3"}}, // and not the provider's field of that name
			"by both":                             {[]string{`name="acme/repo-3"`, `slug="repo-3"`}, []string{"repo-3"}},
			"by two that are never of one record": {[]string{`name="acme/repo-3"`, `slug="repo-4"`}, nil},
			"by a number":                         {[]string{`size=1`}, []string{"odd"}},
			"by a text that looks like one":       {[]string{`size="1"`}, nil},
			"by a field that is nowhere":          {[]string{`colour="red"`}, nil},
		} {
			found, err := w.search(w.flow, test.filters...)
			w.must(err)
			if got := slugs(t, found); !slices.Equal(got, test.want) {
				t.Errorf("%s: got %v, want %v", name, got, test.want)
			}
		}
		if asked := w.provider.asked() - before; asked != 7*3 {
			t.Errorf("7 searches of 3 pages took %d requests", asked)
		}
		found, err := w.search(w.flow)
		w.must(err)
		if len(found) != 250 || w.count() != operations || len(w.outbox.messages()) != 0 {
			t.Errorf("found %d of 250, with %d operations", len(found), w.count())
		}
		// An entry holds the provider's bytes as they came.
		if want := `{"fields":{"slug":"odd"},"mappedFields":{"name":"acme/odd"},"raw":` + string(w.provider.records[17].Raw) + `}`; string(found[17]) != want {
			t.Errorf("got %s, want %s", found[17], want)
		}
	})
}

func TestSearchesKeepToTheConfig(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(3, 10)
		w.install(configOf(`"fieldFilters":[{"fieldName":"slug","operator":"eq","value":"repo-1"}]`))
		found, err := w.search(w.flow)
		w.must(err)
		if got := slugs(t, found); !slices.Equal(got, []string{"repo-1"}) {
			t.Errorf("found %v, which the customer has filtered out", got)
		}
		// A list that changes meanwhile shows a record twice.
		w.reconfigure(configOf(""))
		w.provider.after = func(_ connector.ReadRequest, page *connector.Page) {
			page.Records = append(page.Records, page.Records[0])
		}
		found, err = w.search(w.flow)
		w.must(err)
		if len(found) != 3 {
			t.Errorf("found %v", slugs(t, found))
		}
	})
}

func TestSearchesAreBounded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provider.fill(401, 10)
		w.install(configOf(""))
		four := w.process(func(c *read.Config) { c.SearchPages = 4 })
		before := w.provider.asked()
		_, err := w.search(four, `slug="repo-0"`)
		wantSays(t, err, windlass.Invalid, "a search goes through 4 pages, and there are 401 records of repositories", "read the object")
		if asked := w.provider.asked() - before; asked != 1 {
			t.Errorf("what one page tells took %d requests", asked)
		}
		// Where the provider does not say how much there is, it shows at the bound.
		w.provider.after = func(_ connector.ReadRequest, page *connector.Page) { page.Size = -1 }
		before = w.provider.asked()
		_, err = w.search(four, `slug="repo-0"`)
		wantSays(t, err, windlass.Invalid, "a search goes through 4 pages, and there are more of repositories")
		if asked := w.provider.asked() - before; asked != 4 {
			t.Errorf("4 pages took %d requests", asked)
		}
		five := w.process(func(c *read.Config) { c.SearchPages = 5 })
		found, err := w.search(five, `slug="repo-400"`)
		w.must(err)
		if len(found) != 1 {
			t.Errorf("found %d", len(found))
		}
		_, err = w.search(w.process(func(c *read.Config) { c.SearchBytes = 1000 }))
		wantSays(t, err, windlass.Invalid, "more than 1000 bytes of repositories pass the filters", "filter for fewer")

		// One that takes too long says so; one whose caller went away does not.
		slow := w.process(func(c *read.Config) {
			c.Search = time.Nanosecond
			c.Open = func(ctx context.Context, _ windlass.Connection, purpose string) (connector.Reader, error) {
				<-ctx.Done()
				if purpose != read.PurposeSearch {
					t.Errorf("opened for %q", purpose)
				}
				return w.provider, nil
			}
		})
		_, err = w.search(slow)
		wantSays(t, err, windlass.Unavailable, "the search of repositories took longer than 1ns")
	})
}

func TestSearchesThatAreRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.install(configOf(""))
		ask := func(change func(*read.SearchRequest)) error {
			r := searching(w.installation.Group.Ref, `slug="a"`)
			change(&r)
			_, err := w.flow.Search(w.Context(), w.project.ID, "repos", r)
			return err
		}
		for _, test := range []struct {
			change func(*read.SearchRequest)
			kind   windlass.Kind
			says   string
		}{
			{func(r *read.SearchRequest) { r.GroupRef = "" }, windlass.Invalid, "groupRef: is missing"},
			{func(r *read.SearchRequest) { r.GroupRef = "other" }, windlass.NotFound, `not installed for group "other"`},
			{func(r *read.SearchRequest) { r.ObjectName = "projects" }, windlass.Invalid, `does not read "projects"`},
			{func(r *read.SearchRequest) { r.ObjectName = "webhooks" }, windlass.Invalid, "hooks is disabled"},
			{func(r *read.SearchRequest) { r.FieldFilters[0].Operator = "ne" }, windlass.Invalid, `fieldFilters[0].operator: is "ne"`},
			{func(r *read.SearchRequest) { r.FieldFilters[0].FieldName = "" }, windlass.Invalid, `fieldFilters[0].fieldName: is missing`},
			{func(r *read.SearchRequest) { r.FieldFilters[0].Value = json.RawMessage(`{}`) }, windlass.Invalid, `fieldFilters[0].value: is neither`},
		} {
			err := ask(test.change)
			wantSays(t, err, test.kind, test.says)
			if !strings.HasPrefix(fmt.Sprint(err), "search the records: ") {
				t.Errorf("%v does not say what was being done", err)
			}
		}
		_, err := w.SetConnectionStatus(w.Context(), w.connection.ID, windlass.ConnectionBad, "", 1)
		w.must(err)
		wantSays(t, ask(func(*read.SearchRequest) {}), windlass.Conflict, "connect again")
	})
}

func wantSays(t *testing.T, err error, kind windlass.Kind, says ...string) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("got %v, want %s", err, kind)
	}
	for _, text := range says {
		if !strings.Contains(fmt.Sprint(err), text) {
			t.Errorf("%v does not say %q", err, text)
		}
	}
}
