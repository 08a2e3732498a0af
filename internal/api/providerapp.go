package api

import (
	"strconv"
	"time"

	"windlass"
	"windlass/internal/setup"
)

// providerApp is an OAuth consumer without its secret, in the contract's shape.
type providerApp struct {
	ID          string                           `json:"id"`
	ProjectID   string                           `json:"projectId"`
	ExternalRef string                           `json:"externalRef,omitempty"`
	Provider    string                           `json:"provider"`
	ClientID    string                           `json:"clientId"`
	Scopes      []string                         `json:"scopes,omitempty"`
	Metadata    *setup.ProviderAppMetadataValues `json:"metadata,omitempty"`
	CreateTime  time.Time                        `json:"createTime"`
	UpdateTime  time.Time                        `json:"updateTime,omitzero"`
}

func asProviderApp(p windlass.ProviderApp) providerApp {
	out := providerApp{
		ID: p.ID, ProjectID: p.ProjectID, ExternalRef: p.ExternalRef, Provider: p.Provider, ClientID: p.ClientID,
		Scopes: p.Scopes, CreateTime: p.Created.UTC(), UpdateTime: p.Updated.UTC(),
	}
	metadata := setup.ProviderAppMetadataValues{AuthQueryParams: p.AuthParams}
	for name, value := range p.Params {
		set(&metadata.ProviderParams, name, value)
	}
	if p.HourlyLimit > 0 {
		set(&metadata.ProviderParams, "hourlyLimit", strconv.Itoa(p.HourlyLimit))
	}
	if len(metadata.AuthQueryParams) > 0 || len(metadata.ProviderParams) > 0 {
		out.Metadata = &metadata
	}
	return out
}

func set(m *map[string]string, key, value string) {
	if *m == nil {
		*m = map[string]string{}
	}
	(*m)[key] = value
}

func (a *API) listProviderApps(c *call, p windlass.Page) (listed[providerApp], error) {
	all, err := a.setup.ProviderApps(c.ctx(), c.project.ID, p)
	return asList(p, all, func(x windlass.ProviderApp) string { return x.ID }, asProviderApp), err
}

func (a *API) createProviderApp(c *call, r setup.ProviderAppRequest) (providerApp, error) {
	made, err := a.setup.CreateProviderApp(c.ctx(), c.project.ID, r)
	return asProviderApp(made), err
}

func (a *API) updateProviderApp(c *call, r setup.UpdateProviderAppRequest) (providerApp, error) {
	changed, err := a.setup.UpdateProviderApp(c.ctx(), c.project.ID, c.param("providerAppId"), r)
	return asProviderApp(changed), err
}

func (a *API) deleteProviderApp(c *call) error {
	return a.setup.DeleteProviderApp(c.ctx(), c.project.ID, c.param("providerAppId"))
}
