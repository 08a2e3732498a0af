package store

import (
	"context"
	"time"

	"windlass"
)

var unitSays = says{
	Missing: "no part of the read is left", Taken: "that part of the read is there already",
	Dangling: "there is no such operation", kind: windlass.NotFound,
}

// AddReadUnits adds parts of a read. What is there already stays as it is.
func (s *Store) AddReadUnits(ctx context.Context, units []windlass.ReadUnit) error {
	for i := range units {
		u := &units[i]
		if _, err := s.exec(ctx, `INSERT INTO read_units (operation_id, object, parent_id, position, parent_keys, since, cursor, pass, status)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
			ON CONFLICT (operation_id, object, parent_id) DO NOTHING`,
			u.OperationID, u.Object, u.ParentID, u.Position, text(u.ParentKeys), micros(u.Since), u.Cursor, u.Pass, u.Status); err != nil {
			return s.fail("add parts of the operation "+u.OperationID, err, unitSays)
		}
	}
	return nil
}

// NextReadUnit returns the first part of a read that is open. NotFound when none is.
func (s *Store) NextReadUnit(ctx context.Context, operationID string) (windlass.ReadUnit, error) {
	u, err := first(ctx, s, func(r row) (u windlass.ReadUnit, err error) {
		err = r.Scan(&u.OperationID, &u.Object, &u.ParentID, &u.Position, fromText{&u.ParentKeys}, when{&u.Since}, &u.Cursor, &u.Pass, &u.Status)
		return u, err
	}, `SELECT operation_id, object, parent_id, position, parent_keys, since, cursor, pass, status FROM read_units
		WHERE operation_id = ?1 AND status = 'open' ORDER BY position LIMIT 1`, operationID)
	return u, s.fail("find the next part of the operation "+operationID, err, unitSays)
}

// SaveReadUnit keeps how far a part of a read is.
func (s *Store) SaveReadUnit(ctx context.Context, u windlass.ReadUnit) error {
	return s.update(ctx, "keep a part of the operation "+u.OperationID, unitSays,
		`UPDATE read_units SET since = ?4, cursor = ?5, pass = ?6, status = ?7 WHERE operation_id = ?1 AND object = ?2 AND parent_id = ?3`,
		u.OperationID, u.Object, u.ParentID, micros(u.Since), u.Cursor, u.Pass, u.Status)
}

// CountReadUnits counts the parts of a read that are below a parent, by status.
func (s *Store) CountReadUnits(ctx context.Context, operationID string) (map[string]int64, error) {
	type count struct {
		status string
		n      int64
	}
	counts, err := list(ctx, s, func(r row) (c count, err error) {
		err = r.Scan(&c.status, &c.n)
		return c, err
	}, `SELECT status, COUNT(*) FROM read_units WHERE operation_id = ?1 AND parent_id <> '' GROUP BY status`, operationID)
	all := map[string]int64{}
	for _, c := range counts {
		all[c.status] = c.n
	}
	return all, s.fail("count the parts of the operation "+operationID, err, unitSays)
}

// DropReadUnits removes the parts of a read that has ended.
func (s *Store) DropReadUnits(ctx context.Context, operationID string) error {
	_, err := s.exec(ctx, `DELETE FROM read_units WHERE operation_id = ?1`, operationID)
	return s.fail("remove the parts of the operation "+operationID, err, unitSays)
}

// ParentMark returns when the last complete read of an object below a parent started;
// zero when there was none.
func (s *Store) ParentMark(ctx context.Context, installationID, object, parentID string) (time.Time, error) {
	marks, err := list(ctx, s, func(r row) (t time.Time, err error) {
		err = r.Scan(when{&t})
		return t, err
	}, `SELECT mark FROM parent_marks WHERE installation_id = ?1 AND object = ?2 AND parent_id = ?3`, installationID, object, parentID)
	if err != nil || len(marks) == 0 {
		return time.Time{}, s.fail("find the mark of "+object+" below "+parentID, err, markSays)
	}
	return marks[0], nil
}

// NoteParent says how a read of an object below a parent has ended. It belongs into
// the transaction of its last page; a mark of zero leaves the one that there is
// (invariant 8).
func (s *Store) NoteParent(ctx context.Context, installationID, object, parentID, status string, mark, now time.Time) error {
	_, err := s.exec(ctx, `INSERT INTO parent_marks (installation_id, object, parent_id, mark, status, updated) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
		ON CONFLICT (installation_id, object, parent_id) DO UPDATE SET status = excluded.status, updated = excluded.updated,
			mark = CASE WHEN excluded.mark = 0 THEN parent_marks.mark ELSE excluded.mark END`,
		installationID, object, parentID, micros(mark), status, micros(now))
	return s.fail("note the read of "+object+" below "+parentID, err, markSays)
}
