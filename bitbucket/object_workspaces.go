package bitbucket

import (
	"context"
	"fmt"
	"net/http"

	"windlass/connector"
	"windlass/internal/jsonscan"
)

var objectWorkspaces = object{
	name: "workspaces", display: "Workspaces",
	about: "The workspaces of the credential's own user: one request for each workspace.",
	list:  "/user/workspaces", item: "/workspaces/{id}",
	id:    []string{"uuid"},
	moved: "updated_on",
	walk:  readMemberships(workspaceIn), read: scopes{"account"},
	fields: workspaceFields,
}

var workspaceFields = []field{
	text("type"),
	text("uuid"),
	text("name"),
	text("slug"),
	flag("is_private"),
	flag("is_personal"),
	flag("is_privacy_enforced"),
	choice("forking_mode", "allow_forks", "internal_only"),
	moment("created_on"),
	moment("updated_on"),
	tree("links"),
	link("links.self.href"),
	link("links.html.href"),
	link("links.avatar.href"),
}

// readMemberships returns the walk over the credential's own workspaces: one
// request for the page of memberships, then one for each workspace in it. Where
// that one is refused, standIn makes the record out of the membership.
func readMemberships(standIn func(membership connector.Record) connector.Record) walk {
	return func(ctx context.Context, w *walker, p place) (connector.Page, error) {
		return w.readMemberships(ctx, p, standIn)
	}
}

func (w *walker) readMemberships(ctx context.Context, p place, standIn func(connector.Record) connector.Record) (connector.Page, error) {
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
		record, note, err := w.detail(ctx, membership, standIn)
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
func (w *walker) detail(ctx context.Context, m connector.Record, standIn func(connector.Record) connector.Record) (record connector.Record, note string, err error) {
	path, err := w.c.path(w.o.item, m.ID)
	if err != nil {
		return connector.Record{}, "", err
	}
	a, err := w.c.do(ctx, call{op: w.op, method: http.MethodGet, uri: w.detailURI(path), object: w.o})
	if refused(err) {
		note = "Bitbucket refused the workspace " + m.ID + ", and its membership stands for it: " + err.Error() + "."
		return standIn(m), note, nil
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

// workspaceIn takes the workspace out of a membership.
func workspaceIn(membership connector.Record) connector.Record {
	slots := make([][]byte, 1)
	s := jsonscan.New(membership.Raw)
	_ = s.Pluck(jsonscan.Want("workspace"), slots) // the page was parsed: this cannot fail
	return connector.Record{ID: membership.ID, Raw: slots[0]}
}
