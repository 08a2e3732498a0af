package bitbucket

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"

	"windlass/connector"
	"windlass/internal/jsonscan"
)

var objectHookEvents = object{
	name: "hook_events", display: "Webhook events",
	about:  "Every event that a repository's or a workspace's webhook can ask for. Public.",
	list:   "/hook_events",
	id:     []string{"subject", "event"},
	walk:   readEvents,
	access: Public,
	fields: eventFields,
}

// eventFields: subject is ours; Bitbucket has it in the path only.
var eventFields = []field{
	choice("subject", "repository", "workspace"),
	choice("event", hookEvents...),
	text("category"),
	text("label"),
	text("description"),
}

// hookEvents are the events a webhook can ask for.
var hookEvents = []string{
	"issue:comment_created", "issue:created", "issue:updated",
	"pipeline:span_created", "project:updated",
	"pullrequest:approved", "pullrequest:changes_request_created", "pullrequest:changes_request_removed",
	"pullrequest:comment_created", "pullrequest:comment_deleted", "pullrequest:comment_reopened",
	"pullrequest:comment_resolved", "pullrequest:comment_updated", "pullrequest:created",
	"pullrequest:fulfilled", "pullrequest:push", "pullrequest:rejected",
	"pullrequest:unapproved", "pullrequest:updated",
	"repo:commit_comment_created", "repo:commit_status_created", "repo:commit_status_updated",
	"repo:created", "repo:deleted", "repo:fork", "repo:imported", "repo:push", "repo:transfer", "repo:updated",
}

// readEvents walks hook_events: the first call gets the subjects, each later
// one a page of the events of one of them.
func readEvents(ctx context.Context, w *walker, p place) (connector.Page, error) {
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
