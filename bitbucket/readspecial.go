package bitbucket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"windlass"
	"windlass/connector"
	"windlass/internal/jsonscan"
)

// readEvents walks hook_events: the first call gets the subjects, each later
// one a page of the events of one of them.
func (w *walker) readEvents(ctx context.Context, p place) (connector.Page, error) {
	if len(p.Subjects) == 0 {
		subjects, err := w.subjects(ctx)
		if err != nil || len(subjects) == 0 {
			return connector.Page{Size: -1}, err
		}
		p.Subjects, p.Subjected = subjects, len(subjects)
		if p.URI, err = w.eventsURI(subjects[0]); err != nil {
			return connector.Page{}, err
		}
		return connector.Page{Next: p.cursor(), Size: -1}, nil
	}
	page := connector.Page{Size: -1}
	subject := p.Subjects[0]
	env, err := w.fetch(ctx, p.URI)
	if refused(err) && (len(p.Subjects) > 1 || p.Passed < p.Subjected-1) {
		// The others are no worse for it. Where all are refused, the object is.
		page.Notes = []string{"Bitbucket refused the events of " + quote(subject) + ", which were passed over: " + err.Error() + "."}
		p.Passed++
		return w.nextSubject(p, page)
	}
	if err != nil {
		return connector.Page{}, err
	}
	for _, record := range env.records {
		page.Records = append(page.Records, withSubject(subject, record.Raw))
	}
	page.Records, _ = p.unseen(page.Records)
	p.Seen += len(page.Records)
	next, notes, err := w.next(p, env, len(page.Records))
	page.Notes = notes
	switch {
	case err != nil:
		return connector.Page{}, err
	case next != nil:
		page.Next = next.cursor()
		return page, nil
	default:
		return w.nextSubject(p, page)
	}
}

// nextSubject ends a page of one subject's events: the next one is of another
// subject, if there is one left.
func (w *walker) nextSubject(p place, page connector.Page) (connector.Page, error) {
	p.Subjects = p.Subjects[1:]
	if len(p.Subjects) == 0 {
		return page, nil
	}
	var err error
	if p.URI, err = w.eventsURI(p.Subjects[0]); err != nil {
		return connector.Page{}, err
	}
	p.Last = nil
	page.Next = p.cursor()
	return page, nil
}

// refused reports whether an error is about the one thing that was asked for,
// and not about the credential or the provider.
func refused(err error) bool {
	return errors.Is(err, windlass.Forbidden) || errors.Is(err, windlass.NotFound) || errors.Is(err, windlass.Gone)
}

func (w *walker) eventsURI(subject string) (string, error) {
	escaped, err := segment("a subject of webhook events", subject)
	if err != nil {
		return "", err
	}
	return w.uri(w.list+"/"+escaped, "", ""), nil
}

// subjects reads the object that hook_events answers with: its keys are the
// subjects.
func (w *walker) subjects(ctx context.Context) ([]string, error) {
	a, err := w.c.do(ctx, call{op: w.op, method: http.MethodGet, uri: w.list, object: w.o})
	if err != nil {
		return nil, err
	}
	var names []string
	s := jsonscan.New(a.body)
	err = s.Object(func(key []byte) error {
		s.Space()
		if s.Peek() == '{' && !slices.Contains(names, string(key)) {
			names = append(names, string(key))
		}
		return s.Skip()
	})
	if err == nil {
		err = s.End()
	}
	if err != nil {
		return nil, malformed(w.op, a, err)
	}
	slices.Sort(names)
	return names, nil
}

// withSubject puts the subject, which Bitbucket has in the path only, in front
// of an event's members.
func withSubject(subject string, raw []byte) connector.Record {
	s := jsonscan.New(raw)
	slots := make([][]byte, 1)
	_ = s.Pluck(jsonscan.Want("event"), slots) // the page was parsed: this cannot fail
	name, _ := json.Marshal(subject)           // a string: this cannot fail
	joined := append(append([]byte(`{"subject":`), name...), ',')
	rest := raw[1:]
	if inner := jsonscan.New(rest); inner.Peek() == '}' {
		joined = joined[:len(joined)-1]
	}
	return connector.Record{
		ID:  joinID([][]byte{name, slots[0]}, raw),
		Raw: append(joined, rest...),
	}
}

// readMemberships walks the credential's own workspaces: one request for the
// page of memberships, then one for each workspace in it.
func (w *walker) readMemberships(ctx context.Context, p place) (connector.Page, error) {
	env, err := w.memberships(ctx, p.URI)
	if err != nil {
		return connector.Page{}, err
	}
	var page connector.Page
	records, dropped := p.unseen(env.records)
	without := env.nulls
	for _, membership := range records {
		if invented(membership.ID) {
			without++
			continue
		}
		record, note, err := w.detail(ctx, membership)
		if err != nil {
			return connector.Page{}, err
		}
		page.Records = append(page.Records, record)
		if note != "" {
			page.Notes = append(page.Notes, note)
		}
	}
	if without > 0 {
		p.Passed += without
		page.Notes = append(page.Notes, fmt.Sprintf("Bitbucket returned %d of the memberships without a workspace: they were passed over.", without))
	}
	if page.Size = env.size; env.size >= 0 {
		page.Size = max(env.size-p.Passed, 0)
	}
	p.Seen += len(env.records) - dropped
	next, notes, err := w.next(p, env, len(env.records)-dropped)
	if err != nil {
		return connector.Page{}, err
	}
	page.Notes = append(page.Notes, notes...)
	if next != nil {
		page.Next = next.cursor()
	}
	return page, nil
}

// membership is the shape of GET /user/workspaces, which is no object of its
// own: CHANGE-2770 made it the way to the workspaces.
var membership = object{name: "workspaces", id: []string{"workspace.uuid"}, nulls: true}

func (w *walker) memberships(ctx context.Context, uri string) (envelope, error) {
	a, err := w.get(ctx, uri)
	if err != nil {
		return envelope{}, err
	}
	env, err := parsePage(&membership, a.body)
	if err != nil {
		return envelope{}, malformed(w.op, a, err)
	}
	return env, nil
}

// detail gets the record behind a membership. Where that is refused, since the
// workspace shuts out this address or was suspended, the membership itself
// stands for it: it has the id, and one workspace does not stop the others.
func (w *walker) detail(ctx context.Context, m connector.Record) (record connector.Record, note string, err error) {
	path, err := w.c.path(w.o.item, m.ID)
	if err != nil {
		return connector.Record{}, "", err
	}
	a, err := w.c.do(ctx, call{op: w.op, method: http.MethodGet, uri: w.detailURI(path), object: w.o})
	if refused(err) {
		note = "Bitbucket refused the workspace " + m.ID + ", and its membership stands for it: " + err.Error() + "."
		return w.standIn(m), note, nil
	}
	if err != nil {
		return connector.Record{}, "", err
	}
	record, err = parseRecord(w.o, a.body)
	if err != nil {
		return connector.Record{}, "", malformed(w.op, a, err)
	}
	if invented(record.ID) {
		record.ID = m.ID
	}
	return record, "", nil
}

func (w *walker) detailURI(path string) string {
	if fields := w.fields(""); fields != "" {
		return path + encode(map[string][]string{"fields": {fields}})
	}
	return path
}

// standIn makes a record out of a membership alone.
func (w *walker) standIn(m connector.Record) connector.Record {
	if w.o.walk == walkPermissions {
		return m
	}
	slots := make([][]byte, 1)
	s := jsonscan.New(m.Raw)
	_ = s.Pluck(jsonscan.Want("workspace"), slots) // the page was parsed: this cannot fail
	return connector.Record{ID: m.ID, Raw: slots[0]}
}

// parseRecord reads one record that came by itself.
func parseRecord(o *object, body []byte) (connector.Record, error) {
	var page envelope
	s := jsonscan.New(body)
	if err := newRecordReader(o).read(s, &page); err != nil {
		return connector.Record{}, err
	}
	if err := s.End(); err != nil {
		return connector.Record{}, err
	}
	return page.records[0], nil
}
