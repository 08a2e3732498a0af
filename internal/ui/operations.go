package ui

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"windlass"
	"windlass/manifest"
)

func operationRoutes(project string) []route {
	return []route{
		{http.MethodGet, project + "/operations", windlass.Viewer, (*request).operationsPage},
		{http.MethodGet, project + "/operations/{operation}", windlass.Viewer, (*request).operationPage},
		{http.MethodGet, project + "/operations/{operation}/live", windlass.Viewer, (*request).followOperation},
	}
}

type operationsView struct {
	Operations []windlass.Operation
	More       string
	Filter     operationFilter
	Objects    []string
	Customer   string // of the installation that the filter names
}

type operationFilter struct{ Status, Object, Installation string }

// Query is the filter as a part of an address.
func (f operationFilter) Query() string {
	return query("status", f.Status, "object", f.Object, "installation", f.Installation)
}

func (r *request) operationsPage() error {
	q := r.URL.Query()
	v := operationsView{Filter: operationFilter{q.Get("status"), q.Get("object"), q.Get("installation")}}
	all, err := r.ui.config.Lookup.Operations(r.Context(), windlass.OperationFilter{
		ProjectID: r.Project.ID, InstallationID: v.Filter.Installation, Object: v.Filter.Object, Status: v.Filter.Status,
		Before: q.Get("before"), Limit: pageSize + 1,
	})
	if err != nil {
		return err
	}
	v.Operations, v.More = cut(all, func(p windlass.Operation) string { return p.ID })
	if v.Objects, err = r.objectNames(v.Filter.Object); err != nil {
		return err
	}
	if v.Filter.Installation != "" {
		in, err := r.ui.config.Lookup.Installation(r.Context(), r.Project.ID, v.Filter.Installation)
		if err != nil && !errors.Is(err, windlass.NotFound) { // its operations stay when it goes
			return err
		}
		v.Customer = in.Group.Ref
	}
	return r.ok("operations", "Operations", v)
}

// objectNames are the names of the objects that the project's integrations read or
// write, with the one that is chosen, of as many integrations as a page shows.
func (r *request) objectNames(chosen string) ([]string, error) {
	all, err := r.ui.config.Deploy.Integrations(r.Context(), r.Project.ID, windlass.Page{Limit: pageSize})
	if err != nil {
		return nil, err
	}
	names := map[string]bool{}
	if chosen != "" {
		names[chosen] = true
	}
	for i := range all {
		var entry manifest.Integration
		if err := json.Unmarshal(all[i].Latest.Content, &entry); err != nil {
			return nil, err
		}
		if entry.Read != nil {
			for n := range entry.Read.Objects {
				names[entry.Read.Objects[n].ObjectName] = true
			}
		}
		if entry.Write != nil {
			for n := range entry.Write.Objects {
				names[entry.Write.Objects[n].ObjectName] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names)), nil
}

// logSize is how many lines of a log a page shows.
const logSize = 200

type operationView struct {
	Operation    windlass.Operation
	Installation windlass.Installation // zero: it is gone
	Integration  string
	Done         int64
	ToGo         time.Duration
	Wait         time.Time
	Now          time.Time
	Logs         []windlass.OperationLog
	Cut          bool   // there are lines before these
	Whole        bool   // the page goes through the log from its beginning
	More         string // then the id of the line to go on from
}

// Running reports that the operation has not ended.
func (v operationView) Running() bool { return v.Operation.Status == windlass.OperationRunning }

func (r *request) operationPage() error {
	v, err := r.loadOperation()
	if err != nil {
		return err
	}
	if q := r.URL.Query(); q.Has("log") {
		all, err := r.ui.config.Reads.Logs(r.Context(), r.Project.ID, v.Operation.ID, q.Get("log"), logSize+1)
		if err != nil {
			return err
		}
		v.Whole, v.Cut, v.Logs = true, false, all
		if len(all) > logSize {
			v.Logs, v.More = all[:logSize], all[logSize-1].ID
		}
	}
	return r.ok("operation", v.Operation.Action+" of "+v.Operation.Object, v)
}

func (r *request) followOperation() error {
	return r.follow("operation", "operation", func() (any, bool, error) {
		v, err := r.loadOperation()
		return v, err == nil && !v.Running(), err
	})
}

func (r *request) loadOperation() (v operationView, err error) {
	v.Now = r.ui.config.Now()
	if v.Operation, err = r.ui.config.Reads.Operation(r.Context(), r.Project.ID, r.PathValue("operation")); err != nil {
		return v, err
	}
	v.Done, v.ToGo, v.Wait = progress(v.Operation, v.Now)
	v.Installation, err = r.ui.config.Lookup.Installation(r.Context(), r.Project.ID, v.Operation.InstallationID)
	if err != nil && !errors.Is(err, windlass.NotFound) {
		return v, err
	}
	integration, err := r.ui.config.Deploy.Integration(r.Context(), r.Project.ID, v.Operation.IntegrationID)
	if err != nil && !errors.Is(err, windlass.NotFound) {
		return v, err
	}
	v.Integration = integration.Name
	v.Logs, err = r.ui.config.Lookup.LatestLogs(r.Context(), v.Operation.ID, logSize+1)
	if len(v.Logs) > logSize {
		v.Logs, v.Cut = v.Logs[1:], true
	}
	return v, err
}
