package api

import (
	"time"

	"windlass"
	"windlass/internal/setup"
)

// apiKey is a key, in the contract's shape. Key is the whole key when it has just been
// created, and only its public part later.
type apiKey struct {
	Key       string   `json:"key"`
	Label     string   `json:"label"`
	Scopes    []string `json:"scopes"`
	ProjectID string   `json:"projectId"`
	Active    bool     `json:"active"`
}

func asAPIKey(k windlass.APIKey) apiKey {
	return apiKey{Key: k.ID, Label: k.Label, Scopes: each(k.Scopes, itself), ProjectID: k.ProjectID, Active: k.Active}
}

func itself(s string) string { return s }

func (a *API) listAPIKeys(c *call, p windlass.Page) (listed[apiKey], error) {
	all, err := a.setup.APIKeys(c.ctx(), c.project.ID, c.flag("active"), p)
	return asList(p, all, func(x windlass.APIKey) string { return x.ID }, asAPIKey), err
}

func (a *API) createAPIKey(c *call, r setup.APIKeyRequest) (apiKey, error) {
	made, err := a.setup.CreateAPIKey(c.ctx(), c.project.ID, r)
	out := asAPIKey(made)
	out.Key = made.Key.Reveal() // the only time that it can be
	return out, err
}

func (a *API) getAPIKey(c *call) (apiKey, error) {
	found, err := a.setup.APIKey(c.ctx(), c.project.ID, c.param("apiKey"))
	return asAPIKey(found), err
}

func (a *API) updateAPIKey(c *call, r setup.PatchAPIKeyRequest) (apiKey, error) {
	changed, err := a.setup.UpdateAPIKey(c.ctx(), c.project.ID, c.param("apiKey"), r)
	return asAPIKey(changed), err
}

func (a *API) deleteAPIKey(c *call) error {
	return a.setup.DeleteAPIKey(c.ctx(), c.project.ID, c.param("apiKey"))
}

// jwtKey is a public key, in the contract's shape, which names the algorithm of
// the key where a request names that of the signature.
type jwtKey struct {
	ID           string    `json:"id" format:"uuid"`
	ProjectID    string    `json:"projectId" format:"uuid"`
	Label        string    `json:"label"`
	Algorithm    string    `json:"algorithm" enum:"RSA"`
	PublicKeyPEM string    `json:"publicKeyPem"`
	Active       bool      `json:"active"`
	CreateTime   time.Time `json:"createTime"`
	UpdateTime   time.Time `json:"updateTime"`
}

// madeJWTKey names a key that was just registered.
type madeJWTKey struct {
	KeyID string `json:"kid" format:"uuid"`
}

func asJWTKey(k windlass.JWTKey) jwtKey {
	updated := k.Updated
	if updated.IsZero() {
		updated = k.Created
	}
	return jwtKey{
		ID: k.ID, ProjectID: k.ProjectID, Label: k.Label, Algorithm: "RSA", PublicKeyPEM: k.PublicKeyPEM,
		Active: k.Active, CreateTime: k.Created.UTC(), UpdateTime: updated.UTC(),
	}
}

func (a *API) listJWTKeys(c *call, p windlass.Page) (listed[jwtKey], error) {
	all, err := a.setup.JWTKeys(c.ctx(), c.project.ID, c.flag("active"), p)
	return asList(p, all, func(x windlass.JWTKey) string { return x.ID }, asJWTKey), err
}

func (a *API) createJWTKey(c *call, r setup.CreateJWTKeyRequest) (madeJWTKey, error) {
	made, err := a.setup.CreateJWTKey(c.ctx(), c.project.ID, r)
	return madeJWTKey{KeyID: made.ID}, err
}

func (a *API) getJWTKey(c *call) (jwtKey, error) {
	found, err := a.setup.JWTKey(c.ctx(), c.project.ID, c.param("keyId"))
	return asJWTKey(found), err
}

func (a *API) updateJWTKey(c *call, r setup.PatchJWTKeyRequest) (jwtKey, error) {
	changed, err := a.setup.UpdateJWTKey(c.ctx(), c.project.ID, c.param("keyId"), r)
	return asJWTKey(changed), err
}

func (a *API) deleteJWTKey(c *call) error {
	return a.setup.DeleteJWTKey(c.ctx(), c.project.ID, c.param("keyId"))
}
