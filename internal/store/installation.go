package store

import (
	"context"

	"windlass"
)

const installationColumns = `i.id, i.project_id, i.integration_id, i.config_id, i.revision_id, i.content, i.config_created_by,
	i.config_created, i.created_by, i.healthy, i.last_status, i.created, i.updated,
	i.group_ref, o.name, o.created, o.updated, ` + connectionColumns

// installationTables has the owner (o) beside each installation, and its
// connection with everything that belongs to that.
const installationTables = ` installations i
	JOIN groups o ON o.project_id = i.project_id AND o.ref = i.group_ref
	JOIN connections c ON c.id = i.connection_id` + customerTables

func scanInstallation(r row) (i windlass.Installation, err error) {
	err = r.Scan(append([]any{
		&i.ID, &i.ProjectID, &i.IntegrationID, &i.Config.ID, &i.Config.RevisionID,
		raw{&i.Config.Content},
		&i.Config.CreatedBy,
		when{&i.Config.Created},
		&i.CreatedBy, &i.Healthy, &i.LastStatus,
		when{&i.Created},
		when{&i.Updated},
		&i.Group.Ref, &i.Group.Name,
		when{&i.Group.Created},
		when{&i.Group.Updated},
	}, connectionFields(&i.Connection)...)...)
	i.Group.ProjectID = i.ProjectID
	belong(&i.Connection)
	return i, err
}

var installationSays = says{
	Missing:  "there is no such installation",
	Taken:    "the integration is installed for that group already",
	Dangling: "something still refers to it",
}

// CreateInstallation adds an installation, its schedules and, where it is new,
// its group, in one transaction. Conflict when the integration is installed for
// the group already; NotFound when the integration or the connection (of which
// only the id counts) does not exist.
func (s *Store) CreateInstallation(ctx context.Context, i windlass.Installation, schedules []windlass.Schedule) error {
	op, words := "create the installation", installationSays
	words.kind, words.Dangling = windlass.NotFound, "there is no such integration, or no such connection"
	return s.In(ctx, func(ctx context.Context) error {
		if err := s.keepCustomer(ctx, i.ProjectID, i.Group, windlass.Consumer{}, i.Created); err != nil {
			return s.fail(op, err, words)
		}
		if _, err := s.exec(ctx, `INSERT INTO installations (id, project_id, integration_id, group_ref, connection_id,
			config_id, revision_id, content, config_created_by, config_created, created_by, healthy, last_status, created, updated)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)`,
			i.ID, i.ProjectID, i.IntegrationID, i.Group.Ref, i.Connection.ID,
			i.Config.ID, i.Config.RevisionID, string(i.Config.Content), i.Config.CreatedBy, micros(i.Config.Created),
			i.CreatedBy, i.Healthy, i.LastStatus, micros(i.Created), micros(i.Updated)); err != nil {
			return s.fail(op, err, words)
		}
		return s.addSchedules(ctx, i, schedules)
	})
}

// Installation finds an installation.
func (s *Store) Installation(ctx context.Context, projectID, id string) (windlass.Installation, error) {
	op := "find the installation " + id
	const where = ` WHERE i.id = ?1 AND i.project_id = ?2`
	if err := s.hold(ctx, `SELECT 1 FROM installations i`+where, id, projectID); err != nil {
		return windlass.Installation{}, s.fail(op, err, installationSays)
	}
	i, err := first(ctx, s, scanInstallation, `SELECT `+installationColumns+` FROM`+installationTables+where, id, projectID)
	return i, s.fail(op, err, installationSays)
}

var errHealth = &windlass.Error{
	Kind: windlass.Invalid, Message: "the health is neither healthy nor unhealthy", Remedy: "choose one of the two, or neither for all",
}

// Installations lists installations in the order of their ids, which is the
// order in which they were made, a page at a time if a limit is given.
func (s *Store) Installations(ctx context.Context, want windlass.InstallationFilter) ([]windlass.Installation, error) {
	var f filter
	project := "i.project_id"
	if want.ConnectionID != "" {
		project += unindexed // a connection's are fewer than the project's, which SQLite does not know
	}
	f.equal(project, want.ProjectID)
	f.equal("i.integration_id", want.IntegrationID)
	f.equal("i.group_ref", want.GroupRef)
	f.equal("i.connection_id", want.ConnectionID)
	f.search("i.group_ref", "i.connection_id", want.ProjectID, want.Search)
	if want.Health != "" {
		in := map[string]string{windlass.Healthy: "NOT IN", windlass.Unhealthy: "IN"}[want.Health]
		if in == "" {
			return nil, s.fail("list the installations", errHealth, installationSays)
		}
		project := f.bind(want.ProjectID)
		f.and(`i.id ` + in + ` (SELECT h.id FROM installations h WHERE h.project_id = ` + project + ` AND NOT h.healthy
			UNION SELECT h.id FROM connections hc JOIN installations h ON h.connection_id = hc.id
			WHERE hc.project_id = ` + project + ` AND hc.status = 'bad_credentials')`)
	}
	if want.After != "" {
		f.compare("i.id", ">", want.After)
	}
	where := f.where + ` ORDER BY i.id`
	if want.Limit > 0 { // first their ids, by indexes alone, so that only those are joined
		where = ` WHERE i.id IN (SELECT i.id FROM installations i` + where + f.limit(want.Limit) + `) ORDER BY i.id`
	}
	query := `SELECT ` + installationColumns + ` FROM` + installationTables + where
	all, err := list(ctx, s, scanInstallation, query, f.args...)
	return all, s.fail("list the installations", err, installationSays)
}

// UpdateInstallation replaces an installation's connection, config, health and
// last status, and all of its schedules. Its integration and group stay.
func (s *Store) UpdateInstallation(ctx context.Context, i windlass.Installation, schedules []windlass.Schedule) error {
	op, words := "update the installation "+i.ID, installationSays
	words.kind, words.Dangling = windlass.NotFound, "there is no such connection"
	return s.In(ctx, func(ctx context.Context) error {
		if err := s.update(ctx, op, words, `UPDATE installations SET connection_id = ?3, config_id = ?4, revision_id = ?5,
			content = ?6, config_created_by = ?7, config_created = ?8, healthy = ?9, last_status = ?10, updated = ?11
			WHERE id = ?1 AND project_id = ?2`,
			i.ID, i.ProjectID, i.Connection.ID, i.Config.ID, i.Config.RevisionID, string(i.Config.Content),
			i.Config.CreatedBy, micros(i.Config.Created), i.Healthy, i.LastStatus, micros(i.Updated)); err != nil {
			return err
		}
		if _, err := s.exec(ctx, `DELETE FROM schedules WHERE installation_id = ?1`, i.ID); err != nil {
			return s.fail(op, err, words)
		}
		return s.addSchedules(ctx, i, schedules)
	})
}

// DeleteInstallation removes an installation and its schedules.
func (s *Store) DeleteInstallation(ctx context.Context, projectID, id string) error {
	return s.update(ctx, "delete the installation "+id, installationSays,
		`DELETE FROM installations WHERE id = ?1 AND project_id = ?2`, id, projectID)
}

// addSchedules adds schedules to an installation, whatever installation and
// project they name.
func (s *Store) addSchedules(ctx context.Context, i windlass.Installation, schedules []windlass.Schedule) error {
	for _, schedule := range schedules {
		schedule.ProjectID, schedule.InstallationID = i.ProjectID, i.ID
		if err := s.SaveSchedule(ctx, schedule); err != nil {
			return err
		}
	}
	return nil
}
