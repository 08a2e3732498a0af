package store

import (
	"context"
	"encoding/json"
	"time"

	"windlass"
)

var stateSays = says{Missing: "the consent was finished already, or never begun", Taken: "the state exists already"}

// CreateState remembers what a consent that begins is for.
func (s *Store) CreateState(ctx context.Context, state windlass.ConnectState) error {
	const op = "begin the consent"
	sealed, err := s.seal(stateData, state.Hash, state.Data)
	if err == nil {
		_, err = s.exec(ctx, `INSERT INTO connect_states (hash, data, expires, project_id, group_ref) VALUES (?1, ?2, ?3, ?4, ?5)`,
			state.Hash, sealed, micros(state.Expires), state.ProjectID, state.GroupRef)
	}
	return s.fail(op, err, stateSays)
}

// PendingStates counts a project's consents that have begun and not expired, and
// those of one of its groups.
func (s *Store) PendingStates(ctx context.Context, projectID, groupRef string, now time.Time) (windlass.PendingStates, error) {
	pending, err := first(ctx, s, func(r row) (p windlass.PendingStates, err error) {
		err = r.Scan(&p.Project, &p.Group, when{&p.Next})
		return p, err
	}, `SELECT COUNT(*), COALESCE(SUM(CASE WHEN group_ref = ?2 THEN 1 ELSE 0 END), 0), COALESCE(MIN(expires), 0)
		FROM connect_states WHERE project_id = ?1 AND expires > ?3`, projectID, groupRef, micros(now))
	return pending, s.fail("count the pending consents", err, stateSays)
}

// ForgetStates deletes the consents that have expired.
func (s *Store) ForgetStates(ctx context.Context, now time.Time) error {
	_, err := s.exec(ctx, `DELETE FROM connect_states WHERE expires <= ?1`, micros(now))
	return s.fail("clear expired consents", err, stateSays)
}

// State returns what a consent is for, and leaves it there. NotFound when it is
// unknown or used, Gone when it has expired.
func (s *Store) State(ctx context.Context, hash string, now time.Time) (json.RawMessage, error) {
	return s.state("look at the consent", hash, now,
		func(scan func(row) (heldState, error)) ([]heldState, error) {
			return list(ctx, s, scan, `SELECT data, expires FROM connect_states WHERE hash = ?1`, hash)
		})
}

// TakeState returns what a consent was for, once: the statement that reads it
// removes it, so that of two callbacks with one state only one finds it.
// NotFound when it is unknown or used, Gone when it has expired.
func (s *Store) TakeState(ctx context.Context, hash string, now time.Time) (json.RawMessage, error) {
	return s.state("finish the consent", hash, now,
		func(scan func(row) (heldState, error)) ([]heldState, error) {
			return change(ctx, s, scan, `DELETE FROM connect_states WHERE hash = ?1 RETURNING data, expires`, hash)
		})
}

type heldState struct {
	data    []byte
	expires time.Time
}

// state reads one by a query that finds it.
func (s *Store) state(
	op, hash string, now time.Time, query func(scan func(row) (heldState, error)) ([]heldState, error),
) (json.RawMessage, error) {
	found, err := query(func(r row) (t heldState, err error) {
		err = r.Scan(&t.data, when{&t.expires})
		return t, err
	})
	switch {
	case err != nil:
		return nil, s.fail(op, err, stateSays)
	case len(found) == 0:
		return nil, s.fail(op, errNone, stateSays)
	case !now.Before(found[0].expires):
		return nil, &windlass.Error{
			Kind: windlass.Gone, Op: op, Message: "it was begun too long ago", Remedy: "begin again",
		}
	}
	data, err := s.unseal(stateData, hash, found[0].data)
	return data, s.fail(op, err, stateSays)
}
