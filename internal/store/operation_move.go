package store

import (
	"context"
	"time"

	"windlass"
)

// LeaseOperation gives a running operation to owner until the given time, if
// no other process has it. It returns the operation as it is then; won is false when
// it has ended or another process has it, and then until says until when. NotFound
// when there is no such operation.
func (s *Store) LeaseOperation(
	ctx context.Context, id, owner string, now, until time.Time,
) (p windlass.Operation, won bool, held time.Time, err error) {
	op := "take the operation " + id
	n, err := s.exec(ctx, `UPDATE operations SET lease_holder = ?2, lease_until = ?4, updated = ?3,
		started = CASE WHEN started = 0 THEN ?3 ELSE started END
		WHERE id = ?1 AND status = 'in_progress' AND wait_until <= ?3 AND (lease_until <= ?3 OR lease_holder = ?2)`,
		id, owner, micros(now), micros(until))
	if err != nil {
		return p, false, held, s.fail(op, err, operationSays)
	}
	type leased struct {
		operation windlass.Operation
		until     time.Time
	}
	found, err := first(ctx, s, func(r row) (l leased, err error) {
		l.operation, err = scanOperation(also{r, when{&l.until}})
		return l, err
	}, `SELECT `+operationColumns+`, p.lease_until FROM operations p WHERE p.id = ?1`, id)
	return found.operation, n > 0, found.until, s.fail(op, err, operationSays)
}

// also scans one more column behind those of a noun.
type also struct {
	row  row
	more any
}

func (a also) Scan(dest ...any) error { return a.row.Scan(append(dest, a.more)...) }

// ExtendLeases keeps the operations of those who work on them.
func (s *Store) ExtendLeases(ctx context.Context, owners []string, until time.Time) error {
	for _, owner := range owners {
		if _, err := s.exec(ctx, `UPDATE operations SET lease_until = ?2 WHERE status = 'in_progress' AND lease_holder <> ''
			AND lease_holder = ?1 AND lease_until < ?2`, owner, micros(until)); err != nil {
			return s.fail("extend the leases of this process", err, operationSays)
		}
	}
	return nil
}

// ReleaseLeases ends the leases of a process that is gone, or, when owner is empty,
// of all processes, on operations of one kind, which is their action. It returns the
// ids of these: their jobs may be lost.
func (s *Store) ReleaseLeases(ctx context.Context, kind, owner string) ([]string, error) {
	where, args := leasesOf(owner, 2)
	ids, err := change(ctx, s, func(r row) (id string, err error) {
		err = r.Scan(&id)
		return id, err
	}, `UPDATE operations SET lease_holder = '', lease_until = 0 WHERE status = 'in_progress' AND action = ?1 AND `+where+` RETURNING id`,
		append([]any{kind}, args...)...)
	return ids, s.fail("release the leases of a process that is gone", err, operationSays)
}

// moved returns a conflict unless one row was changed.
func (s *Store) moved(op string, n int64, err error) error {
	if err == nil && n == 0 {
		return &windlass.Error{Kind: windlass.Conflict, Op: op, Message: "another process has carried it on meanwhile, or it has ended"}
	}
	return s.fail(op, err, operationSays)
}

// MoveCursor notes what one page brought, and extends the lease. Conflict when
// the cursor is not where the page was read, when the lease is another's, or
// when the operation has ended: a page counts exactly once (invariant 1).
func (s *Store) MoveCursor(ctx context.Context, p windlass.Progress) error {
	n, err := s.exec(ctx, `UPDATE operations SET cursor = ?4, pages = pages + 1, walked = walked + ?5, records = records + ?6,
		batches = batches + ?7, requests = requests + ?8, estimate = ?9, whole = ?10, attempt = 0, wait_until = 0,
		updated = ?11, lease_until = ?12
		WHERE id = ?1 AND lease_holder = ?2 AND cursor = ?3 AND status = 'in_progress'`,
		p.OperationID, p.Owner, p.From, p.To, p.Walked, p.Records, p.Batches, p.Requests, p.Estimate, p.Full,
		micros(p.Now), micros(p.LeaseUntil))
	return s.moved("move the cursor of the operation "+p.OperationID, n, err)
}

// RestartOperation moves an operation's cursor back to the beginning.
func (s *Store) RestartOperation(ctx context.Context, id, owner string, requests int64, now time.Time) error {
	n, err := s.exec(ctx, `UPDATE operations SET cursor = '', walked = 0, estimate = -1, restarts = restarts + 1,
		requests = requests + ?3, updated = ?4 WHERE id = ?1 AND lease_holder = ?2 AND status = 'in_progress'`,
		id, owner, requests, micros(now))
	return s.moved("start the operation "+id+" over", n, err)
}

// SuspendOperation ends owner's lease; the operation sleeps until the given
// time, zero for not at all.
func (s *Store) SuspendOperation(ctx context.Context, id, owner string, until time.Time, attempt int, requests int64, now time.Time) error {
	n, err := s.exec(ctx, `UPDATE operations SET wait_until = ?3, attempt = ?4, requests = requests + ?5, updated = ?6,
		lease_holder = '', lease_until = 0 WHERE id = ?1 AND lease_holder = ?2 AND status = 'in_progress'`,
		id, owner, micros(until), attempt, requests, micros(now))
	return s.moved("suspend the operation "+id, n, err)
}

// WakeOperation lets a sleeping operation go on at once.
func (s *Store) WakeOperation(ctx context.Context, id string, now time.Time) error {
	_, err := s.exec(ctx, `UPDATE operations SET wait_until = 0, updated = ?2 WHERE id = ?1 AND status = 'in_progress'`, id, micros(now))
	return s.fail("wake the operation "+id, err, operationSays)
}

// EndOperation ends a running operation that owner has. Conflict when the lease
// is another's.
func (s *Store) EndOperation(ctx context.Context, id, owner, status, result string, requests int64, now time.Time) error {
	n, err := s.exec(ctx, `UPDATE operations SET status = ?3, result = ?4, requests = requests + ?5, ended = ?6, updated = ?6,
		wait_until = 0, lease_holder = '', lease_until = 0
		WHERE id = ?1 AND lease_holder = ?2 AND status = 'in_progress'`, id, owner, status, result, requests, micros(now))
	return s.moved("end the operation "+id, n, err)
}

// NoteStatus says how the last operation of an installation ended, and whether
// that is as it should be.
func (s *Store) NoteStatus(ctx context.Context, installationID, status string, healthy bool) error {
	_, err := s.exec(ctx, `UPDATE installations SET last_status = ?2, healthy = ?3
		WHERE id = ?1 AND (last_status <> ?2 OR healthy <> ?3)`, installationID, status, healthy)
	return s.fail("note the status of the installation "+installationID, err, installationSays)
}
