package install

import (
	"context"

	"windlass"
)

// CreateProjectRequest is the body of POST /projects.
type CreateProjectRequest struct {
	Name string `json:"name"`
	// AppName is what customers read on the consent page; empty: the name.
	AppName string `json:"appName"`
	// OrgID is carried along: the contract requires one. Empty: one is made.
	OrgID string `json:"orgId,omitempty"`
	// AllowedOrigins are the origins of the pages that may begin a consent, as in
	// https://app.example.com; none means that any may.
	AllowedOrigins []string `json:"allowedOrigins,omitempty" maxItems:"50"`
}

// UpdateProjectRequest is the body of PATCH /projects/{p}.
type UpdateProjectRequest struct {
	UpdateMask []string `json:"updateMask"` // name, appName, allowedOrigins
	Project    struct {
		Name           string   `json:"name,omitempty"`
		AppName        string   `json:"appName,omitempty"`
		AllowedOrigins []string `json:"allowedOrigins,omitempty" maxItems:"50"`
	} `json:"project"`
}

// CreateProject makes a project. Names are unique.
func (f *Flow) CreateProject(ctx context.Context, r CreateProjectRequest) (windlass.Project, error) {
	const op = "create the project"
	if r.AppName == "" {
		r.AppName = r.Name
	}
	if r.OrgID == "" {
		r.OrgID = newID()
	}
	var is issues
	is.name(r.Name, "name")
	is.label(r.AppName, "appName")
	is.label(r.OrgID, "orgId")
	is.origins(r.AllowedOrigins, "allowedOrigins")
	if err := is.err(op, nil); err != nil {
		return windlass.Project{}, err
	}
	p := windlass.Project{ID: newID(), Name: r.Name, AppName: r.AppName, OrgID: r.OrgID, Origins: r.AllowedOrigins, Created: f.now(), Updated: f.now()}
	return p, f.store.In(ctx, func(ctx context.Context) error {
		_, err := f.store.ProjectNamed(ctx, r.Name)
		if err := free(op, "a project", r.Name, err); err != nil {
			return err
		}
		return f.store.CreateProject(ctx, p)
	})
}

// Project finds a project by id or name.
func (f *Flow) Project(ctx context.Context, project string) (windlass.Project, error) {
	return f.store.Project(ctx, project)
}

// Projects lists all projects.
func (f *Flow) Projects(ctx context.Context, page windlass.Page) ([]windlass.Project, error) {
	return f.store.Projects(ctx, page)
}

// UpdateProject changes what the mask names.
func (f *Flow) UpdateProject(ctx context.Context, project string, r UpdateProjectRequest) (windlass.Project, error) {
	const op = "update the project"
	var p windlass.Project
	err := f.store.In(ctx, func(ctx context.Context) error {
		var err error
		if p, err = f.store.Project(ctx, project); err != nil {
			return err
		}
		before := p.Name
		var is issues
		is.mask(r.UpdateMask, map[string]func() string{
			"name":    func() string { p.Name = r.Project.Name; is.name(p.Name, "project.name"); return "" },
			"appName": func() string { p.AppName = r.Project.AppName; is.label(p.AppName, "project.appName"); return "" },
			"allowedOrigins": func() string {
				p.Origins = r.Project.AllowedOrigins
				is.origins(p.Origins, "project.allowedOrigins")
				return ""
			},
		})
		if err := is.err(op, nil); err != nil {
			return err
		}
		if p.Name != before {
			other, err := f.store.ProjectNamed(ctx, p.Name)
			if err == nil && other.ID == p.ID { // only its letters change
				err = &windlass.Failure{Kind: windlass.NotFound}
			}
			if err := free(op, "a project", p.Name, err); err != nil {
				return err
			}
		}
		p.Updated = f.now()
		return f.store.UpdateProject(ctx, p)
	})
	return p, err
}

// FirstStart makes a project and an API key for it if there is no project yet.
// The key is zero if there was one; otherwise it can never be shown again. It
// may be repeated.
func (f *Flow) FirstStart(ctx context.Context, name string) (windlass.Project, windlass.APIKey, error) {
	var p windlass.Project
	var key windlass.APIKey
	err := f.store.In(ctx, func(ctx context.Context) error {
		all, err := f.store.Projects(ctx, windlass.Page{Limit: 1})
		if err != nil {
			return err
		}
		if len(all) > 0 {
			p = all[0]
			return nil
		}
		if p, err = f.CreateProject(ctx, CreateProjectRequest{Name: name}); err != nil {
			return err
		}
		key, err = f.CreateAPIKey(ctx, p.ID, APIKeyRequest{Label: "first start"})
		return err
	})
	if err != nil {
		return windlass.Project{}, windlass.APIKey{}, err
	}
	return p, key, nil
}
