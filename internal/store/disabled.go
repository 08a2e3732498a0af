package store

import (
	"context"
	"time"

	"windlass"
)

// DisabledByDeploy lists the objects of an integration's installations that a
// deploy disabled.
func (s *Store) DisabledByDeploy(ctx context.Context, integrationID string) ([]windlass.DisabledObject, error) {
	all, err := list(ctx, s, func(r row) (d windlass.DisabledObject, err error) {
		err = r.Scan(&d.InstallationID, &d.Object)
		return d, err
	}, `SELECT d.installation_id, d.object FROM disabled_by_deploy d JOIN installations i ON i.id = d.installation_id
		WHERE i.integration_id = ?1 ORDER BY d.installation_id, d.object`, integrationID)
	return all, s.fail("list the objects that a deploy disabled", err, installationSays)
}

// MarkDisabledByDeploy remembers that a deploy disabled an object. It may be
// repeated.
func (s *Store) MarkDisabledByDeploy(ctx context.Context, d windlass.DisabledObject, now time.Time) error {
	_, err := s.exec(ctx, `INSERT INTO disabled_by_deploy (installation_id, object, created) VALUES (?1, ?2, ?3)
		ON CONFLICT (installation_id, object) DO NOTHING`, d.InstallationID, d.Object, micros(now))
	return s.fail("remember what a deploy disabled", err, says{Dangling: "there is no such installation", kind: windlass.NotFound})
}

// ForgetDisabledByDeploy takes MarkDisabledByDeploy back.
func (s *Store) ForgetDisabledByDeploy(ctx context.Context, d windlass.DisabledObject) error {
	_, err := s.exec(ctx, `DELETE FROM disabled_by_deploy WHERE installation_id = ?1 AND object = ?2`, d.InstallationID, d.Object)
	return s.fail("forget what a deploy disabled", err, installationSays)
}
