package ui

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"time"

	"windlass"
	"windlass/internal/config"
	"windlass/internal/install"
	"windlass/internal/read"
)

// InstallationLookup is what pages ask the store about installations and their
// reads.
type InstallationLookup interface {
	Installation(ctx context.Context, projectID, id string) (windlass.Installation, error)
	ReadStates(ctx context.Context, installationID string) ([]windlass.ReadState, error)
	Schedules(ctx context.Context, installationID string) ([]windlass.Schedule, error)
	Operations(ctx context.Context, filter windlass.OperationFilter) ([]windlass.Operation, error)
	LatestLogs(ctx context.Context, operationID string, limit int) ([]windlass.OperationLog, error)
}

func installationRoutes(project string) []route {
	const one = "/installations/{installation}"
	return []route{
		{http.MethodGet, project + "/installations", windlass.Viewer, (*request).installationsPage},
		{http.MethodGet, project + one, windlass.Viewer, (*request).installationPage},
		{http.MethodGet, project + one + "/live", windlass.Viewer, (*request).followInstallation},
		{http.MethodPost, project + one + "/read", windlass.Editor, (*request).readNow},
		{http.MethodPost, project + one + "/pause", windlass.Editor, (*request).pauseReads},
		{http.MethodPost, project + one + "/unpause", windlass.Editor, (*request).unpauseReads},
		{http.MethodPost, project + one + "/delete", windlass.Editor, (*request).uninstall},
		{http.MethodGet, project + one + "/objects/{object...}", windlass.Viewer, (*request).objectPage},
		{http.MethodPost, project + one + "/objects/{object...}", windlass.Editor, (*request).updateObject},
	}
}

type installationsView struct {
	Installations []windlass.Installation
	Integrations  map[string]string // the names, by id
	Filter        installationFilter
	More          string
}

type installationFilter struct{ Search, Integration, Health string }

// Query is the filter as a part of an address.
func (f installationFilter) Query() string {
	return query("search", f.Search, "integration", f.Integration, "health", f.Health)
}

// query makes the query of an address of pairs of names and values, without those
// that have no value.
func query(pairs ...string) string {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			values.Set(pairs[i], pairs[i+1])
		}
	}
	return values.Encode()
}

func (r *request) installationsPage() error {
	q := r.URL.Query()
	v := installationsView{Filter: installationFilter{q.Get("search"), q.Get("integration"), q.Get("health")}}
	all, err := r.ui.config.Install.Installations(r.Context(), r.Project.ID, install.InstallationQuery{
		Search: v.Filter.Search, Integration: v.Filter.Integration, Health: v.Filter.Health, After: q.Get("after"), Limit: pageSize + 1,
	})
	if err != nil {
		return err
	}
	v.Installations, v.More = cut(all, func(i windlass.Installation) string { return i.ID })
	if v.Integrations, err = r.integrationNames(); err != nil {
		return err
	}
	return r.ok("installations", "Installations", v)
}

// integrationNames are the names of the project's integrations, by their ids; of as
// many as a page shows.
func (r *request) integrationNames() (map[string]string, error) {
	all, err := r.ui.config.Deploy.Integrations(r.Context(), r.Project.ID, windlass.Page{Limit: pageSize})
	if err != nil {
		return nil, err
	}
	names := make(map[string]string, len(all))
	for i := range all {
		names[all[i].ID] = all[i].Name
	}
	return names, nil
}

type installationView struct {
	Installation windlass.Installation
	Integration  windlass.Integration
	Objects      []objectRow
	Writes       []string
	Missing      []string // scopes
	Config       string
	Now          time.Time
	Problem      *Problem
}

// An objectRow is an object that is read, with the state of its reads.
type objectRow struct {
	Name     string
	Path     string
	Config   config.ReadObject
	Mark     windlass.ReadState
	Schedule *windlass.Schedule
	Last     *windlass.Operation // nil: it was never read
	Done     int64               // in percent; -1 is unknown
	ToGo     time.Duration       // 0 is unknown
	Wait     time.Time           // until when the read that is under way sleeps
}

// Running reports that a read is under way.
func (o objectRow) Running() bool { return o.Last != nil && o.Last.Status == windlass.OperationRunning }

func (r *request) installationPage() error { return r.installation(http.StatusOK, nil) }

func (r *request) installation(status int, problem *Problem) error {
	v, err := r.loadInstallation()
	if err != nil {
		return err
	}
	v.Problem, v.Now = problem, r.ui.config.Now()
	if v.Missing, err = r.ui.config.Connect.Missing(r.Context(), v.Installation.Connection); err != nil {
		return err
	}
	if v.Config, err = pretty(v.Installation.Config.Content); err != nil {
		return err
	}
	return r.page(status, "installation", cmp.Or(v.Installation.Group.Name, v.Installation.Group.Ref), v)
}

func (r *request) followInstallation() error {
	return r.follow("installation", "reads", func() (any, bool, error) {
		v, err := r.loadInstallation()
		return v, false, err
	})
}

// loadInstallation collects what a part of the page shows that changes by itself.
func (r *request) loadInstallation() (v installationView, err error) {
	lookup := r.ui.config.Lookup
	if v.Installation, err = lookup.Installation(r.Context(), r.Project.ID, r.PathValue("installation")); err != nil {
		return v, err
	}
	if v.Integration, err = r.ui.config.Deploy.Integration(r.Context(), r.Project.ID, v.Installation.IntegrationID); err != nil {
		return v, err
	}
	marks, err := lookup.ReadStates(r.Context(), v.Installation.ID)
	if err != nil {
		return v, err
	}
	schedules, err := lookup.Schedules(r.Context(), v.Installation.ID)
	if err != nil {
		return v, err
	}
	chosen, err := config.Parse(v.Installation.Config.Content)
	if err != nil {
		return v, err
	}
	v.Writes = chosen.WriteNames()
	for _, name := range chosen.ReadNames() {
		row := objectRow{Name: name, Done: -1, Path: r.path("installations/"+v.Installation.ID) + "/objects/" + escapePath(name)}
		row.Config, _ = chosen.Reads(name)
		for i := range marks {
			if marks[i].Object == name {
				row.Mark = marks[i]
			}
		}
		for i := range schedules {
			if schedules[i].Kind == windlass.ScheduleRead && schedules[i].Object == name {
				row.Schedule = &schedules[i]
			}
		}
		last, err := lookup.Operations(r.Context(), windlass.OperationFilter{
			ProjectID: r.Project.ID, InstallationID: v.Installation.ID, Object: name, Action: windlass.ActionRead, Limit: 1,
		})
		if err != nil {
			return v, err
		}
		if len(last) > 0 {
			row.Last = &last[0]
			row.Done, row.ToGo, row.Wait = progress(last[0], r.ui.config.Now())
		}
		v.Objects = append(v.Objects, row)
	}
	return v, nil
}

// progress says how far a read that is under way has come, in percent, and how long
// it will take at the pace it has had: -1 and 0 where that is not known.
func progress(p windlass.Operation, now time.Time) (done int64, toGo time.Duration, wait time.Time) {
	if p.Status != windlass.OperationRunning {
		return -1, 0, time.Time{}
	}
	if p.Wait.After(now) {
		wait = p.Wait
	}
	if p.Estimate <= 0 {
		return -1, 0, wait
	}
	walked := min(p.Walked, p.Estimate)
	took := now.Sub(p.Started)
	if walked > 0 && p.Restarts == 0 && !p.Started.IsZero() && took > 0 {
		toGo = time.Duration(float64(took) / float64(walked) * float64(p.Estimate-walked))
	}
	return 100 * walked / p.Estimate, toGo, wait
}

// escapePath makes a name of an object, which may hold slashes, a part of a path.
func escapePath(name string) string { return (&url.URL{Path: name}).EscapedPath() }

// of finds the installation of a form.
func (r *request) of() (windlass.Installation, error) {
	return r.ui.config.Lookup.Installation(r.Context(), r.Project.ID, r.PathValue("installation"))
}

// settle answers a form of an installation's page: with the error, or with a redirect.
func (r *request) settle(err error, path, notice string) error {
	if shown, problem := wrong(err); shown {
		return r.installation(statusOf(err), problem)
	}
	if err != nil {
		return err
	}
	return r.done(path, notice)
}

func (r *request) readNow() error {
	in, err := r.of()
	if err != nil {
		return err
	}
	object, trigger := r.field("object"), read.TriggerRequest{GroupRef: in.Group.Ref, Mode: "async"}
	if since := r.field("since"); since != "" {
		d, err := time.ParseDuration(since)
		if err != nil {
			return &windlass.Error{Kind: windlass.Invalid, Message: "the time is not valid", Remedy: "choose one from the list"}
		}
		trigger.SinceTimestamp = r.ui.config.Now().Add(-d).UTC().Format(time.RFC3339)
	}
	var begun windlass.Operation
	err = r.change("installation.read", in.ID, map[string]string{"object": object, "since": trigger.SinceTimestamp}, func(ctx context.Context) (err error) {
		begun, err = r.ui.config.Reads.Trigger(ctx, r.Project.ID, in.IntegrationID, object, trigger)
		return err
	})
	return r.settle(err, "operations/"+begun.ID, "begun")
}

func (r *request) pauseReads() error {
	return r.pausing("installation.pause", "paused", r.ui.config.Reads.Pause)
}

func (r *request) unpauseReads() error {
	return r.pausing("installation.unpause", "unpaused", r.ui.config.Reads.Unpause)
}

func (r *request) pausing(action, notice string, do func(ctx context.Context, project, integration, installation string, p read.PauseRequest) error) error {
	in, err := r.of()
	if err != nil {
		return err
	}
	p := read.PauseRequest{Note: r.field("note")}
	if object := r.field("object"); object != "" {
		p.Objects = []string{object}
	}
	err = r.change(action, in.ID, map[string]string{"object": r.field("object"), "note": p.Note}, func(ctx context.Context) error {
		return do(ctx, r.Project.ID, in.IntegrationID, in.ID, p)
	})
	return r.settle(err, "installations/"+in.ID, notice)
}

func (r *request) uninstall() error {
	in, err := r.of()
	if err != nil {
		return err
	}
	err = r.change("installation.delete", in.ID, map[string]string{"group": in.Group.Ref}, func(ctx context.Context) error {
		return r.ui.config.Install.DeleteInstallation(ctx, r.Project.ID, in.IntegrationID, in.ID)
	})
	return r.settle(err, "installations", "deleted")
}
