package ui

import (
	"context"
	"net/http"

	"windlass"
	"windlass/internal/setup"
)

type projectsView struct {
	Projects []windlass.Project
	More     string // the id to go on from; empty: there are no more
	Problem  *Problem
	Name     string
}

func (r *request) projectsPage() error { return r.projects(http.StatusOK, nil) }

func (r *request) projects(status int, problem *Problem) error {
	all, err := r.ui.config.Setup.Projects(r.Context(), windlass.Page{After: r.URL.Query().Get("after"), Limit: pageSize + 1})
	if err != nil {
		return err
	}
	all, more := cut(all, func(p windlass.Project) string { return p.ID })
	if len(all) == 1 && problem == nil && !r.URL.Query().Has("after") && r.URL.Query().Get("done") == "" && !r.URL.Query().Has("all") {
		r.redirect(projectPath(all[0].ID)) // nothing to choose from
		return nil
	}
	return r.page(status, "projects", "Projects", projectsView{Projects: all, More: more, Problem: problem, Name: r.field("name")})
}

func (r *request) createProject() error {
	var project windlass.Project
	name := r.field("name")
	err := r.change("project.create", name, nil, func(ctx context.Context) (err error) {
		project, err = r.ui.config.Setup.CreateProject(ctx, setup.CreateProjectRequest{Name: name, AppName: r.field("appName")})
		return err
	})
	if shown, problem := wrong(err); shown {
		return r.projects(statusOf(err), problem)
	}
	if err != nil {
		return err
	}
	return r.done(projectPath(project.ID), "created")
}

func (r *request) projectPage() error { return r.ok("project", r.Project.Name, nil) }

func (r *request) updateProject() error {
	change := setup.UpdateProjectRequest{UpdateMask: []string{"appName"}}
	change.Project.AppName = r.field("appName")
	err := r.change("project.update", r.Project.Name, map[string]string{"appName": change.Project.AppName}, func(ctx context.Context) error {
		_, err := r.ui.config.Setup.UpdateProject(ctx, r.Project.ID, change)
		return err
	})
	if err != nil {
		return err
	}
	return r.done(projectPath(r.Project.ID), "saved")
}

type auditView struct {
	Entries []windlass.AuditEntry
	Older   string // the id to go on from; empty: there are no more
}

func (r *request) auditPage() error {
	entries, err := r.ui.config.People.Audit(r.Context(), windlass.AuditFilter{Before: r.URL.Query().Get("before"), Limit: pageSize + 1})
	if err != nil {
		return err
	}
	entries, older := cut(entries, func(e windlass.AuditEntry) string { return e.ID })
	return r.ok("audit", "Audit log", auditView{entries, older})
}
