package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"windlass"
)

// Prune removes at most limit rows of each sort that are older than their
// cutoff, and says how many rows it removed in all: call it again until that is
// 0. It may be stopped and repeated anywhere.
func (s *Store) Prune(ctx context.Context, before windlass.Cutoffs, limit int) (n int, err error) {
	for _, sort := range []struct {
		before time.Time
		query  string
	}{
		{before.States, `DELETE FROM connect_states WHERE hash IN (SELECT hash FROM connect_states WHERE expires < ?1 ORDER BY expires LIMIT ?2)`},
		{before.States, `DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions WHERE expires < ?1 ORDER BY expires LIMIT ?2)`},
		{before.Uploads, `DELETE FROM uploads WHERE id IN (SELECT id FROM uploads WHERE expires < ?1 ORDER BY expires LIMIT ?2)`},
		// What is still to be delivered stays, unless its destination is gone. The ids are in
		// the order of time, which spares an index.
		{before.Batches, `DELETE FROM batches WHERE id IN (SELECT b.id FROM batches b
			WHERE b.created < ?1 AND b.id < '` + idsBefore(before.Batches) + `' AND (b.status <> 'pending' OR EXISTS (
				SELECT 1 FROM destinations t WHERE t.id = b.destination_id AND t.disabled))
			ORDER BY b.id LIMIT ?2)`},
		{before.Operations, `DELETE FROM operations WHERE id IN (SELECT id FROM operations WHERE ended > 0 AND ended < ?1 ORDER BY ended LIMIT ?2)`},
		{before.Operations, `DELETE FROM operation_configs WHERE id IN (SELECT c.id FROM operation_configs c WHERE c.created < ?1
			AND NOT EXISTS (SELECT 1 FROM operations p WHERE p.config_id = c.id) LIMIT ?2)`},
		{before.WriteKeys, `DELETE FROM write_keys WHERE id IN (SELECT id FROM write_keys WHERE expires < ?1 ORDER BY expires LIMIT ?2)`},
		{before.LargeRecords, `DELETE FROM large_records WHERE id IN (SELECT id FROM large_records WHERE created < ?1 ORDER BY created LIMIT ?2)`},
	} {
		if sort.before.IsZero() {
			continue
		}
		removed, err := s.exec(ctx, sort.query, micros(sort.before), limit)
		n += int(removed)
		if err != nil {
			return n, s.fail("clear old rows", err, says{})
		}
	}
	if !before.Grants.IsZero() {
		removed, err := s.pruneGrants(ctx, before.Grants, limit)
		if n += removed; err != nil {
			return n, err
		}
	}
	if n > 0 {
		return n, nil
	}
	return 0, s.shrink(ctx)
}

// shrink returns the free pages of an SQLite file to the disk, a few at a time so that
// no other transaction waits for long. It does nothing for a file that was made without
// auto_vacuum, until VACUUM has been run once.
func (s *Store) shrink(ctx context.Context) error {
	if s.driver != SQLite || s.transaction(ctx) != nil {
		return nil
	}
	const atOnce = 1000
	for range 1000 {
		var free int64
		if err := s.writer.QueryRowContext(ctx, `SELECT freelist_count FROM pragma_freelist_count, pragma_auto_vacuum
			WHERE auto_vacuum = 2`).Scan(&free); errors.Is(err, sql.ErrNoRows) || err == nil && free == 0 {
			return nil
		} else if err != nil {
			return s.fail("measure the free space of the file", err, says{})
		}
		if _, err := s.writer.ExecContext(ctx, fmt.Sprintf(`PRAGMA incremental_vacuum(%d)`, atOnce)); err != nil {
			return s.fail("shrink the file", err, says{})
		}
	}
	return nil
}

// pruneGrants deletes by minutes, as grants are stored.
func (s *Store) pruneGrants(ctx context.Context, before time.Time, limit int) (int, error) {
	removed, err := s.exec(ctx, `DELETE FROM budget_grants WHERE (key, minute, holder) IN (
		SELECT key, minute, holder FROM budget_grants WHERE minute < ?1 ORDER BY minute LIMIT ?2)`, before.Unix()/60, limit)
	return int(removed), s.fail("clear old grants", err, says{})
}

// idsBefore is above every UUID of version 7 from before a time, and below every
// one from after it.
func idsBefore(t time.Time) string {
	millis := fmt.Sprintf("%012x", max(t.UnixMilli(), 0))
	return millis[:8] + "-" + millis[8:]
}

// Stats counts the nouns, for metrics, by name.
func (s *Store) Stats(ctx context.Context) (map[string]int64, error) {
	type figure struct {
		name  string
		count int64
	}
	figures, err := list(ctx, s, func(r row) (f figure, err error) {
		err = r.Scan(&f.name, &f.count)
		return f, err
	}, `SELECT 'projects', COUNT(*) FROM projects
		UNION ALL SELECT 'provider_apps', COUNT(*) FROM provider_apps
		UNION ALL SELECT 'integrations', COUNT(*) FROM integrations
		UNION ALL SELECT 'installations', COUNT(*) FROM installations
		UNION ALL SELECT 'destinations', COUNT(*) FROM destinations
		UNION ALL SELECT 'schedules', COUNT(*) FROM schedules
		UNION ALL SELECT 'schedules_paused', COUNT(*) FROM schedules WHERE paused
		UNION ALL SELECT 'batches_pending', COUNT(*) FROM batches WHERE status = 'pending'
		UNION ALL SELECT 'lanes_waiting', COUNT(*) FROM lanes WHERE due > 0
		UNION ALL SELECT 'operations_running', COUNT(*) FROM operations WHERE status = 'in_progress'
		UNION ALL SELECT 'destinations_disabled', COUNT(*) FROM destinations WHERE disabled
		UNION ALL SELECT 'connections', COUNT(*) FROM connections
		UNION ALL SELECT 'connections_' || status, COUNT(*) FROM connections GROUP BY status`)
	if err != nil {
		return nil, s.fail("count what there is", err, says{})
	}
	stats := map[string]int64{}
	for _, f := range figures {
		stats[f.name] = f.count
	}
	return stats, nil
}
