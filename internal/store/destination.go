package store

import (
	"context"
	"encoding/json"

	"windlass"
)

// The settings are in column metadata. Column url has the address, and column headers
// is what the first versions sent headers from: it is filled still, for one of them
// that runs beside this one.
const destinationColumns = `t.id, t.project_id, t.name, t.type, t.url, t.metadata, t.secrets, t.disabled, t.disabled_why, t.disabled_by, t.disabled_at,
	t.created, t.updated`

func (s *Store) scanDestination(r row) (t windlass.Destination, err error) {
	var metadata, secrets []byte
	if err := r.Scan(&t.ID, &t.ProjectID, &t.Name, &t.Type, &t.Address, &metadata, &secrets,
		&t.Disabled, &t.Disabling.Why, &t.Disabling.By, when{&t.Disabling.At}, when{&t.Created}, when{&t.Updated}); err != nil {
		return t, err
	}
	if t.Settings, err = s.unseal(destinationMetadata, t.ID, metadata); err != nil {
		return t, err
	}
	if len(t.Settings) == 0 {
		t.Settings = nil
	}
	return t, s.unsealJSON(destinationSecrets, t.ID, secrets, &t.Secrets)
}

// sealDestination returns the headers, the metadata and the secrets.
func (s *Store) sealDestination(t windlass.Destination) (sealed [3][]byte, err error) {
	var known struct {
		Headers map[string]string `json:"headers"`
	}
	if len(t.Settings) > 0 {
		_ = json.Unmarshal(t.Settings, &known) // settings of other types have none
	}
	if sealed[0], err = s.sealJSON(destinationHeaders, t.ID, known.Headers); err != nil {
		return sealed, err
	}
	if sealed[1], err = s.seal(destinationMetadata, t.ID, t.Settings); err != nil {
		return sealed, err
	}
	var secrets []string
	for _, secret := range t.Secrets {
		secrets = append(secrets, secret.Reveal())
	}
	sealed[2], err = s.sealJSON(destinationSecrets, t.ID, secrets)
	return sealed, err
}

var destinationSays = says{
	Missing: "there is no such destination", Taken: "a destination of that name exists already" + inAnyCase,
	Dangling: "it still has pending messages",
}

// CreateDestination adds a destination; Conflict when its name is taken.
func (s *Store) CreateDestination(ctx context.Context, t windlass.Destination) error {
	op, words := "create the destination "+t.Name, destinationSays
	words.kind, words.Dangling = windlass.NotFound, "there is no such project"
	sealed, err := s.sealDestination(t)
	if err == nil {
		_, err = s.exec(ctx, `INSERT INTO destinations (id, project_id, name, type, url, headers, metadata, secrets, disabled, created, updated, name_key)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, lower(?3))`,
			t.ID, t.ProjectID, t.Name, t.Type, t.Address, sealed[0], sealed[1], sealed[2], t.Disabled, micros(t.Created), micros(t.Updated))
	}
	return s.fail(op, err, words)
}

// Destination finds a destination by its id or its name.
func (s *Store) Destination(ctx context.Context, projectID, idOrName string) (windlass.Destination, error) {
	t, err := first(ctx, s, s.scanDestination, `SELECT `+destinationColumns+` FROM destinations t
		WHERE t.project_id = ?1 AND (t.id = ?2 OR t.name = ?2) ORDER BY (t.id = ?2) DESC LIMIT 1`+s.locked(ctx),
		projectID, idOrName)
	return t, s.fail("find the destination "+idOrName, err, destinationSays)
}

// Destinations lists a project's destinations, the oldest first.
func (s *Store) Destinations(ctx context.Context, projectID string, p windlass.Page) ([]windlass.Destination, error) {
	var f filter
	f.compare("t.project_id", "=", projectID)
	query := `SELECT ` + destinationColumns + ` FROM destinations t` + f.page("t.id", p)
	all, err := list(ctx, s, s.scanDestination, query, f.args...)
	return all, s.fail("list the destinations", err, destinationSays)
}

// UpdateDestination replaces a destination, its secrets too.
func (s *Store) UpdateDestination(ctx context.Context, t windlass.Destination) error {
	op := "update the destination " + t.Name
	sealed, err := s.sealDestination(t)
	if err != nil {
		return s.fail(op, err, destinationSays)
	}
	return s.update(ctx, op, destinationSays, `UPDATE destinations SET `+keyOf("?3")+`, name = ?3, type = ?4, url = ?5, headers = ?6,
		metadata = ?7, secrets = ?8, disabled = ?9, updated = ?10 WHERE id = ?1 AND project_id = ?2`,
		t.ID, t.ProjectID, t.Name, t.Type, t.Address, sealed[0], sealed[1], sealed[2], t.Disabled, micros(t.Updated))
}

// DeleteDestination removes a destination. The caller checks that it is not in use.
func (s *Store) DeleteDestination(ctx context.Context, projectID, id string) error {
	return s.update(ctx, "delete the destination "+id, destinationSays,
		`DELETE FROM destinations WHERE id = ?1 AND project_id = ?2`, id, projectID)
}
