package store

import (
	"context"

	"windlass"
)

const providerAppColumns = `a.id, a.project_id, a.external_ref, a.provider, a.client_id, a.client_secret, a.scopes,
	a.auth_params, a.params, a.hourly_limit, a.created, a.updated`

func (s *Store) scanProviderApp(r row) (a windlass.ProviderApp, err error) {
	var secret []byte
	err = r.Scan(&a.ID, &a.ProjectID, &a.ExternalRef, &a.Provider, &a.ClientID, &secret, fromText{&a.Scopes},
		fromText{&a.AuthParams}, fromText{&a.Params}, &a.HourlyLimit, when{&a.Created}, when{&a.Updated})
	if err == nil {
		a.ClientSecret, err = s.unsealSecret(clientSecret, a.ID, secret)
	}
	return a, err
}

var providerAppSays = says{
	Missing:  "there is no such provider app",
	Taken:    "a provider app with that client id exists already",
	Dangling: "connections were made through it and still exist",
}

// CreateProviderApp adds a provider app; Conflict when the project has one with
// the same provider and client id.
func (s *Store) CreateProviderApp(ctx context.Context, a windlass.ProviderApp) error {
	op, words := "create the provider app", providerAppSays
	words.kind, words.Dangling = windlass.NotFound, "there is no such project"
	sealed, err := s.sealSecret(clientSecret, a.ID, a.ClientSecret)
	if err != nil {
		return s.fail(op, err, words)
	}
	_, err = s.exec(ctx, `INSERT INTO provider_apps (id, project_id, external_ref, provider, client_id, client_secret, scopes,
		auth_params, params, hourly_limit, created, updated) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)`,
		a.ID, a.ProjectID, a.ExternalRef, a.Provider, a.ClientID, sealed, text(a.Scopes),
		text(a.AuthParams), text(a.Params), a.HourlyLimit, micros(a.Created), micros(a.Updated))
	return s.fail(op, err, words)
}

// ProviderApp finds a provider app by its id, or by its provider when the
// project has only one there; Conflict when it has several.
func (s *Store) ProviderApp(ctx context.Context, projectID, idOrProvider string) (windlass.ProviderApp, error) {
	op := "find the provider app " + idOrProvider
	found, err := list(ctx, s, s.scanProviderApp, `SELECT `+providerAppColumns+` FROM provider_apps a
		WHERE a.project_id = ?1 AND (a.id = ?2 OR a.provider = ?2) ORDER BY (a.id = ?2) DESC, a.id LIMIT 2`+s.locked(ctx),
		projectID, idOrProvider)
	switch {
	case err != nil:
		return windlass.ProviderApp{}, s.fail(op, err, providerAppSays)
	case len(found) == 0:
		return windlass.ProviderApp{}, s.fail(op, errNone, providerAppSays)
	case len(found) > 1 && found[0].ID != idOrProvider:
		return windlass.ProviderApp{}, &windlass.Error{
			Kind: windlass.Conflict, Op: op, Message: "the project has several for that provider", Remedy: "name one by its id",
		}
	}
	return found[0], nil
}

// ProviderApps lists a project's provider apps, the oldest first.
func (s *Store) ProviderApps(ctx context.Context, projectID string, p windlass.Page) ([]windlass.ProviderApp, error) {
	var f filter
	f.compare("a.project_id", "=", projectID)
	query := `SELECT ` + providerAppColumns + ` FROM provider_apps a` + f.page("a.id", p)
	all, err := list(ctx, s, s.scanProviderApp, query, f.args...)
	return all, s.fail("list the provider apps", err, providerAppSays)
}

// UpdateProviderApp replaces a provider app, its secret too.
func (s *Store) UpdateProviderApp(ctx context.Context, a windlass.ProviderApp) error {
	op := "update the provider app " + a.ID
	sealed, err := s.sealSecret(clientSecret, a.ID, a.ClientSecret)
	if err != nil {
		return s.fail(op, err, providerAppSays)
	}
	return s.update(ctx, op, providerAppSays,
		`UPDATE provider_apps SET external_ref = ?3, provider = ?4, client_id = ?5, client_secret = ?6, scopes = ?7,
			auth_params = ?8, params = ?9, hourly_limit = ?10, updated = ?11 WHERE project_id = ?1 AND id = ?2`,
		a.ProjectID, a.ID, a.ExternalRef, a.Provider, a.ClientID, sealed, text(a.Scopes),
		text(a.AuthParams), text(a.Params), a.HourlyLimit, micros(a.Updated))
}

// DeleteProviderApp removes a provider app; Conflict while connections use it.
func (s *Store) DeleteProviderApp(ctx context.Context, projectID, id string) error {
	return s.update(ctx, "delete the provider app "+id, providerAppSays,
		`DELETE FROM provider_apps WHERE project_id = ?1 AND id = ?2`, projectID, id)
}
