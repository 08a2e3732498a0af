package ui

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"windlass"
	"windlass/manifest"
)

// IntegrationLookup is what pages ask the store about integrations.
type IntegrationLookup interface {
	Revision(ctx context.Context, integrationID, revisionID string) (windlass.Revision, error)
	Revisions(ctx context.Context, integrationID, before string, limit int) ([]windlass.Revision, error)
}

func integrationRoutes(project string) []route {
	const one = "/integrations/{integration}"
	return []route{
		{http.MethodGet, project + "/integrations", windlass.Viewer, (*request).integrationsPage},
		{http.MethodGet, project + "/deploy", windlass.Viewer, (*request).deployPage},
		{http.MethodPost, project + "/deploy", windlass.Editor, (*request).deploy},
		{http.MethodGet, project + one, windlass.Viewer, (*request).integrationPage},
		{http.MethodGet, project + one + "/difference", windlass.Viewer, (*request).differencePage},
	}
}

type integrationsView struct {
	Integrations []integrationRow
	More         string
}

// An integrationRow is an integration and what its latest revision says.
type integrationRow struct {
	windlass.Integration
	Entry manifest.Integration
}

// Reads and Writes are the names of the objects.
func (i integrationRow) Reads() (names []string) {
	if i.Entry.Read != nil {
		for n := range i.Entry.Read.Objects {
			names = append(names, i.Entry.Read.Objects[n].ObjectName)
		}
	}
	return names
}

// Writes are the names of the objects that are written.
func (i integrationRow) Writes() (names []string) {
	if i.Entry.Write != nil {
		for n := range i.Entry.Write.Objects {
			names = append(names, i.Entry.Write.Objects[n].ObjectName)
		}
	}
	return names
}

func rowOf(in windlass.Integration) (row integrationRow, err error) {
	row.Integration = in
	if err := json.Unmarshal(in.Latest.Content, &row.Entry); err != nil {
		return row, &windlass.Error{Kind: windlass.Internal, Op: "read revision " + in.Latest.ID, Message: "its stored content is damaged", Err: err}
	}
	return row, nil
}

func (r *request) integrationsPage() error {
	all, err := r.ui.config.Deploy.Integrations(r.Context(), r.Project.ID, r.after())
	if err != nil {
		return err
	}
	var v integrationsView
	all, v.More = cut(all, func(i windlass.Integration) string { return i.ID })
	for i := range all {
		row, err := rowOf(all[i])
		if err != nil {
			return err
		}
		v.Integrations = append(v.Integrations, row)
	}
	return r.ok("integrations", "Integrations", v)
}

type integrationView struct {
	Integration integrationRow
	Objects     []manifest.ReadObject
	Revisions   []windlass.Revision
	Before      string // the newest of the revisions that are shown is older than this one
	More        string
	Content     string
}

func (r *request) integrationPage() error {
	in, err := r.ui.config.Deploy.Integration(r.Context(), r.Project.ID, r.PathValue("integration"))
	if err != nil {
		return err
	}
	v := integrationView{Before: r.URL.Query().Get("before")}
	if v.Integration, err = rowOf(in); err != nil {
		return err
	}
	if v.Integration.Entry.Read != nil {
		v.Objects = v.Integration.Entry.Read.Objects
	}
	all, err := r.ui.config.Lookup.Revisions(r.Context(), in.ID, v.Before, pageSize+1)
	if err != nil {
		return err
	}
	v.Revisions, v.More = cut(all, func(x windlass.Revision) string { return x.ID })
	v.Content, err = pretty(in.Latest.Content)
	if err != nil {
		return err
	}
	return r.ok("integration", in.Name, v)
}

type differenceView struct {
	Integration windlass.Integration
	From, To    windlass.Revision
	Lines       []diffLine
}

func (r *request) differencePage() error {
	in, err := r.ui.config.Deploy.Integration(r.Context(), r.Project.ID, r.PathValue("integration"))
	if err != nil {
		return err
	}
	v := differenceView{Integration: in}
	var texts [2]string
	for i, name := range []string{"from", "to"} {
		revision, err := r.ui.config.Lookup.Revision(r.Context(), in.ID, r.URL.Query().Get(name))
		if err != nil {
			return err
		}
		if texts[i], err = pretty(revision.Content); err != nil {
			return err
		}
		if i == 0 {
			v.From = revision
		} else {
			v.To = revision
		}
	}
	v.Lines = diff(texts[0], texts[1])
	return r.ok("difference", "What changed in "+in.Name, v)
}

// pretty is JSON as people read it.
func pretty(content json.RawMessage) (string, error) {
	var text bytes.Buffer
	err := json.Indent(&text, content, "", "  ")
	return text.String(), err
}
