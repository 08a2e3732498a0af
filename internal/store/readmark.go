package store

import (
	"context"
	"strconv"
	"strings"
	"time"

	"windlass"
)

const markColumns = `m.installation_id, m.object, m.workspace, m.mark, m.failures, m.paused, m.reason, m.updated, m.checks, m.last_check`

func scanMark(r row) (m windlass.ReadState, err error) {
	err = r.Scan(&m.InstallationID, &m.Object, &m.Workspace, when{&m.Mark}, &m.Failures, &m.Paused, &m.Reason, when{&m.Updated},
		&m.Checks, when{&m.LastCheck})
	return m, err
}

var markSays = says{
	Missing: "nothing is remembered of these reads", Dangling: "there is no such installation", kind: windlass.NotFound,
}

// ReadState returns the stored state of the reads of an object. NotFound when
// there was none yet.
func (s *Store) ReadState(ctx context.Context, installationID, object string) (windlass.ReadState, error) {
	m, err := first(ctx, s, scanMark, `SELECT `+markColumns+` FROM read_marks m
		WHERE m.installation_id = ?1 AND m.object = ?2`+s.locked(ctx), installationID, object)
	return m, s.fail("find the mark of "+object, err, markSays)
}

// ReadStates lists the stored states of the reads of an installation, in order
// of the objects' names.
func (s *Store) ReadStates(ctx context.Context, installationID string) ([]windlass.ReadState, error) {
	all, err := list(ctx, s, scanMark, `SELECT `+markColumns+` FROM read_marks m WHERE m.installation_id = ?1 ORDER BY m.object`, installationID)
	return all, s.fail("list the marks", err, markSays)
}

// MoveMark records that a read which started at the given time was complete. It
// belongs into the transaction that ends that read (invariant 8).
func (s *Store) MoveMark(ctx context.Context, installationID, object, workspace string, mark, now time.Time) error {
	_, err := s.exec(ctx, `INSERT INTO read_marks (installation_id, object, workspace, mark, updated) VALUES (?1, ?2, ?3, ?4, ?5)
		ON CONFLICT (installation_id, object) DO UPDATE SET workspace = excluded.workspace, mark = excluded.mark,
			failures = 0, updated = excluded.updated`,
		installationID, object, workspace, micros(mark), micros(now))
	return s.fail("move the mark of "+object, err, markSays)
}

// CountFailure counts a failed read, and says how many there were in a row.
func (s *Store) CountFailure(ctx context.Context, installationID, object string, now time.Time) (failures int, err error) {
	counts, err := change(ctx, s, scanNumber, `INSERT INTO read_marks (installation_id, object, failures, updated) VALUES (?1, ?2, 1, ?3)
		ON CONFLICT (installation_id, object) DO UPDATE SET failures = read_marks.failures + 1, updated = excluded.updated
		RETURNING failures`, installationID, object, micros(now))
	if err != nil || len(counts) == 0 {
		return 0, s.fail("count the failed read of "+object, err, markSays)
	}
	return int(counts[0]), nil
}

// PauseReads pauses the reads of an object, or ends the pause: then earlier
// failures no longer count.
func (s *Store) PauseReads(ctx context.Context, installationID, object string, paused bool, reason string, now time.Time) error {
	_, err := s.exec(ctx, `INSERT INTO read_marks (installation_id, object, paused, reason, updated) VALUES (?1, ?2, ?3, ?4, ?5)
		ON CONFLICT (installation_id, object) DO UPDATE SET paused = excluded.paused, reason = excluded.reason,
			failures = CASE WHEN excluded.paused THEN read_marks.failures ELSE 0 END, updated = excluded.updated`,
		installationID, object, paused, reason, micros(now))
	return s.fail("pause the reads of "+object, err, markSays)
}

// Standing returns what a read has to look up again at every page. NotFound when
// the installation is gone.
func (s *Store) Standing(ctx context.Context, installationID, object string) (windlass.Standing, error) {
	standing, err := first(ctx, s, func(r row) (st windlass.Standing, err error) {
		err = r.Scan(&st.ConfigID, &st.ConnectionID, &st.Status, &st.Paused)
		return st, err
	}, `SELECT i.config_id, i.connection_id, c.status, COALESCE(m.paused, FALSE) FROM installations i
		JOIN connections c ON c.id = i.connection_id
		LEFT JOIN read_marks m ON m.installation_id = i.id AND m.object = ?2 WHERE i.id = ?1`, installationID, object)
	return standing, s.fail("read the state of the installation", err, installationSays)
}

// Seen returns, of the given records, those that were delivered, each with the
// time of change it had then.
func (s *Store) Seen(ctx context.Context, installationID, object string, ids []string) (map[string]time.Time, error) {
	seen := make(map[string]time.Time, len(ids))
	for part := range chunks(ids, chunk) {
		args := []any{installationID, object}
		places := make([]string, 0, len(part))
		for _, id := range part {
			args = append(args, id)
			places = append(places, "?"+strconv.Itoa(len(args)))
		}
		found, err := list(ctx, s, func(r row) (w windlass.SeenRecord, err error) {
			err = r.Scan(&w.ID, when{&w.Updated})
			return w, err
		}, `SELECT record_id, updated FROM seen_records WHERE installation_id = ?1 AND object = ?2
			AND record_id IN (`+strings.Join(places, ", ")+`)`, args...)
		if err != nil {
			return nil, s.fail("find the records that were delivered", err, markSays)
		}
		for _, w := range found {
			seen[w.ID] = w.Updated
		}
	}
	return seen, nil
}

// chunk is how many rows go into one statement.
const chunk = 200

func chunks[T any](all []T, size int) func(yield func([]T) bool) {
	return func(yield func([]T) bool) {
		for len(all) > 0 {
			n := min(size, len(all))
			if !yield(all[:n]) {
				return
			}
			all = all[n:]
		}
	}
}

// Remember notes that records were delivered. No id may be there twice.
func (s *Store) Remember(ctx context.Context, installationID, object string, records []windlass.SeenRecord) error {
	for part := range chunks(records, chunk) {
		args := []any{installationID, object}
		values := make([]string, 0, len(part))
		for _, w := range part {
			args = append(args, w.ID, micros(w.Updated))
			values = append(values, "(?1, ?2, ?"+strconv.Itoa(len(args)-1)+", ?"+strconv.Itoa(len(args))+")")
		}
		if _, err := s.exec(ctx, `INSERT INTO seen_records (installation_id, object, record_id, updated) VALUES `+strings.Join(values, ", ")+`
			ON CONFLICT (installation_id, object, record_id) DO UPDATE SET updated = excluded.updated`, args...); err != nil {
			return s.fail("note which records were delivered", err, markSays)
		}
	}
	return nil
}

// Forget deletes the stored versions of records that changed before the given time.
func (s *Store) Forget(ctx context.Context, installationID, object string, before time.Time) error {
	_, err := s.exec(ctx, `DELETE FROM seen_records WHERE installation_id = ?1 AND object = ?2 AND updated < ?3`,
		installationID, object, micros(before))
	return s.fail("delete the records of old deliveries", err, markSays)
}
