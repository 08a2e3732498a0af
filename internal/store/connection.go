package store

import (
	"context"
	"time"

	"windlass"
)

// connectionColumns belong to connectionTables, scanConnection reads them.
const connectionColumns = `c.id, c.project_id, c.provider, c.provider_app_id, c.workspace, c.provider_consumer_ref, c.metadata,
	c.scheme, c.status, c.status_reason, c.scopes, c.used, c.created, c.updated,
	c.group_ref, g.name, g.created, g.updated,
	c.consumer_ref, COALESCE(u.name, ''), COALESCE(u.created, 0), COALESCE(u.updated, 0)`

const connectionTables = ` connections c` + customerTables

// customerTables has the customer beside each connection (c).
const customerTables = `
	JOIN groups g ON g.project_id = c.project_id AND g.ref = c.group_ref
	LEFT JOIN consumers u ON u.project_id = c.project_id AND u.ref = c.consumer_ref `

// connectionFields are the scan targets of connectionColumns.
func connectionFields(c *windlass.Connection) []any {
	return []any{
		&c.ID, &c.ProjectID, &c.Provider,
		fromNullable{&c.ProviderAppID},
		&c.Workspace, &c.ConsumerRef,
		fromText{&c.Metadata},
		&c.Scheme, &c.Status, &c.StatusReason,
		fromText{&c.Scopes},
		when{&c.Used},
		when{&c.Created},
		when{&c.Updated},
		&c.Group.Ref, &c.Group.Name,
		when{&c.Group.Created},
		when{&c.Group.Updated},
		fromNullable{&c.Consumer.Ref},
		&c.Consumer.Name,
		when{&c.Consumer.Created},
		when{&c.Consumer.Updated},
	}
}

func scanConnection(r row) (c windlass.Connection, err error) {
	err = r.Scan(connectionFields(&c)...)
	belong(&c)
	return c, err
}

// belong gives a connection's customer its project, which the row has once.
func belong(c *windlass.Connection) {
	c.Group.ProjectID = c.ProjectID
	if c.Consumer.Ref != "" {
		c.Consumer.ProjectID = c.ProjectID
	}
}

var connectionSays = says{
	Missing:  "there is no such connection",
	Taken:    "the connection exists already",
	Dangling: "installations still use it",
}

// CreateConnection adds a connection, its credentials and, where they are new,
// its group and consumer, in one transaction. NotFound when the project or the
// provider app does not exist. The credentials begin at version 1.
func (s *Store) CreateConnection(ctx context.Context, c windlass.Connection, creds windlass.Credentials) error {
	op, words := "create the connection", connectionSays
	words.kind, words.Dangling = windlass.NotFound, "there is no such project, or no such provider app"
	sealed, err := s.sealCredentials(c.ID, creds)
	if err != nil {
		return s.fail(op, err, words)
	}
	return s.In(ctx, func(ctx context.Context) error {
		err := s.keepCustomer(ctx, c.ProjectID, c.Group, c.Consumer, c.Created)
		if err == nil {
			_, err = s.exec(ctx, `INSERT INTO connections (id, project_id, provider, provider_app_id, group_ref, consumer_ref,
				workspace, provider_consumer_ref, metadata, scheme, status, status_reason, scopes, used, created, updated)
				VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)`,
				c.ID, c.ProjectID, c.Provider, nullable(c.ProviderAppID), c.Group.Ref, nullable(c.Consumer.Ref),
				c.Workspace, c.ConsumerRef, text(c.Metadata), c.Scheme, c.Status, c.StatusReason, text(c.Scopes),
				micros(c.Used), micros(c.Created), micros(c.Updated))
		}
		if err == nil {
			_, err = s.exec(ctx, `INSERT INTO credentials (connection_id, sealed, version) VALUES (?1, ?2, 1)`, c.ID, sealed)
		}
		return s.fail(op, err, words)
	})
}

// Connection finds a connection.
func (s *Store) Connection(ctx context.Context, projectID, id string) (windlass.Connection, error) {
	op := "find the connection " + id
	if err := s.holdConnection(ctx, id); err != nil {
		return windlass.Connection{}, s.fail(op, err, connectionSays)
	}
	c, err := first(ctx, s, scanConnection, `SELECT `+connectionColumns+` FROM`+connectionTables+`
		WHERE c.id = ?1 AND c.project_id = ?2`, id, projectID)
	return c, s.fail(op, err, connectionSays)
}

// holdConnection locks a connection until the transaction ends. Its row stands
// for its credentials too: a transaction that writes those takes this lock first, so
// that two transactions that want both cannot deadlock.
func (s *Store) holdConnection(ctx context.Context, id string) error {
	return s.hold(ctx, `SELECT 1 FROM connections c WHERE c.id = ?1`, id)
}

// Connections lists connections, the oldest first, a page at a time if one is
// given.
func (s *Store) Connections(ctx context.Context, want windlass.ConnectionFilter) ([]windlass.Connection, error) {
	var f filter
	f.equal("c.project_id", want.ProjectID)
	f.equal("c.provider", want.Provider)
	f.equal("c.provider_app_id", want.ProviderAppID)
	f.equal("c.group_ref", want.GroupRef)
	f.equal("c.consumer_ref", want.ConsumerRef)
	f.equal("c.status", string(want.Status))
	f.search("c.group_ref", "c.id", want.ProjectID, want.Search)
	query := `SELECT ` + connectionColumns + ` FROM` + connectionTables + f.page("c.id", want.Page)
	all, err := list(ctx, s, scanConnection, query, f.args...)
	return all, s.fail("list the connections", err, connectionSays)
}

// RenameWorkspace notes the name that a connection's workspace has now.
func (s *Store) RenameWorkspace(ctx context.Context, id, workspace string, now time.Time) error {
	return s.update(ctx, "rename the workspace of the connection "+id, connectionSays,
		`UPDATE connections SET workspace = ?2, updated = ?3 WHERE id = ?1`, id, workspace, micros(now))
}

// UpdateConnection replaces a connection, except its credentials, project, group,
// consumer and creation time. A status that depends on the credentials is better set by
// SetConnectionStatus.
func (s *Store) UpdateConnection(ctx context.Context, c windlass.Connection) error {
	words := connectionSays
	words.kind, words.Dangling = windlass.NotFound, "there is no such provider app"
	return s.update(ctx, "update the connection "+c.ID, words,
		`UPDATE connections SET provider_app_id = ?3, workspace = ?4, provider_consumer_ref = ?5, metadata = ?6, scheme = ?7,
			status = ?8, status_reason = ?9, scopes = ?10, used = ?11, updated = ?12 WHERE id = ?1 AND project_id = ?2`,
		c.ID, c.ProjectID, nullable(c.ProviderAppID), c.Workspace, c.ConsumerRef, text(c.Metadata), c.Scheme,
		c.Status, c.StatusReason, text(c.Scopes), micros(c.Used), micros(c.Updated))
}

// DeleteConnection removes a connection and its credentials; Conflict while
// installations use it.
func (s *Store) DeleteConnection(ctx context.Context, projectID, id string) error {
	return s.update(ctx, "delete the connection "+id, connectionSays,
		`DELETE FROM connections WHERE id = ?1 AND project_id = ?2`, id, projectID)
}

// SetConnectionStatus says whether a connection's credentials work, provided
// that they are still those of the given version: the failure of an old token says
// nothing about a new one. It reports whether the status changed: true for exactly one
// of several concurrent callers.
func (s *Store) SetConnectionStatus(
	ctx context.Context, id string, status windlass.ConnectionStatus, reason string, version int64,
) (changed bool, err error) {
	op := "set the status of the connection " + id
	err = s.In(ctx, func(ctx context.Context) error {
		// The lock keeps the credentials as they are until the status is written.
		if err := s.holdConnection(ctx, id); err != nil {
			return s.fail(op, err, connectionSays)
		}
		current, err := first(ctx, s, scanNumber, `SELECT version FROM credentials WHERE connection_id = ?1`, id)
		if err != nil || current != version {
			return s.fail(op, err, connectionSays)
		}
		at := micros(s.now())
		n, err := s.exec(ctx, `UPDATE connections SET status = ?2, status_reason = ?3, updated = ?4
			WHERE id = ?1 AND status <> ?2`, id, status, reason, at)
		changed = n > 0
		if err == nil && !changed {
			_, err = s.exec(ctx, `UPDATE connections SET status_reason = ?2, updated = ?3
				WHERE id = ?1 AND status_reason <> ?2`, id, reason, at)
		}
		return s.fail(op, err, connectionSays)
	})
	return changed && err == nil, err
}
