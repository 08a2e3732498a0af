package store

import (
	"context"
	"time"

	"windlass"
)

// The update of a customer's row: an empty name keeps the known one.
const (
	upsertCustomer = ` (project_id, ref, name, created, updated) VALUES (?1, ?2, ?3, ?4, ?4)
		ON CONFLICT (project_id, ref) DO UPDATE SET name = excluded.name, updated = excluded.updated
		WHERE excluded.name <> '' AND excluded.name <> `
	upsertGroup    = `INSERT INTO groups` + upsertCustomer + `groups.name`
	upsertConsumer = `INSERT INTO consumers` + upsertCustomer + `consumers.name`
)

var customerSays = says{Missing: "there is no such customer", Dangling: "there is no such project", kind: windlass.NotFound}

// keepCustomer adds a connection's or an installation's group and consumer, or
// renames them.
func (s *Store) keepCustomer(ctx context.Context, projectID string, g windlass.Group, c windlass.Consumer, at time.Time) error {
	if _, err := s.exec(ctx, upsertGroup, projectID, g.Ref, g.Name, micros(at)); err != nil {
		return err
	}
	if c.Ref == "" {
		return nil
	}
	_, err := s.exec(ctx, upsertConsumer, projectID, c.Ref, c.Name, micros(at))
	return err
}

// KeepGroup adds a group, or renames it, and returns it as it is kept. An empty
// name keeps the one that is known.
func (s *Store) KeepGroup(ctx context.Context, g windlass.Group) (windlass.Group, error) {
	err := s.In(ctx, func(ctx context.Context) error {
		if _, err := s.exec(ctx, upsertGroup, g.ProjectID, g.Ref, g.Name, micros(g.Updated)); err != nil {
			return err
		}
		var err error
		g, err = first(ctx, s, scanGroup, `SELECT project_id, ref, name, created, updated FROM groups WHERE project_id = ?1 AND ref = ?2`, g.ProjectID, g.Ref)
		return err
	})
	return g, s.fail("keep the group "+g.Ref, err, customerSays)
}

// KeepConsumer does for a consumer what KeepGroup does for a group.
func (s *Store) KeepConsumer(ctx context.Context, c windlass.Consumer) (windlass.Consumer, error) {
	err := s.In(ctx, func(ctx context.Context) error {
		if _, err := s.exec(ctx, upsertConsumer, c.ProjectID, c.Ref, c.Name, micros(c.Updated)); err != nil {
			return err
		}
		var err error
		c, err = first(ctx, s, func(r row) (c windlass.Consumer, err error) {
			err = r.Scan(&c.ProjectID, &c.Ref, &c.Name, when{&c.Created}, when{&c.Updated})
			return c, err
		}, `SELECT project_id, ref, name, created, updated FROM consumers WHERE project_id = ?1 AND ref = ?2`, c.ProjectID, c.Ref)
		return err
	})
	return c, s.fail("keep the consumer "+c.Ref, err, customerSays)
}

// CountCustomers says how many groups and how many consumers a project got since a
// time. It counts no further than limit.
func (s *Store) CountCustomers(ctx context.Context, projectID string, since time.Time, limit int) (groups, consumers int, err error) {
	_, err = first(ctx, s, func(r row) (struct{}, error) { return struct{}{}, r.Scan(&groups, &consumers) },
		`SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM groups WHERE project_id = ?1 AND created >= ?2 LIMIT ?3) g),
			(SELECT COUNT(*) FROM (SELECT 1 FROM consumers WHERE project_id = ?1 AND created >= ?2 LIMIT ?3) c)`, projectID, micros(since), limit)
	return groups, consumers, s.fail("count the customers", err, customerSays)
}

func scanGroup(r row) (g windlass.Group, err error) {
	err = r.Scan(&g.ProjectID, &g.Ref, &g.Name, when{&g.Created}, when{&g.Updated})
	return g, err
}

// Groups lists a project's customers, the oldest first.
func (s *Store) Groups(ctx context.Context, projectID string) ([]windlass.Group, error) {
	all, err := list(ctx, s, scanGroup,
		`SELECT project_id, ref, name, created, updated FROM groups WHERE project_id = ?1 ORDER BY created, ref`, projectID)
	return all, s.fail("list the groups", err, says{})
}
