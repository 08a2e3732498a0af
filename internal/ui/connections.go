package ui

import (
	"cmp"
	"context"
	"net/http"

	"windlass"
	"windlass/internal/connect"
)

// ConnectionLookup is what pages ask the store about connections.
type ConnectionLookup interface {
	Connection(ctx context.Context, projectID, id string) (windlass.Connection, error)
	Connections(ctx context.Context, filter windlass.ConnectionFilter) ([]windlass.Connection, error)
	Installations(ctx context.Context, filter windlass.InstallationFilter) ([]windlass.Installation, error)
}

func connectionRoutes(project string) []route {
	const one = "/connections/{connection}"
	return []route{
		{http.MethodGet, project + "/connections", windlass.Viewer, (*request).connectionsPage},
		{http.MethodGet, project + one, windlass.Viewer, (*request).connectionPage},
		{http.MethodPost, project + one + "/reconnect", windlass.Editor, (*request).reconnect},
		{http.MethodPost, project + one + "/delete", windlass.Editor, (*request).deleteConnection},
	}
}

type connectionsView struct {
	Connections []windlass.Connection
	Filter      connectionFilter
	More        string
}

type connectionFilter struct{ Search, Status string }

// Query is the filter as a part of an address.
func (f connectionFilter) Query() string { return query("search", f.Search, "status", f.Status) }

func (r *request) connectionsPage() error {
	q := r.URL.Query()
	v := connectionsView{Filter: connectionFilter{q.Get("search"), q.Get("status")}}
	all, err := r.ui.config.Lookup.Connections(r.Context(), windlass.ConnectionFilter{
		ProjectID: r.Project.ID, Search: v.Filter.Search, Status: windlass.ConnectionStatus(v.Filter.Status), Page: r.after(),
	})
	if err != nil {
		return err
	}
	v.Connections, v.More = cut(all, func(c windlass.Connection) string { return c.ID })
	return r.ok("connections", "Connections", v)
}

type connectionView struct {
	Connection    windlass.Connection
	Missing       []string // scopes
	Installations []windlass.Installation
	More          bool // there are more installations
	Consent       *connect.Consent
	Problem       *Problem
}

// fewInstallations is how many installations a connection's page shows.
const fewInstallations = 20

func (r *request) connectionPage() error { return r.connection(http.StatusOK, nil, nil) }

func (r *request) connection(status int, problem *Problem, consent *connect.Consent) error {
	c, err := r.ui.config.Lookup.Connection(r.Context(), r.Project.ID, r.PathValue("connection"))
	if err != nil {
		return err
	}
	v := connectionView{Connection: c, Consent: consent, Problem: problem}
	if v.Missing, err = r.ui.config.Connect.Missing(r.Context(), c); err != nil {
		return err
	}
	v.Installations, err = r.ui.config.Lookup.Installations(r.Context(), windlass.InstallationFilter{
		ProjectID: r.Project.ID, ConnectionID: c.ID, Limit: fewInstallations + 1,
	})
	if err != nil {
		return err
	}
	if v.More = len(v.Installations) > fewInstallations; v.More {
		v.Installations = v.Installations[:fewInstallations]
	}
	return r.page(status, "connection", "Connection of "+cmp.Or(c.Group.Name, c.Group.Ref), v)
}

// reconnect makes a link for the customer. It is shown in this answer only: the
// person who has it may consent.
func (r *request) reconnect() error {
	id := r.PathValue("connection")
	var consent connect.Consent
	err := r.change("connection.reconnect", id, nil, func(ctx context.Context) (err error) {
		consent, err = r.ui.config.Connect.Reconnect(ctx, r.Project.ID, id, connect.Opener{})
		return err
	})
	if shown, problem := wrong(err); shown {
		return r.connection(statusOf(err), problem, nil)
	}
	if err != nil {
		return err
	}
	return r.connection(http.StatusOK, nil, &consent)
}

func (r *request) deleteConnection() error {
	id := r.PathValue("connection")
	c, err := r.ui.config.Lookup.Connection(r.Context(), r.Project.ID, id)
	if err != nil {
		return err
	}
	err = r.change("connection.delete", id, map[string]string{"group": c.Group.Ref, "workspace": c.Workspace}, func(ctx context.Context) error {
		return r.ui.config.Connect.Delete(ctx, r.Project.ID, id)
	})
	if shown, problem := wrong(err); shown {
		return r.connection(statusOf(err), problem, nil)
	}
	if err != nil {
		return err
	}
	return r.done("connections", "deleted")
}
