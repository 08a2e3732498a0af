package store

import (
	"context"
	"slices"
	"strconv"
	"time"

	"windlass"
)

// RecordOutcomes stores attempts and their outcomes, extends the lease and stores the
// destination's health, all in one transaction. It reports false, and keeps nothing,
// when the owner has lost the lease: its owner now sends the same batches again
// (invariant 2).
func (s *Store) RecordOutcomes(ctx context.Context, o windlass.Outcomes) (held bool, err error) {
	const op = "record attempts"
	h := o.Health
	err = s.In(ctx, func(ctx context.Context) error {
		n, err := s.exec(ctx, `UPDATE destination_health SET failures = ?3, failing_since = ?4, hold_until = ?5, lease_until = ?6
			WHERE destination_id = ?1 AND lease_holder = ?2`,
			h.DestinationID, o.Owner, h.Failures, micros(h.FailingSince), micros(h.HoldUntil), micros(o.Until))
		if err != nil || n == 0 {
			return s.fail(op, err, healthSays)
		}
		held = true
		for chunk := range slices.Chunk(o.Outcomes, rowsAtOnce) {
			if err := s.insertAttempts(ctx, chunk); err != nil {
				return s.fail(op, err, batchSays)
			}
			if err := s.settleBatches(ctx, chunk, o.Now); err != nil {
				return s.fail(op, err, batchSays)
			}
		}
		if err := s.holdBatches(ctx, o); err != nil {
			return s.fail(op, err, batchSays)
		}
		return s.fail(op, s.settleLanes(ctx, h.DestinationID, slices.Clone(o.Lanes), o.Now, false), batchSays)
	})
	return held && err == nil, err
}

func (s *Store) insertAttempts(ctx context.Context, outcomes []windlass.Outcome) error {
	rows := make([]any, 0, 7*len(outcomes))
	for _, o := range outcomes {
		a := o.Attempt
		rows = append(rows, a.BatchID, a.Number, micros(a.Time), a.Status, a.Latency.Microseconds(), a.Error, a.Answer)
	}
	_, err := s.exec(ctx, `INSERT INTO attempts (batch_id, number, time, status, latency, error, answer) VALUES `+
		s.tuples(len(outcomes), 7), rows...)
	return err
}

// settleBatches updates the batches: the delivered ones in one statement, because they
// are the most.
func (s *Store) settleBatches(ctx context.Context, outcomes []windlass.Outcome, now time.Time) error {
	delivered := []any{micros(now)}
	for _, o := range outcomes {
		if o.Status == windlass.BatchDelivered {
			delivered = append(delivered, o.Attempt.BatchID)
			continue
		}
		if _, err := s.exec(ctx, `UPDATE batches SET status = ?2, next_attempt = ?3, waits = 1, attempts = attempts + 1, tries = tries + 1, updated = ?4
			WHERE id = ?1`, o.Attempt.BatchID, o.Status, micros(o.Next), micros(now)); err != nil {
			return err
		}
	}
	if len(delivered) == 1 {
		return nil
	}
	_, err := s.exec(ctx, `UPDATE batches SET status = 'delivered', next_attempt = 0, waits = 0, attempts = attempts + 1, tries = tries + 1, updated = ?1
		WHERE id IN (`+s.parameters(1, len(delivered)-1)+`)`, delivered...)
	return err
}

// holdBatches releases the batches that were held back in a lane in which a waiting one
// is settled, and holds back those that have to wait.
func (s *Store) holdBatches(ctx context.Context, o windlass.Outcomes) error {
	freed := map[string]bool{}
	for i := range o.Outcomes {
		settled := &o.Outcomes[i]
		if settled.Attempt.Number == 1 || settled.Status == windlass.BatchPending || freed[settled.Lane] {
			continue // nothing waits for one that was never refused
		}
		freed[settled.Lane] = true
		if _, err := s.exec(ctx, `UPDATE batches SET next_attempt = ?3
			WHERE destination_id = ?1 AND lane = ?2 AND status = 'pending' AND waits > 0 AND waits = `+strconv.Itoa(heldBack),
			o.Health.DestinationID, settled.Lane, micros(o.Now)); err != nil {
			return err
		}
	}
	for _, held := range o.Held {
		if _, err := s.exec(ctx, `UPDATE batches SET next_attempt = ?2, waits = `+strconv.Itoa(heldBack)+`, updated = ?3
			WHERE id = ?1 AND status = 'pending'`, held.BatchID, micros(held.Until), micros(o.Now)); err != nil {
			return err
		}
	}
	return nil
}

// settleLanes updates when the lanes' next batches are due, but not to an earlier time
// than served. So a lane that was served goes behind the others that are due, however
// long its own batches have waited. The lanes are locked first: in one statement,
// PostgreSQL would wait for a batch that is being added and then not see it. A lane
// that another transaction has locked is passed over unless wait is set: it stays due,
// and is looked at again. So sending does not wait for adding, and the two cannot wait
// for each other.
func (s *Store) settleLanes(ctx context.Context, destinationID string, names []string, served time.Time, wait bool) error {
	slices.Sort(names)
	if s.driver == Postgres && len(names) > 0 {
		lock := s.locked(ctx)
		if !wait {
			lock += ` SKIP LOCKED`
		}
		var err error
		if names, err = list(ctx, s, scanText, `SELECT name FROM lanes WHERE destination_id = ?1 AND name IN (`+
			s.parameters(1, len(names))+`) ORDER BY name`+lock, lanesArgs(destinationID, names)...); err != nil {
			return err
		}
	}
	if len(names) == 0 {
		return nil
	}
	_, err := s.exec(ctx, `UPDATE lanes SET due = COALESCE((SELECT CASE WHEN n.due < ?2 THEN ?2 ELSE n.due END
			FROM (SELECT MIN(b.next_attempt) AS due FROM batches b
				WHERE b.destination_id = lanes.destination_id AND b.lane = lanes.name AND b.status = 'pending') n), 0)
		WHERE destination_id = ?1 AND name IN (`+s.parameters(2, len(names))+`)`,
		slices.Insert(lanesArgs(destinationID, names), 1, any(micros(served)))...)
	return err
}

func lanesArgs(destinationID string, names []string) []any {
	args := []any{destinationID}
	for _, name := range names {
		args = append(args, name)
	}
	return args
}

// ReplayBatches makes at most limit batches due once more, the oldest first,
// with the same id and the same bytes (invariant 2). What is due already is left
// alone. A destination that is held back is released, for a probe. It says how many,
// and the last id: call it again with that until there is none.
func (s *Store) ReplayBatches(ctx context.Context, r windlass.Replayed, now time.Time, after string, limit int) (n int, last string, err error) {
	const op = "replay batches"
	type found struct{ id, lane string }
	err = s.In(ctx, func(ctx context.Context) error {
		// A person wants to see it tried now. The row comes first, as in
		// RecordOutcomes, so that the two cannot wait for each other.
		if _, err := s.exec(ctx, `UPDATE destination_health SET hold_until = 0 WHERE destination_id = ?1 AND lease_holder = ''`,
			r.DestinationID); err != nil {
			return s.fail(op, err, healthSays)
		}
		where := filter{}
		where.equal("b.destination_id", r.DestinationID)
		where.equal("b.id", r.BatchID)
		where.equal("b.status", r.Status)
		// A due batch may be in progress; a waiting one is not.
		where.args = append(where.args, micros(now))
		where.compare("(b.status <> 'pending' OR b.next_attempt > ?"+strconv.Itoa(len(where.args))+") AND b.id", ">", after)
		where.between("b.created", r.Since, r.Until)
		query := `SELECT b.id, b.lane FROM batches b` + where.where + ` ORDER BY b.id` + where.limit(limit) + s.locked(ctx)
		all, err := list(ctx, s, func(r row) (f found, err error) {
			err = r.Scan(&f.id, &f.lane)
			return f, err
		}, query, where.args...)
		if err != nil || len(all) == 0 {
			return s.fail(op, err, batchSays)
		}
		args := []any{micros(now)}
		var lanes []string
		for _, f := range all {
			args = append(args, f.id)
			if !slices.Contains(lanes, f.lane) {
				lanes = append(lanes, f.lane)
			}
		}
		if _, err := s.exec(ctx, `UPDATE batches SET replays = replays + CASE status WHEN 'pending' THEN 0 ELSE 1 END,
			status = 'pending', next_attempt = ?1, waits = 1, tries = 0, updated = ?1
			WHERE id IN (`+s.parameters(1, len(all))+`)`, args...); err != nil {
			return s.fail(op, err, batchSays)
		}
		n, last = len(all), all[len(all)-1].id
		return s.fail(op, s.settleLanes(ctx, r.DestinationID, lanes, time.Time{}, true), batchSays)
	})
	if err != nil {
		return 0, "", err
	}
	return n, last, nil
}
