package store

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"windlass"
)

// ClaimReads takes at most limit reads that are due, the most overdue first, and
// makes them due again at the given time, in case no process ends their checks until
// then. Several processes may claim at once; none gets what another one has. Next of
// what it returns is when it was due.
func (s *Store) ClaimReads(ctx context.Context, now, until time.Time, limit int) (due []windlass.Schedule, err error) {
	const op = "claim the reads that are due"
	const some = ` FROM schedules d WHERE NOT d.paused AND d.kind = 'read' AND d.next <= ?1`
	// Usually nothing is due: a read connection sees that without waiting for the writer.
	found, err := list(ctx, s, scanNumber, `SELECT 1`+some+` LIMIT 1`, micros(now))
	if err != nil || len(found) == 0 {
		return nil, s.fail(op, err, scheduleSays)
	}
	err = s.In(ctx, func(ctx context.Context) error {
		due, err = list(ctx, s, scanSchedule, `SELECT `+scheduleColumns+some+` ORDER BY d.next LIMIT ?2`+s.skipping(), micros(now), limit)
		if err != nil {
			return s.fail(op, err, scheduleSays)
		}
		for part := range chunks(due, chunk) {
			ids := newValues(1)
			for i := range part {
				ids.add(part[i].ID)
			}
			query := `WHERE id IN (` + ids.String() + `)`
			ids.add(micros(until))
			_, err := s.exec(ctx, `UPDATE schedules SET next = ?`+strconv.Itoa(len(ids.args))+` `+query, ids.args...)
			if err != nil {
				return s.fail(op, err, scheduleSays)
			}
		}
		return nil
	})
	return due, err
}

// skipping ends a query for rows to be changed, and leaves out the rows that other
// transactions have locked: a transaction that takes many rows must not wait for any.
func (s *Store) skipping() string {
	if s.driver == Postgres {
		return ` FOR UPDATE SKIP LOCKED`
	}
	return ""
}

// CheckStarts returns the start states of the checks of schedules, by the schedules'
// ids; none for a schedule whose installation is gone.
func (s *Store) CheckStarts(ctx context.Context, schedules []windlass.Schedule) (map[string]windlass.CheckStart, error) {
	starts := make(map[string]windlass.CheckStart, len(schedules))
	for part := range chunks(schedules, chunk) {
		if err := s.checkStarts(ctx, part, starts); err != nil {
			return nil, s.fail("find what is to be checked", err, installationSays)
		}
	}
	return starts, nil
}

func (s *Store) checkStarts(ctx context.Context, schedules []windlass.Schedule, starts map[string]windlass.CheckStart) error {
	ids := newValues(1)
	for i := range schedules {
		ids.add(schedules[i].InstallationID)
	}
	these := ` IN (` + ids.String() + `)`
	installations, err := list(ctx, s, scanInstallation, `SELECT `+installationColumns+` FROM`+installationTables+` WHERE i.id`+these, ids.args...)
	if err != nil {
		return err
	}
	marks, err := list(ctx, s, scanMark, `SELECT `+markColumns+` FROM read_marks m WHERE m.installation_id`+these, ids.args...)
	if err != nil {
		return err
	}
	running, err := list(ctx, s, func(r row) (of [2]string, err error) {
		err = r.Scan(&of[0], &of[1])
		return of, err
	}, `SELECT installation_id, object FROM operations
		WHERE action = 'read' AND status = 'in_progress' AND installation_id`+these, ids.args...)
	if err != nil {
		return err
	}
	found := make(map[string]windlass.Installation, len(installations))
	for i := range installations {
		found[installations[i].ID] = installations[i]
	}
	remembered := make(map[[2]string]windlass.ReadState, len(marks))
	for i := range marks {
		remembered[[2]string{marks[i].InstallationID, marks[i].Object}] = marks[i]
	}
	for i := range schedules {
		d := &schedules[i]
		of := [2]string{d.InstallationID, d.Object}
		if in, there := found[d.InstallationID]; there && in.ProjectID == d.ProjectID {
			starts[d.ID] = windlass.CheckStart{Installation: in, Mark: remembered[of], Reading: slices.Contains(running, of)}
		}
	}
	return nil
}

// EndChecks says of schedules that were claimed when they are due next, and moves the
// marks of those checks that found nothing (invariant 8), in one transaction.
//
// What has changed meanwhile stays as it is: a schedule that is due at another time
// than the claim says, a mark that has moved or is paused. What another process is
// about to change is left out, too: that schedule is due again when the claim ends.
func (s *Store) EndChecks(ctx context.Context, checks []windlass.Check) error {
	if len(checks) == 0 {
		return nil
	}
	return s.In(ctx, func(ctx context.Context) error {
		for part := range chunks(checks, chunk/4) {
			if err := s.endChecks(ctx, part); err != nil {
				return s.fail("end the checks of what was due", err, scheduleSays)
			}
		}
		return nil
	})
}

func (s *Store) endChecks(ctx context.Context, checks []windlass.Check) error {
	ids, names := newValues(1), newValues(2)
	for i := range checks {
		ids.add(checks[i].Schedule.ID)
		names.add(checks[i].Schedule.InstallationID, checks[i].Schedule.Object)
	}
	// In this order, and never waiting: no other transaction takes so many rows in order.
	schedules, err := s.free(ctx, `SELECT d.id, '' FROM schedules d WHERE d.id IN (%)`, ids)
	if err != nil {
		return err
	}
	free, err := s.free(ctx, `SELECT m.installation_id, m.object FROM read_marks m WHERE (m.installation_id, m.object) IN (VALUES %)`, names)
	if err != nil {
		return err
	}
	next, marks := newValues(4), newValues(6)
	for i := range checks {
		c := &checks[i]
		if !schedules[[2]string{c.Schedule.ID}] {
			continue
		}
		next.add(c.Schedule.ID, micros(c.Claim), micros(c.Next), c.Next.IsZero())
		if !c.Began.IsZero() && free[[2]string{c.Schedule.InstallationID, c.Schedule.Object}] {
			marks.add(c.Schedule.InstallationID, c.Schedule.Object, c.Workspace, micros(c.Mark), micros(c.Began), micros(c.Ended))
		}
	}
	if err := s.updateFrom(ctx, next, `UPDATE schedules AS d SET next = v.column3, paused = v.column4 FROM (VALUES %) AS v
		WHERE d.id = v.column1 AND d.next = v.column2`); err != nil {
		return err
	}
	return s.updateFrom(ctx, marks, `UPDATE read_marks AS m SET mark = v.column5, updated = v.column6, last_check = v.column6, checks = m.checks + 1
		FROM (VALUES %) AS v WHERE m.installation_id = v.column1 AND m.object = v.column2 AND m.workspace = v.column3
		AND m.mark = v.column4 AND NOT m.paused`)
}

// free takes rows for this transaction and returns those that no other transaction
// has. On SQLite no other has any, and the values are returned without asking.
func (s *Store) free(ctx context.Context, query string, v *values) (map[[2]string]bool, error) {
	free := map[[2]string]bool{}
	if s.driver != Postgres {
		for i := 0; i < len(v.args); i += v.width {
			var key [2]string
			for j := range v.width {
				key[j], _ = v.args[i+j].(string)
			}
			free[key] = true
		}
		return free, nil
	}
	got, err := list(ctx, s, func(r row) (key [2]string, err error) {
		err = r.Scan(&key[0], &key[1])
		return key, err
	}, strings.Replace(query, "%", v.String(), 1)+s.skipping(), v.args...)
	for _, key := range got {
		free[key] = true
	}
	return free, err
}

// updateFrom runs an update of as many rows as there are values, which stand for %.
func (s *Store) updateFrom(ctx context.Context, v *values, query string) error {
	if len(v.args) == 0 {
		return nil
	}
	_, err := s.exec(ctx, strings.Replace(query, "%", v.String(), 1), v.args...)
	return err
}

// values are the rows of a VALUES clause, or the items of a list.
type values struct {
	width int
	args  []any
}

func newValues(width int) *values { return &values{width: width} }

func (v *values) add(row ...any) { v.args = append(v.args, row...) }

// String is the clause. PostgreSQL takes a parameter that stands for itself for text.
func (v *values) String() string {
	var text strings.Builder
	for i, arg := range v.args {
		switch {
		case i > 0 && i%v.width == 0 && v.width > 1:
			text.WriteString("), (")
		case i > 0:
			text.WriteString(", ")
		case v.width > 1:
			text.WriteString("(")
		}
		place := "?" + strconv.Itoa(i+1)
		switch arg.(type) {
		case int64:
			place = "CAST(" + place + " AS BIGINT)"
		case bool:
			place = "CAST(" + place + " AS BOOLEAN)"
		}
		text.WriteString(place)
	}
	if v.width > 1 {
		text.WriteString(")")
	}
	return text.String()
}
