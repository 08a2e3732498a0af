package bitbucket

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/jsonscan"
)

// finding is a look for the record that a create would have made.
type finding struct {
	*writing

	since time.Time
}

// Find looks for the record that a create of req.Record would have made: a project
// or a variable by its key, a repository by its name, a webhook by its URL and its
// events, a snippet by its title. All but variables say when they were created, so
// that what was there before req.Since is not taken for it. Of several it returns
// the one that was created last.
//
// It costs one request for a project or a repository, and else one for each page
// of the list.
func (c *Connector) Find(ctx context.Context, req connector.FindRequest) (id string, found bool, err error) {
	op := "look for " + req.Object
	w, err := c.newWriting(op, req.Object, "")
	if err != nil {
		return "", false, inOp(op, err)
	}
	if err := w.parse(req.Record); err != nil {
		return "", false, inOp(op, err)
	}
	id, err = w.o.writes.find(ctx, &finding{writing: w, since: req.Since})
	if err != nil {
		return "", false, inOp(op, w.mask(err))
	}
	return id, id != "", nil
}

// Get returns a record as it is now, of an object that can be written.
func (c *Connector) Get(ctx context.Context, req connector.GetRequest) (connector.Record, error) {
	op := "get " + req.Object
	w, err := c.newWriting(op, req.Object, req.ID)
	if err != nil {
		return connector.Record{}, inOp(op, err)
	}
	record, err := w.get(ctx, req.ID)
	if projects, ok := w.o.writes.(projectWriter); ok && projects.byKeyOnly(w, err) {
		found, missing := projects.search(ctx, w, err)
		if err = missing; err == nil {
			record, err = w.get(ctx, jsonscan.Plain(found["key"]))
		}
	}
	if err != nil {
		return connector.Record{}, inOp(op, err)
	}
	return record, nil
}

func (projectWriter) find(ctx context.Context, f *finding) (string, error) {
	return f.at(ctx, jsonscan.Plain(f.record["key"]))
}

// find asks by name: what slug Bitbucket makes of a name or of a slug that was
// given, cut at 62 characters and with dashes for what it does not like, is its
// own affair.
func (repositoryWriter) find(ctx context.Context, f *finding) (string, error) {
	name := jsonscan.Plain(f.record["name"])
	slug := jsonscan.Plain(f.record["slug"])
	if name == "" {
		name = slug
	}
	list, err := f.list()
	if err != nil {
		return "", err
	}
	query := url.Values{"q": {"name = " + bbqlString(name)}, "sort": {"-created_on"}, "pagelen": {strconv.Itoa(mostPage)}}
	a, err := f.send(ctx, http.MethodGet, list+encode(query), nil)
	if err != nil {
		return "", err
	}
	page, err := parsePage(f.o, a.body)
	if err != nil {
		return "", malformed(f.op, a, err)
	}
	for _, record := range page.records {
		var one map[string]json.RawMessage
		if json.Unmarshal(record.Raw, &one) != nil || f.old(one) || jsonscan.Plain(one["name"]) != name {
			continue
		}
		if slug == "" || madeOf(slug, jsonscan.Plain(one["slug"])) {
			return record.ID, nil
		}
	}
	return "", nil
}

// bbqlString writes a string of Bitbucket's query language.
func bbqlString(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// leastCutSlug is a length below which Bitbucket cuts no slug off; it cuts at 62.
const leastCutSlug = 60

// madeOf reports whether a slug is what Bitbucket makes of one that was given: its
// letters and digits are the same, as far as it goes.
func madeOf(given, slug string) bool {
	given, rest := bare(given), bare(slug)
	return given == rest || len(slug) >= leastCutSlug && strings.HasPrefix(given, rest)
}

// bare leaves the letters and digits.
func bare(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(text))
}

func (variableWriter) find(ctx context.Context, f *finding) (string, error) {
	return f.among(ctx, func(one map[string]json.RawMessage) bool { return alike(f.record, one, "key") })
}

func (hookWriter) find(ctx context.Context, f *finding) (string, error) {
	events := sorted(f.record["events"])
	return f.among(ctx, func(one map[string]json.RawMessage) bool {
		return alike(f.record, one, "url") && slices.Equal(events, sorted(one["events"]))
	})
}

// find goes by what the record says of a snippet that a list returns. One without
// a title gets the names of its files for one.
func (snippetWriter) find(ctx context.Context, f *finding) (string, error) {
	return f.among(ctx, func(one map[string]json.RawMessage) bool {
		if isNull(f.record["title"]) {
			return false // nothing tells it from others
		}
		return alike(f.record, one, "title")
	})
}

// at looks at the path of one record; it is none when there is nothing.
func (f *finding) at(ctx context.Context, name string) (string, error) {
	record, err := f.current(ctx, name)
	if errors.Is(err, windlass.NotFound) || err == nil && f.old(record) {
		return "", nil
	}
	return f.idOf(record), err
}

// among looks through the list.
func (f *finding) among(ctx context.Context, is func(one map[string]json.RawMessage) bool) (string, error) {
	var id string
	var latest time.Time
	for record, err := range connector.All(ctx, f.c, connector.ReadRequest{Object: f.o.name}) {
		if err != nil && !errors.Is(err, windlass.Incomplete) {
			return "", err
		}
		var one map[string]json.RawMessage
		if json.Unmarshal(record.Raw, &one) != nil || !is(one) || f.old(one) {
			continue
		}
		if created := createdAt(one); id == "" || created.After(latest) {
			id, latest = record.ID, created
		}
	}
	return id, nil
}

// old reports whether a record was there before the create was sent.
func (f *finding) old(record map[string]json.RawMessage) bool {
	created := createdAt(record)
	return !created.IsZero() && created.Before(f.since)
}

func (f *finding) idOf(record map[string]json.RawMessage) string {
	return jsonscan.Plain(record[f.o.id[0]])
}

func createdAt(record map[string]json.RawMessage) time.Time {
	for _, name := range []string{"created_on", "created_at"} {
		if at, err := time.Parse(time.RFC3339Nano, jsonscan.Plain(record[name])); err == nil {
			return at
		}
	}
	return time.Time{}
}

func alike(given, found map[string]json.RawMessage, name string) bool {
	return jsonscan.Plain(given[name]) == jsonscan.Plain(found[name])
}

func sorted(list json.RawMessage) []string {
	var all []string
	if json.Unmarshal(list, &all) != nil {
		return nil
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// slugFor is the slug that a new repository gets.
func slugFor(record map[string]json.RawMessage) string {
	if slug := jsonscan.Plain(record["slug"]); slug != "" {
		return strings.ToLower(slug)
	}
	return slugOf(jsonscan.Plain(record["name"]))
}
