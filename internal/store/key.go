package store

import (
	"context"

	"windlass"
)

//nolint:gosec // names of columns, no credential
const apiKeyColumns = `y.id, y.project_id, y.label, y.scopes, y.active, y.created, y.updated`

func scanAPIKey(r row) (k windlass.APIKey, err error) {
	err = r.Scan(&k.ID, &k.ProjectID, &k.Label, fromText{&k.Scopes}, &k.Active, when{&k.Created}, when{&k.Updated})
	return k, err
}

var (
	apiKeySays = says{
		Missing: "there is no such API key", Taken: "the API key exists already",
		Dangling: "there is no such project", kind: windlass.NotFound,
	}
	jwtKeySays = says{
		Missing: "there is no such JWT key", Taken: "the JWT key exists already",
		Dangling: "there is no such project", kind: windlass.NotFound,
	}
)

// CreateAPIKey adds an API key. Of the key itself only its hash is kept
// (invariant 5).
func (s *Store) CreateAPIKey(ctx context.Context, k windlass.APIKey) error {
	_, err := s.exec(ctx, `INSERT INTO api_keys (id, project_id, hash, label, scopes, active, created, updated)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`,
		k.ID, k.ProjectID, k.Key.Hash(), k.Label, text(k.Scopes), k.Active, micros(k.Created), micros(k.Updated))
	return s.fail("create the API key", err, apiKeySays)
}

// APIKeyByHash finds an API key by its hash (windlass.Secret.Hash), of whatever
// project, active or not.
func (s *Store) APIKeyByHash(ctx context.Context, hash string) (windlass.APIKey, error) {
	k, err := first(ctx, s, scanAPIKey, `SELECT `+apiKeyColumns+` FROM api_keys y WHERE y.hash = ?1`, hash)
	return k, s.fail("find the API key", err, apiKeySays)
}

// APIKey finds an API key of a project by its id, without the key itself.
func (s *Store) APIKey(ctx context.Context, projectID, id string) (windlass.APIKey, error) {
	k, err := first(ctx, s, scanAPIKey, `SELECT `+apiKeyColumns+` FROM api_keys y
		WHERE y.id = ?1 AND y.project_id = ?2`+s.locked(ctx), id, projectID)
	return k, s.fail("find the API key "+id, err, apiKeySays)
}

// APIKeys lists a project's API keys, in the order of their ids and without the
// keys themselves: all, or only the active ones.
func (s *Store) APIKeys(ctx context.Context, projectID string, active bool, p windlass.Page) ([]windlass.APIKey, error) {
	var f filter
	f.compare("y.project_id", "=", projectID)
	if active {
		f.compare("y.active", "=", true)
	}
	query := `SELECT ` + apiKeyColumns + ` FROM api_keys y` + f.page("y.id", p)
	all, err := list(ctx, s, scanAPIKey, query, f.args...)
	return all, s.fail("list the API keys", err, apiKeySays)
}

// UpdateAPIKey replaces an API key's label, scopes and whether it is active.
func (s *Store) UpdateAPIKey(ctx context.Context, k windlass.APIKey) error {
	return s.update(ctx, "update the API key "+k.ID, apiKeySays,
		`UPDATE api_keys SET label = ?3, scopes = ?4, active = ?5, updated = ?6 WHERE id = ?1 AND project_id = ?2`,
		k.ID, k.ProjectID, k.Label, text(k.Scopes), k.Active, micros(k.Updated))
}

// DeleteAPIKey removes an API key.
func (s *Store) DeleteAPIKey(ctx context.Context, projectID, id string) error {
	return s.update(ctx, "delete the API key "+id, apiKeySays,
		`DELETE FROM api_keys WHERE id = ?1 AND project_id = ?2`, id, projectID)
}

const jwtKeyColumns = `j.id, j.project_id, j.label, j.algorithm, j.public_key, j.active, j.created, j.updated`

func scanJWTKey(r row) (k windlass.JWTKey, err error) {
	err = r.Scan(&k.ID, &k.ProjectID, &k.Label, &k.Algorithm, &k.PublicKeyPEM, &k.Active, when{&k.Created}, when{&k.Updated})
	return k, err
}

// CreateJWTKey adds a public key.
func (s *Store) CreateJWTKey(ctx context.Context, k windlass.JWTKey) error {
	_, err := s.exec(ctx, `INSERT INTO jwt_keys (id, project_id, label, algorithm, public_key, active, created, updated)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`,
		k.ID, k.ProjectID, k.Label, k.Algorithm, k.PublicKeyPEM, k.Active, micros(k.Created), micros(k.Updated))
	return s.fail("create the JWT key", err, jwtKeySays)
}

// JWTKey finds a public key by its id, the kid of a token, of whatever project,
// active or not.
func (s *Store) JWTKey(ctx context.Context, id string) (windlass.JWTKey, error) {
	k, err := first(ctx, s, scanJWTKey, `SELECT `+jwtKeyColumns+` FROM jwt_keys j WHERE j.id = ?1`+s.locked(ctx), id)
	return k, s.fail("find the JWT key "+id, err, jwtKeySays)
}

// JWTKeys lists a project's public keys, in the order of their ids: all, or only
// the active ones.
func (s *Store) JWTKeys(ctx context.Context, projectID string, active bool, p windlass.Page) ([]windlass.JWTKey, error) {
	var f filter
	f.compare("j.project_id", "=", projectID)
	if active {
		f.compare("j.active", "=", true)
	}
	query := `SELECT ` + jwtKeyColumns + ` FROM jwt_keys j` + f.page("j.id", p)
	all, err := list(ctx, s, scanJWTKey, query, f.args...)
	return all, s.fail("list the JWT keys", err, jwtKeySays)
}

// UpdateJWTKey replaces a public key's label and whether it is active.
func (s *Store) UpdateJWTKey(ctx context.Context, k windlass.JWTKey) error {
	return s.update(ctx, "update the JWT key "+k.ID, jwtKeySays,
		`UPDATE jwt_keys SET label = ?3, active = ?4, updated = ?5 WHERE id = ?1 AND project_id = ?2`,
		k.ID, k.ProjectID, k.Label, k.Active, micros(k.Updated))
}

// DeleteJWTKey removes a public key.
func (s *Store) DeleteJWTKey(ctx context.Context, projectID, id string) error {
	return s.update(ctx, "delete the JWT key "+id, jwtKeySays,
		`DELETE FROM jwt_keys WHERE id = ?1 AND project_id = ?2`, id, projectID)
}
