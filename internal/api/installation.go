package api

import (
	"encoding/json"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"windlass"
	"windlass/internal/config"
	"windlass/internal/install"
)

// installation is an integration installed for one customer, in the contract's
// shape. Its group is always there: clients read it without asking.
type installation struct {
	ID                  string             `json:"id"`
	ProjectID           string             `json:"projectId"`
	IntegrationID       string             `json:"integrationId"`
	Group               group              `json:"group"`
	HealthStatus        string             `json:"healthStatus" enum:"healthy,unhealthy"`
	LastOperationStatus string             `json:"lastOperationStatus,omitempty" enum:"success,failure,in_progress"`
	Connection          connection         `json:"connection"`
	CreateTime          time.Time          `json:"createTime"`
	CreatedBy           string             `json:"createdBy"`
	UpdateTime          time.Time          `json:"updateTime,omitzero"`
	Config              installationConfig `json:"config"`
}

// installationConfig is a customer's config.
type installationConfig struct {
	ID         string        `json:"id"`
	RevisionID string        `json:"revisionId"`
	CreateTime time.Time     `json:"createTime"`
	CreatedBy  string        `json:"createdBy"`
	Content    configContent `json:"content"`
}

// configContent is a config's content as it was stored.
type configContent json.RawMessage

// MarshalJSON writes the stored bytes, with an empty list of objects where an
// action has none: clients read the lists without asking.
func (r configContent) MarshalJSON() ([]byte, error) {
	content := map[string]json.RawMessage{}
	if err := json.Unmarshal(orNothing(json.RawMessage(r)), &content); err != nil {
		return nil, err
	}
	for _, action := range []string{"read", "write", "subscribe"} {
		var of map[string]json.RawMessage
		if err := json.Unmarshal(orNothing(content[action]), &of); err != nil {
			return nil, err
		}
		if _, has := of["objects"]; has || of == nil {
			continue
		}
		of["objects"] = json.RawMessage("{}")
		filled, err := json.Marshal(of)
		if err != nil {
			return nil, err
		}
		content[action] = filled
	}
	return json.Marshal(content)
}

func orNothing(member json.RawMessage) json.RawMessage {
	if len(member) == 0 {
		return json.RawMessage("null")
	}
	return member
}

// Schema says what they are.
func (configContent) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[config.Config](), true, "")
}

func asInstallation(i windlass.Installation) installation {
	health := "unhealthy"
	if i.Healthy {
		health = "healthy"
	}
	return installation{
		ID: i.ID, ProjectID: i.ProjectID, IntegrationID: i.IntegrationID,
		Group: asGroup(i.Group), HealthStatus: health, LastOperationStatus: i.LastStatus,
		Connection: asConnection(i.Connection), CreateTime: i.Created.UTC(), CreatedBy: i.CreatedBy, UpdateTime: i.Updated.UTC(),
		Config: installationConfig{
			ID: i.Config.ID, RevisionID: i.Config.RevisionID, CreateTime: i.Config.Created.UTC(),
			CreatedBy: i.Config.CreatedBy, Content: configContent(i.Config.Content),
		},
	}
}

// showInstallation is an installation as a caller may see it: of a connection that
// another person of the group has made, a token sees no more than that there is one
// and whether it works. What the contract requires beside that is empty.
func (c *call) showInstallation(i windlass.Installation) installation {
	out := asInstallation(i)
	if !c.who.Sees(i.Group.Ref, i.Connection.Consumer.Ref) {
		full := out.Connection
		out.Connection = connection{
			ProjectID: full.ProjectID, Provider: full.Provider, Group: full.Group, CreateTime: full.CreateTime,
			Consumer: consumer{ProjectID: full.ProjectID, CreateTime: full.CreateTime}, AuthScheme: full.AuthScheme, Status: full.Status,
		}
	}
	return out
}

// listInstallations lists those of one integration, or those of the whole
// project where the path names none.
func (a *API) listInstallations(c *call, p windlass.Page) (listed[installation], error) {
	groupRef, visible := c.who.Within(c.query.Get("groupRef"))
	if !visible {
		return listed[installation]{items: []installation{}}, nil
	}
	all, err := a.install.Installations(c.ctx(), c.project.ID, install.InstallationQuery{
		Integration: c.param("integrationId"), GroupRef: groupRef, After: p.After, Limit: p.Limit,
	})
	return asList(p, all, func(x windlass.Installation) string { return x.ID }, c.showInstallation), err
}

func (a *API) getInstallation(c *call) (installation, error) {
	found, err := a.ownInstallation(c)
	return c.showInstallation(found), err
}

// ownInstallation finds the installation of the path, if the caller may see it.
func (a *API) ownInstallation(c *call) (windlass.Installation, error) {
	id := c.param("installationId")
	found, err := a.install.Installation(c.ctx(), c.project.ID, c.param("integrationId"), id)
	if err == nil && !c.who.SeesGroup(found.Group.Ref) {
		return windlass.Installation{}, notFound("installation", id)
	}
	return found, err
}

func (a *API) createInstallation(c *call, r install.CreateInstallationRequest) (installation, error) {
	if err := c.who.MustBe(r.GroupRef, ""); err != nil {
		return installation{}, err
	}
	if err := a.ownConnection(c, r.ConnectionID); err != nil {
		return installation{}, err
	}
	r.SkipSampling, r.ConsumerRef = c.flag("skipSampling"), c.who.ConsumerRef
	r.Config.CreatedBy = c.who.Creator(r.Config.CreatedBy)
	made, err := a.install.CreateInstallation(c.ctx(), c.project.ID, c.param("integrationId"), r)
	return c.showInstallation(made), err
}

func (a *API) updateInstallation(c *call, r install.UpdateInstallationRequest) (installation, error) {
	if _, err := a.ownInstallation(c); err != nil {
		return installation{}, err
	}
	if err := a.ownConnection(c, r.Installation.ConnectionID); err != nil {
		return installation{}, err
	}
	r.SkipSampling = c.flag("skipSampling")
	r.Installation.Config.CreatedBy = c.who.Creator(r.Installation.Config.CreatedBy)
	changed, err := a.install.UpdateInstallation(c.ctx(), c.project.ID, c.param("integrationId"), c.param("installationId"), r)
	return c.showInstallation(changed), err
}

func (a *API) deleteInstallation(c *call) error {
	if _, err := a.ownInstallation(c); err != nil {
		return err
	}
	return a.install.DeleteInstallation(c.ctx(), c.project.ID, c.param("integrationId"), c.param("installationId"))
}

func (a *API) patchObjectConfigContent(c *call, r install.PatchConfigRequest) (installation, error) {
	if err := a.ownTarget(c, r); err != nil {
		return installation{}, err
	}
	changed, err := a.install.PatchConfig(c.ctx(), c.project.ID, c.param("integrationId"), c.param("objectName"), r)
	return c.showInstallation(changed), err
}

// ownTarget refuses a patch of an installation that the caller may not see.
func (a *API) ownTarget(c *call, r install.PatchConfigRequest) error {
	if r.GroupRef != "" {
		if err := c.who.MustBe(r.GroupRef, ""); err != nil {
			return err
		}
	}
	if !c.who.IsPerson() || r.InstallationID == "" {
		return nil
	}
	found, err := a.install.Installation(c.ctx(), c.project.ID, c.param("integrationId"), r.InstallationID)
	if err == nil && !c.who.SeesGroup(found.Group.Ref) {
		return notFound("installation", r.InstallationID)
	}
	return err
}

func (a *API) installationObjectMetadata(c *call) (install.ObjectMetadata, error) {
	return a.objectMetadata(c, install.MetadataQuery{Integration: c.param("integrationId")})
}

func (a *API) connectionObjectMetadata(c *call) (install.ObjectMetadata, error) {
	return a.objectMetadata(c, install.MetadataQuery{Provider: c.param("provider")})
}

func (a *API) objectMetadata(c *call, q install.MetadataQuery) (install.ObjectMetadata, error) {
	q.ConsumerRef = c.who.ConsumerRef
	q.GroupRef, q.Object, q.ExcludeReadOnly = c.query.Get("groupRef"), c.param("objectName"), c.flag("excludeReadOnly")
	if !c.who.SeesGroup(q.GroupRef) {
		return install.ObjectMetadata{}, notFound("group", q.GroupRef)
	}
	return a.install.ObjectMetadata(c.ctx(), c.project.ID, q)
}
