package bitbucket

import (
	"context"
	"encoding/json"
	"errors"
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
	record, err := w.o.writes.get(ctx, w)
	if err != nil {
		return connector.Record{}, inOp(op, err)
	}
	return record, nil
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
