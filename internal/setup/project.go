package setup

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"windlass"
	"windlass/internal/ids"
	"windlass/internal/input"
)

// CreateProjectRequest is the body of POST /projects.
type CreateProjectRequest struct {
	Name string `json:"name"`
	// AppName is what customers read on the consent page; empty: the name.
	AppName string `json:"appName"`
	// OrgID is stored because the contract requires one. Empty: one is generated.
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
		r.OrgID = ids.New()
	}
	var is input.Issues
	is.Name(r.Name, "name")
	is.Label(r.AppName, "appName")
	is.Label(r.OrgID, "orgId")
	is.Origins(r.AllowedOrigins, "allowedOrigins")
	if err := is.Err(op, nil); err != nil {
		return windlass.Project{}, err
	}
	p := windlass.Project{ID: ids.New(), Name: r.Name, AppName: r.AppName, OrgID: r.OrgID, Origins: r.AllowedOrigins, Created: f.now(), Updated: f.now()}
	return p, f.store.In(ctx, func(ctx context.Context) error {
		_, err := f.store.ProjectNamed(ctx, r.Name)
		if err := input.Free(op, "a project", r.Name, err); err != nil {
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
		var is input.Issues
		is.Mask(r.UpdateMask, map[string]func() string{
			"name":    func() string { p.Name = r.Project.Name; is.Name(p.Name, "project.name"); return "" },
			"appName": func() string { p.AppName = r.Project.AppName; is.Label(p.AppName, "project.appName"); return "" },
			"allowedOrigins": func() string {
				p.Origins = r.Project.AllowedOrigins
				is.Origins(p.Origins, "project.allowedOrigins")
				return ""
			},
		})
		if err := is.Err(op, nil); err != nil {
			return err
		}
		if p.Name != before {
			other, err := f.store.ProjectNamed(ctx, p.Name)
			if err == nil && other.ID == p.ID { // only its case changes
				err = &windlass.Error{Kind: windlass.NotFound}
			}
			if err := input.Free(op, "a project", p.Name, err); err != nil {
				return err
			}
		}
		p.Updated = f.now()
		return f.store.UpdateProject(ctx, p)
	})
	return p, err
}

// DeleteProject deletes a project that holds nothing but names of customers. Else
// it returns a conflict that names what there is.
func (f *Flow) DeleteProject(ctx context.Context, project string) error {
	const op = "delete the project"
	return f.store.In(ctx, func(ctx context.Context) error {
		p, err := f.store.Project(ctx, project)
		if err != nil {
			return err
		}
		held, err := f.contentsOf(ctx, p.ID)
		if err != nil {
			return err
		}
		if len(held) > 0 {
			return input.Conflict(op, "it holds "+strings.Join(held, "; "), "delete these first")
		}
		return f.store.DeleteProject(ctx, p.ID)
	})
}

// contentsOf names the contents of a project, a few of each kind.
func (f *Flow) contentsOf(ctx context.Context, projectID string) (held []string, err error) {
	const shown = 3
	page := windlass.Page{Limit: shown + 1}
	note := func(what string, names []string) {
		switch {
		case len(names) > shown:
			names[shown] = "others"
			fallthrough
		case len(names) > 0:
			held = append(held, what+" "+strings.Join(names, ", "))
		}
	}
	integrations, err := f.store.Integrations(ctx, projectID, page)
	if err != nil {
		return nil, err
	}
	note("integrations", namesOf(integrations, func(i windlass.Integration) string { return strconv.Quote(i.Name) }))
	connections, err := f.store.Connections(ctx, windlass.ConnectionFilter{ProjectID: projectID, Page: page})
	if err != nil {
		return nil, err
	}
	note("connections", namesOf(connections, func(c windlass.Connection) string {
		return fmt.Sprintf("%s (of group %q)", c.ID, c.Group.Ref)
	}))
	apps, err := f.store.ProviderApps(ctx, projectID, page)
	if err != nil {
		return nil, err
	}
	note("provider apps", namesOf(apps, func(a windlass.ProviderApp) string { return a.ID }))
	destinations, err := f.store.Destinations(ctx, projectID, page)
	if err != nil {
		return nil, err
	}
	note("destinations", namesOf(destinations, func(d windlass.Destination) string { return strconv.Quote(d.Name) }))
	topics, err := f.store.Topics(ctx, projectID, page)
	if err != nil {
		return nil, err
	}
	note("topics", namesOf(topics, func(t windlass.Topic) string { return strconv.Quote(t.Name) }))
	apiKeys, err := f.store.APIKeys(ctx, projectID, false, page)
	if err != nil {
		return nil, err
	}
	note("API keys", namesOf(apiKeys, func(k windlass.APIKey) string { return k.ID }))
	jwtKeys, err := f.store.JWTKeys(ctx, projectID, false, page)
	if err != nil {
		return nil, err
	}
	note("JWT keys", namesOf(jwtKeys, func(k windlass.JWTKey) string { return k.ID }))
	return held, nil
}

func namesOf[T any](all []T, name func(T) string) []string {
	out := make([]string, 0, len(all))
	for i := range all {
		out = append(out, name(all[i]))
	}
	return out
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
