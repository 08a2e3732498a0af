package ui

import (
	"context"
	"net/http"

	"windlass"
	"windlass/internal/install"
)

type projectsView struct {
	Projects []windlass.Project
	Problem  *Problem
	Name     string
}

func (r *request) projectsPage() error { return r.projects(http.StatusOK, nil) }

func (r *request) projects(status int, problem *Problem) error {
	all, err := r.ui.config.Install.Projects(r.Context())
	if err != nil {
		return err
	}
	if len(all) == 1 && problem == nil && r.URL.Query().Get("done") == "" && !r.URL.Query().Has("all") {
		r.redirect(projectPath(all[0].ID)) // nothing to choose from
		return nil
	}
	return r.page(status, "projects", "Projects", projectsView{Projects: all, Problem: problem, Name: r.field("name")})
}

func (r *request) createProject() error {
	var project windlass.Project
	name := r.field("name")
	err := r.change("project.create", name, nil, func(ctx context.Context) (err error) {
		project, err = r.ui.config.Install.CreateProject(ctx, install.CreateProjectRequest{Name: name, AppName: r.field("appName")})
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
	change := install.UpdateProjectRequest{UpdateMask: []string{"appName"}}
	change.Project.AppName = r.field("appName")
	err := r.change("project.update", r.Project.Name, map[string]string{"appName": change.Project.AppName}, func(ctx context.Context) error {
		_, err := r.ui.config.Install.UpdateProject(ctx, r.Project.ID, change)
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

const auditPageSize = 50

func (r *request) auditPage() error {
	entries, err := r.ui.config.People.Audit(r.Context(), windlass.AuditFilter{Before: r.URL.Query().Get("before"), Limit: auditPageSize + 1})
	if err != nil {
		return err
	}
	v := auditView{Entries: entries}
	if len(entries) > auditPageSize {
		v.Entries = entries[:auditPageSize]
		v.Older = entries[auditPageSize-1].ID
	}
	return r.ok("audit", "Audit log", v)
}
