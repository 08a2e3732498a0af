package store

import (
	"context"

	"windlass"
)

const integrationColumns = `n.id, n.project_id, n.name, n.provider, n.created, n.updated, ` + revisionColumns

// integrationTables has the latest revision beside each integration.
const integrationTables = ` FROM integrations n JOIN revisions r ON r.id = n.latest_revision `

func scanIntegration(r row) (n windlass.Integration, err error) {
	v := &n.Latest
	err = r.Scan(&n.ID, &n.ProjectID, &n.Name, &n.Provider, when{&n.Created}, when{&n.Updated},
		&v.ID, &v.IntegrationID, &v.SpecVersion, raw{&v.Content}, when{&v.Created})
	return n, err
}

const revisionColumns = `r.id, r.integration_id, r.spec_version, r.content, r.created`

func scanRevision(r row) (v windlass.Revision, err error) {
	err = r.Scan(&v.ID, &v.IntegrationID, &v.SpecVersion, raw{&v.Content}, when{&v.Created})
	return v, err
}

var (
	integrationSays = says{
		Missing:  "there is no such integration",
		Taken:    "an integration of that name exists already",
		Dangling: "it is still installed",
	}
	revisionSays = says{Missing: "there is no such revision", Taken: "the revision belongs to another integration"}
)

// SaveIntegrations adds or replaces integrations by their names, all or none,
// and gives each its latest revision, which is added unless it is there already.
// An integration that exists keeps its id and the time it was created; the rest
// of the project's stay as they are.
func (s *Store) SaveIntegrations(ctx context.Context, projectID string, all []windlass.Integration) error {
	words := integrationSays
	words.kind, words.Dangling = windlass.NotFound, "there is no such project"
	return s.In(ctx, func(ctx context.Context) error {
		for _, n := range all {
			if err := s.saveIntegration(ctx, projectID, n); err != nil {
				return s.fail("save the integration "+n.Name, err, words)
			}
		}
		return nil
	})
}

func (s *Store) saveIntegration(ctx context.Context, projectID string, n windlass.Integration) error {
	// The row is locked from here on, so two deploys of one name follow each
	// other.
	ids, err := change(ctx, s, scanText, `INSERT INTO integrations (id, project_id, name, provider, latest_revision, created, updated)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
		ON CONFLICT (project_id, name) DO UPDATE SET provider = excluded.provider,
			latest_revision = excluded.latest_revision, updated = excluded.updated
		RETURNING id`,
		n.ID, projectID, n.Name, n.Provider, n.Latest.ID, micros(n.Created), micros(n.Updated))
	if err != nil {
		return err
	}
	v := n.Latest
	if _, err := s.exec(ctx, `INSERT INTO revisions (id, integration_id, spec_version, content, created)
		VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO NOTHING`,
		v.ID, ids[0], v.SpecVersion, string(v.Content), micros(v.Created)); err != nil {
		return err
	}
	if _, err := s.Revision(ctx, ids[0], v.ID); err != nil {
		return &windlass.Error{
			Kind: windlass.Conflict, Op: "save the integration " + n.Name, Message: revisionSays.Taken, Err: err,
		}
	}
	return nil
}

// Integration finds an integration by its id or its name.
func (s *Store) Integration(ctx context.Context, projectID, idOrName string) (windlass.Integration, error) {
	op := "find the integration " + idOrName
	const where = ` WHERE n.project_id = ?1 AND (n.id = ?2 OR n.name = ?2) ORDER BY (n.id = ?2) DESC LIMIT 1`
	if err := s.hold(ctx, `SELECT 1 FROM integrations n`+where, projectID, idOrName); err != nil {
		return windlass.Integration{}, s.fail(op, err, integrationSays)
	}
	n, err := first(ctx, s, scanIntegration, `SELECT `+integrationColumns+integrationTables+where, projectID, idOrName)
	return n, s.fail(op, err, integrationSays)
}

// Integrations lists a project's integrations, the oldest first.
func (s *Store) Integrations(ctx context.Context, projectID string, p windlass.Page) ([]windlass.Integration, error) {
	var f filter
	f.compare("n.project_id", "=", projectID)
	query := `SELECT ` + integrationColumns + integrationTables + f.page("n.id", p)
	all, err := list(ctx, s, scanIntegration, query, f.args...)
	return all, s.fail("list the integrations", err, integrationSays)
}

// DeleteIntegration removes an integration and its revisions; Conflict while it
// is installed.
func (s *Store) DeleteIntegration(ctx context.Context, projectID, id string) error {
	return s.update(ctx, "delete the integration "+id, integrationSays,
		`DELETE FROM integrations WHERE project_id = ?1 AND id = ?2`, projectID, id)
}

// Revision finds one revision of an integration.
func (s *Store) Revision(ctx context.Context, integrationID, revisionID string) (windlass.Revision, error) {
	v, err := first(ctx, s, scanRevision, `SELECT `+revisionColumns+` FROM revisions r
		WHERE r.integration_id = ?1 AND r.id = ?2`, integrationID, revisionID)
	return v, s.fail("find the revision "+revisionID, err, revisionSays)
}

// Revisions lists an integration's revisions, the newest first: those older than the
// one with the id before, if one is given, and at most limit unless that is 0.
func (s *Store) Revisions(ctx context.Context, integrationID, before string, limit int) ([]windlass.Revision, error) {
	var f filter
	f.equal("r.integration_id", integrationID)
	if before != "" {
		f.compare("r.id", "<", before)
	}
	query := `SELECT ` + revisionColumns + ` FROM revisions r` + f.where + ` ORDER BY r.id DESC` + f.limit(limit)
	all, err := list(ctx, s, scanRevision, query, f.args...)
	return all, s.fail("list the revisions", err, revisionSays)
}

func scanText(r row) (text string, err error) {
	err = r.Scan(&text)
	return text, err
}
