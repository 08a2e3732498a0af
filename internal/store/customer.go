package store

import (
	"context"
	"time"

	"windlass"
)

// keepCustomer adds a connection's or an installation's group and consumer, or
// renames them. An empty name keeps the one that is known.
func (s *Store) keepCustomer(ctx context.Context, projectID string, g windlass.Group, c windlass.Consumer, at time.Time) error {
	const upsert = ` (project_id, ref, name, created, updated) VALUES (?1, ?2, ?3, ?4, ?4)
		ON CONFLICT (project_id, ref) DO UPDATE SET name = excluded.name, updated = excluded.updated
		WHERE excluded.name <> '' AND excluded.name <> `
	if _, err := s.exec(ctx, `INSERT INTO groups`+upsert+`groups.name`, projectID, g.Ref, g.Name, micros(at)); err != nil {
		return err
	}
	if c.Ref == "" {
		return nil
	}
	_, err := s.exec(ctx, `INSERT INTO consumers`+upsert+`consumers.name`, projectID, c.Ref, c.Name, micros(at))
	return err
}

// Groups lists a project's customers, the oldest first.
func (s *Store) Groups(ctx context.Context, projectID string) ([]windlass.Group, error) {
	all, err := list(ctx, s, func(r row) (g windlass.Group, err error) {
		err = r.Scan(&g.ProjectID, &g.Ref, &g.Name, when{&g.Created}, when{&g.Updated})
		return g, err
	}, `SELECT project_id, ref, name, created, updated FROM groups WHERE project_id = ?1 ORDER BY created, ref`, projectID)
	return all, s.fail("list the groups", err, says{})
}
