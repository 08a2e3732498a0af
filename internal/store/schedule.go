package store

import (
	"context"
	"time"

	"windlass"
)

const scheduleColumns = `d.id, d.kind, d.project_id, d.installation_id, d.object, d.cron, d.next, d.paused`

func scanSchedule(r row) (d windlass.Schedule, err error) {
	err = r.Scan(&d.ID, &d.Kind, &d.ProjectID, fromNullable{&d.InstallationID}, &d.Object, &d.Cron, when{&d.Next}, &d.Paused)
	return d, err
}

var scheduleSays = says{
	Missing: "there is no such schedule", Dangling: "there is no such installation", kind: windlass.NotFound,
}

// SaveSchedule adds a schedule, or replaces the one with its id.
func (s *Store) SaveSchedule(ctx context.Context, d windlass.Schedule) error {
	_, err := s.exec(ctx, `INSERT INTO schedules (id, kind, project_id, installation_id, object, cron, next, paused)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
		ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, project_id = excluded.project_id,
			installation_id = excluded.installation_id, object = excluded.object, cron = excluded.cron,
			next = excluded.next, paused = excluded.paused`,
		d.ID, d.Kind, d.ProjectID, nullable(d.InstallationID), d.Object, d.Cron, micros(d.Next), d.Paused)
	return s.fail("save the schedule "+d.ID, err, scheduleSays)
}

// Schedules lists the schedules of an installation, or those that belong to none.
func (s *Store) Schedules(ctx context.Context, installationID string) ([]windlass.Schedule, error) {
	query, args := `SELECT `+scheduleColumns+` FROM schedules d WHERE d.installation_id = ?1 ORDER BY d.id`, []any{installationID}
	if installationID == "" {
		query, args = `SELECT `+scheduleColumns+` FROM schedules d WHERE d.installation_id IS NULL ORDER BY d.id`, nil
	}
	all, err := list(ctx, s, scanSchedule, query+s.locked(ctx), args...)
	return all, s.fail("list the schedules", err, scheduleSays)
}

// DeleteSchedule removes a schedule.
func (s *Store) DeleteSchedule(ctx context.Context, id string) error {
	return s.update(ctx, "delete the schedule "+id, scheduleSays, `DELETE FROM schedules WHERE id = ?1`, id)
}

// ClaimDue takes at most limit schedules that are due and no reads (for these see
// [Store.ClaimReads]), the most overdue first, moves each to the time that next returns, and hands them all to enqueue, in
// one transaction: a schedule has moved if and only if its job is enqueued.
// When next returns the zero time the schedule is paused. Several processes may
// claim at once; none gets what another one has. It returns how many it claimed.
//
// What fails in enqueue leaves every schedule due. No network in it (invariant 3).
func (s *Store) ClaimDue(
	ctx context.Context, now time.Time, limit int,
	next func(windlass.Schedule) time.Time, enqueue func(ctx context.Context, due []windlass.Schedule) error,
) (claimed int, err error) {
	const op = "claim what is due"
	// Mostly nothing is due: a read connection sees that without waiting for the writer.
	if s.transaction(ctx) == nil {
		some, err := list(ctx, s, scanNumber, `SELECT 1 FROM schedules d WHERE NOT d.paused AND d.kind <> 'read' AND d.next <= ?1 LIMIT 1`, micros(now))
		if err != nil || len(some) == 0 {
			return 0, s.fail(op, err, scheduleSays)
		}
	}
	err = s.In(ctx, func(ctx context.Context) error {
		query := `SELECT ` + scheduleColumns + ` FROM schedules d WHERE NOT d.paused AND d.kind <> 'read' AND d.next <= ?1 ORDER BY d.next LIMIT ?2`
		query += s.skipping() // what another process is claiming is not due any more
		due, err := list(ctx, s, scanSchedule, query, micros(now), limit)
		if err != nil || len(due) == 0 {
			return s.fail(op, err, scheduleSays)
		}
		for i := range due {
			after := next(due[i])
			if _, err := s.exec(ctx, `UPDATE schedules SET next = ?2, paused = ?3 WHERE id = ?1`,
				due[i].ID, micros(after), after.IsZero()); err != nil {
				return s.fail(op, err, scheduleSays)
			}
		}
		claimed = len(due)
		return enqueue(ctx, due)
	})
	if err != nil {
		return 0, err
	}
	return claimed, nil
}
