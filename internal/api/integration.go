package api

import (
	"encoding/json"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"windlass"
	"windlass/internal/deploy"
	"windlass/manifest"
)

// integration is an integration with its latest revision, in the contract's shape.
type integration struct {
	ID             string    `json:"id"`
	ProjectID      string    `json:"projectId"`
	Name           string    `json:"name"`
	Provider       string    `json:"provider"`
	CreateTime     time.Time `json:"createTime"`
	UpdateTime     time.Time `json:"updateTime,omitzero"`
	LatestRevision revision  `json:"latestRevision"`
}

// revision is one deployed state of an integration.
type revision struct {
	ID          string          `json:"id"`
	SpecVersion string          `json:"specVersion"`
	CreateTime  time.Time       `json:"createTime"`
	Content     revisionContent `json:"content"`
}

// revisionContent is an entry of a manifest as it was stored.
type revisionContent json.RawMessage

// MarshalJSON writes the stored bytes.
func (r revisionContent) MarshalJSON() ([]byte, error) { return json.RawMessage(r).MarshalJSON() }

// Schema says that they are an entry of a manifest.
func (revisionContent) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[manifest.Integration](), true, "")
}

func asIntegration(i windlass.Integration) integration {
	return integration{
		ID: i.ID, ProjectID: i.ProjectID, Name: i.Name, Provider: i.Provider,
		CreateTime: i.Created.UTC(), UpdateTime: i.Updated.UTC(),
		LatestRevision: revision{
			ID: i.Latest.ID, SpecVersion: i.Latest.SpecVersion, CreateTime: i.Latest.Created.UTC(),
			Content: revisionContent(i.Latest.Content),
		},
	}
}

func (a *API) listIntegrations(c *call, p windlass.Page) (listed[integration], error) {
	all, err := a.deploy.Integrations(c.ctx(), c.project.ID, p)
	return asList(p, all, func(x windlass.Integration) string { return x.ID }, asIntegration), err
}

func (a *API) getIntegration(c *call) (integration, error) {
	found, err := a.deploy.Integration(c.ctx(), c.project.ID, c.param("integrationIdOrName"))
	return asIntegration(found), err
}

func (a *API) deleteIntegration(c *call) error {
	return a.deploy.DeleteIntegration(c.ctx(), c.project.ID, c.param("integrationIdOrName"))
}

func (a *API) createIntegration(c *call, r deploy.CreateIntegrationRequest) error {
	done, err := a.deploy.CreateIntegration(c.ctx(), c.project.ID, r)
	a.warn(c, done)
	return err
}

func (a *API) batchUpsertIntegrations(c *call, r deploy.DeployRequest) ([]integration, error) {
	done, err := a.deploy.Deploy(c.ctx(), c.project.ID, r.Source(c.who.ProjectID), c.flag("destructive"))
	a.warn(c, done)
	return each(done.Integrations, asIntegration), err
}

func (a *API) createRevision(c *call, r deploy.DeployRequest) error {
	done, err := a.deploy.CreateRevision(c.ctx(), c.project.ID, c.param("integrationId"), r.Source(c.who.ProjectID), c.flag("destructive"))
	a.warn(c, done)
	return err
}

// warn hands over what a deploy has to say beside its answer, whose keys are
// closed: each warning in a header of its own.
func (a *API) warn(c *call, done deploy.Deployment) {
	for _, warning := range done.Warnings {
		a.log.WarnContext(c.ctx(), "deployed with a warning", logRequest, c.requestID, logProject, c.project.ID, logWarning, warning)
		c.w.Header().Add("X-Windlass-Warning", headerText(warning))
	}
}

func (a *API) hydrateRevision(c *call) (deploy.HydratedRevision, error) {
	id := c.query.Get("connectionId")
	if err := a.ownConnection(c, id); err != nil {
		return deploy.HydratedRevision{}, err
	}
	return a.deploy.Hydrate(c.ctx(), c.project.ID, c.param("integrationId"), c.param("revisionId"), id)
}
