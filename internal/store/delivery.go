package store

import (
	"context"
	"time"

	"windlass"
)

const healthColumns = `h.destination_id, h.failures, h.failing_since, h.hold_until`

func scanHealth(r row) (h windlass.Health, err error) {
	err = r.Scan(&h.DestinationID, &h.Failures, when{&h.FailingSince}, when{&h.HoldUntil})
	return h, err
}

var healthSays = says{
	Missing: "nothing has been sent to it", Dangling: "there is no such destination", kind: windlass.NotFound,
}

// LeaseDestination makes owner the only sender to a destination until
// the time given, unless another process is, and returns the health of its deliveries.
// The owner may lease it again.
func (s *Store) LeaseDestination(
	ctx context.Context, destinationID, owner string, now, until time.Time,
) (h windlass.Health, won bool, err error) {
	all, err := change(ctx, s, scanHealth, `INSERT INTO destination_health AS h
		(destination_id, failures, failing_since, hold_until, lease_holder, lease_until) VALUES (?1, 0, 0, 0, ?2, ?4)
		ON CONFLICT (destination_id) DO UPDATE SET lease_holder = excluded.lease_holder, lease_until = excluded.lease_until
			WHERE h.lease_holder = '' OR h.lease_holder = ?2 OR h.lease_until <= ?3
		RETURNING destination_id, failures, failing_since, hold_until`, destinationID, owner, micros(now), micros(until))
	if err != nil || len(all) == 0 {
		return h, false, s.fail("lease the destination "+destinationID, err, healthSays)
	}
	return all[0], true, nil
}

// ReleaseDestination ends a lease, unless a batch is due by now that may be sent:
// then it is kept, so that what was added while the owner was about to end is
// not forgotten. force ends it in any case.
func (s *Store) ReleaseDestination(ctx context.Context, destinationID, owner string, now time.Time, force bool) (released bool, err error) {
	query := `UPDATE destination_health SET lease_holder = '', lease_until = 0 WHERE destination_id = ?1 AND lease_holder = ?2`
	args := []any{destinationID, owner}
	if !force {
		query += ` AND (hold_until > ?3 OR NOT EXISTS (
			SELECT 1 FROM lanes l WHERE l.destination_id = ?1 AND l.due > 0 AND l.due <= ?3))`
		args = append(args, micros(now))
	}
	n, err := s.exec(ctx, query, args...)
	return n > 0, s.fail("release the destination "+destinationID, err, healthSays)
}

// ReleaseAllDestinations ends every lease. It is for the start of the only
// process on a database: their owners are gone.
func (s *Store) ReleaseAllDestinations(ctx context.Context) error {
	_, err := s.exec(ctx, `UPDATE destination_health SET lease_holder = '', lease_until = 0 WHERE lease_holder <> ''`)
	return s.fail("release the destinations", err, healthSays)
}

// DueDestinations lists destinations that a batch is due to, which are neither
// disabled nor held back, and to which no process is sending.
func (s *Store) DueDestinations(ctx context.Context, now time.Time, limit int) ([]string, error) {
	all, err := list(ctx, s, scanText, `SELECT t.id FROM destinations t LEFT JOIN destination_health h ON h.destination_id = t.id
		WHERE NOT t.disabled AND COALESCE(h.hold_until, 0) <= ?1 AND (COALESCE(h.lease_holder, '') = '' OR h.lease_until <= ?1)
			AND EXISTS (SELECT 1 FROM lanes l WHERE l.destination_id = t.id AND l.due > 0 AND l.due <= ?1)
		ORDER BY t.id LIMIT ?2`, micros(now), limit)
	return all, s.fail("list the destinations that something is due to", err, healthSays)
}

// Target finds a destination by its id alone, with its secrets: for the code
// that sends to it.
func (s *Store) Target(ctx context.Context, destinationID string) (windlass.Destination, error) {
	t, err := first(ctx, s, s.scanDestination, `SELECT `+destinationColumns+` FROM destinations t WHERE t.id = ?1`+s.locked(ctx), destinationID)
	return t, s.fail("find the destination "+destinationID, err, destinationSays)
}

// Health says how the deliveries to a destination stand.
func (s *Store) Health(ctx context.Context, destinationID string) (windlass.Health, error) {
	all, err := list(ctx, s, scanHealth, `SELECT `+healthColumns+` FROM destination_health h WHERE h.destination_id = ?1`, destinationID)
	if err != nil || len(all) == 0 {
		return windlass.Health{DestinationID: destinationID}, s.fail("find the destination "+destinationID, err, healthSays)
	}
	return all[0], nil
}

// SetDestinationDisabled disables or enables a destination, and says whether
// that changed anything. Enabling resets its health; disabling a disabled one keeps the
// first reason.
func (s *Store) SetDestinationDisabled(
	ctx context.Context, destinationID string, disabled bool, why windlass.Disabling, now time.Time,
) (changed bool, err error) {
	op := "enable the destination " + destinationID
	if disabled {
		op, why.At = "disable the destination "+destinationID, now
	} else {
		why = windlass.Disabling{}
	}
	err = s.In(ctx, func(ctx context.Context) error {
		n, err := s.exec(ctx, `UPDATE destinations SET disabled = ?2, updated = ?3, disabled_why = ?4, disabled_by = ?5, disabled_at = ?6
			WHERE id = ?1 AND disabled <> ?2`, destinationID, disabled, micros(now), why.Why, why.By, micros(why.At))
		if err != nil || n == 0 {
			return s.fail(op, err, destinationSays)
		}
		changed = true
		if !disabled {
			_, err = s.exec(ctx, `UPDATE destination_health SET failures = 0, failing_since = 0, hold_until = 0 WHERE destination_id = ?1`, destinationID)
		}
		return s.fail(op, err, healthSays)
	})
	return changed, err
}

// DueLanes lists the lanes of a destination in which a batch is due: first the one that
// has waited longest. A lane that was served and has more waits anew, so that every
// lane gets its turn.
func (s *Store) DueLanes(ctx context.Context, destinationID string, now time.Time, limit int) ([]string, error) {
	all, err := list(ctx, s, scanText, `SELECT l.name FROM lanes l
		WHERE l.destination_id = ?1 AND l.due > 0 AND l.due <= ?2 ORDER BY l.due, l.name LIMIT ?3`, destinationID, micros(now), limit)
	return all, s.fail("list the lanes that are due", err, healthSays)
}

// DueBatches lists the batches of a lane that are due, in the order in which they
// are to be sent, with their bodies: at most limit, and no more than bytes of
// bodies unless one alone is larger.
func (s *Store) DueBatches(ctx context.Context, destinationID, lane string, now time.Time, limit int, bytes int64) ([]windlass.Batch, error) {
	const op = "list the batches that are due"
	found, err := list(ctx, s, scanSized, `SELECT `+batchColumns+`, b.size FROM batches b
		WHERE b.destination_id = ?1 AND b.lane = ?2 AND b.status = 'pending' AND b.next_attempt <= ?3
		ORDER BY b.next_attempt, b.seq LIMIT ?4`, destinationID, lane, micros(now), limit)
	if err != nil {
		return nil, s.fail(op, err, batchSays)
	}
	for i, b := range found {
		if bytes -= b.size; bytes < 0 && i > 0 {
			found = found[:i] // the rest comes next time
			break
		}
	}
	all, err := s.withBodies(ctx, found)
	return all, s.fail(op, err, batchSays)
}

// DueOfLanes lists the batches that are due in those of the given lanes in which
// fewer than short are, and of which none was tried or held back before: each lane's
// together and in their order, with their bodies, and no more than bytes of these.
// A lane that does not fit is left out whole. It is one query for many lanes, where
// DueBatches would be one for each.
func (s *Store) DueOfLanes(
	ctx context.Context, destinationID string, now time.Time, lanes []string, short int, bytes int64,
) ([]windlass.Batch, error) {
	const op = "list the batches that are due in many lanes"
	const (
		first = `FROM batches x WHERE x.destination_id = l.destination_id AND x.lane = l.name AND x.status = 'pending' AND x.next_attempt <= ?2
			ORDER BY x.next_attempt, x.seq LIMIT ?3`
		// Each finds the first few of a lane by the index, and reads no more.
		ofPostgres = `lanes l CROSS JOIN LATERAL (SELECT x.id ` + first + `) f JOIN batches b ON b.id = f.id`
		ofSQLite   = `lanes l CROSS JOIN batches b ON b.id IN (SELECT x.id ` + first + `)`
	)
	from := ofSQLite
	if s.driver == Postgres {
		from = ofPostgres
	}
	args := []any{destinationID, micros(now), short}
	for _, name := range lanes {
		args = append(args, name)
	}
	found, err := list(ctx, s, scanSized, `SELECT `+batchColumns+`, b.size FROM `+from+`
		WHERE l.destination_id = ?1 AND l.name IN (`+s.parameters(3, len(lanes))+`) AND NOT EXISTS (SELECT 1 FROM batches w
			WHERE w.destination_id = l.destination_id AND w.lane = l.name AND w.status = 'pending' AND w.waits > 0)
		ORDER BY l.name, b.next_attempt, b.seq`, args...)
	if err != nil {
		return nil, s.fail(op, err, batchSays)
	}
	fit := found[:0]
	for len(found) > 0 {
		n, size := 0, int64(0)
		for n < len(found) && found[n].Lane == found[0].Lane {
			size += found[n].size
			n++
		}
		if n < short && size <= bytes {
			fit, bytes = append(fit, found[:n]...), bytes-size
		}
		found = found[n:]
	}
	all, err := s.withBodies(ctx, fit)
	return all, s.fail(op, err, batchSays)
}

// WaitingBatches lists the batches of a lane that were tried or held back before,
// due or not, in their order and without their bodies.
func (s *Store) WaitingBatches(ctx context.Context, destinationID, lane string) ([]windlass.Batch, error) {
	all, err := list(ctx, s, func(r row) (b windlass.Batch, err error) {
		var keys []byte
		if err := r.Scan(append(batchFields(&b), &keys)...); err != nil {
			return b, err
		}
		b.RecordKeys, err = unpackKeys(keys)
		return b, err
	}, `SELECT `+batchColumns+`, x.keys FROM batches b JOIN batch_bodies x ON x.batch_id = b.id
		WHERE b.destination_id = ?1 AND b.lane = ?2 AND b.status = 'pending' AND b.waits > 0 ORDER BY b.seq`, destinationID, lane)
	return all, s.fail("list the batches that wait", err, batchSays)
}
