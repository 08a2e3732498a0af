package api

import (
	"time"

	"windlass"
	"windlass/internal/auth"
)

// builderInfo describes the caller and its projects, in the contract's shape. Keys
// belong to no person: a key, or the operator, takes the place of the builder, and
// there are no organisations with roles.
type builderInfo struct {
	Builder      builder                `json:"builder"`
	ProjectRoles map[string]projectRole `json:"projectRoles"`
}

type builder struct {
	ID          string    `json:"id"`
	IDPProvider string    `json:"idpProvider"`
	IDPRef      string    `json:"idpRef"`
	CreateTime  time.Time `json:"createTime"`
	FullName    string    `json:"fullName,omitempty"`
}

type projectRole struct {
	Role          string  `json:"role" enum:"admin,member"`
	PrincipalType string  `json:"principalType" enum:"builder"`
	PrincipalID   string  `json:"principalId"`
	Project       project `json:"project"`
}

func (a *API) getMyInfo(c *call) (builderInfo, error) {
	info := builderInfo{
		Builder:      builder{ID: c.who.Name, IDPProvider: "windlass", IDPRef: c.who.Name, CreateTime: a.now().UTC()},
		ProjectRoles: map[string]projectRole{},
	}
	role := "member"
	if c.who.Access >= auth.Server {
		role = "admin"
	}
	add := func(p windlass.Project) {
		info.ProjectRoles[p.ID] = projectRole{role, "builder", c.who.Name, asProject(p)}
		if c.who.Everywhere && p.Created.Before(info.Builder.CreateTime) {
			info.Builder.CreateTime = p.Created.UTC() // the operator has no creation time
		}
	}
	if c.who.Everywhere {
		info.Builder.FullName = "operator"
		return info, a.eachProject(c, add)
	}
	key, err := a.setup.APIKey(c.ctx(), c.who.ProjectID, c.who.Name)
	if err != nil {
		return builderInfo{}, err
	}
	info.Builder.FullName, info.Builder.CreateTime = key.Label, key.Created.UTC()
	own, err := a.setup.Project(c.ctx(), c.who.ProjectID)
	add(own)
	return info, err
}

// eachProject goes through all projects, so many at a time.
func (a *API) eachProject(c *call, do func(windlass.Project)) error {
	page := windlass.Page{Limit: maxPageSize}
	for {
		some, err := a.setup.Projects(c.ctx(), page)
		if err != nil {
			return err
		}
		for i := range some {
			do(some[i])
			page.After = some[i].ID
		}
		if len(some) < page.Limit {
			return nil
		}
	}
}

// listBuilders lists the people of an organisation, of which there are none.
func (a *API) listBuilders(*call, windlass.Page) (listed[builder], error) {
	return listed[builder]{items: []builder{}}, nil
}
