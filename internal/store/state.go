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
		_, err = s.exec(ctx, `INSERT INTO connect_states (hash, data, expires) VALUES (?1, ?2, ?3)`,
			state.Hash, sealed, micros(state.Expires))
	}
	return s.fail(op, err, stateSays)
}

// TakeState returns what a consent was for, once: the statement that reads it
// removes it, so that of two callbacks with one state only one finds it.
// NotFound when it is unknown or used, Gone when it has expired.
func (s *Store) TakeState(ctx context.Context, hash string, now time.Time) (json.RawMessage, error) {
	const op = "finish the consent"
	type taken struct {
		data    []byte
		expires time.Time
	}
	found, err := change(ctx, s, func(r row) (t taken, err error) {
		err = r.Scan(&t.data, when{&t.expires})
		return t, err
	}, `DELETE FROM connect_states WHERE hash = ?1 RETURNING data, expires`, hash)
	switch {
	case err != nil:
		return nil, s.fail(op, err, stateSays)
	case len(found) == 0:
		return nil, s.fail(op, errNone, stateSays)
	case !now.Before(found[0].expires):
		return nil, &windlass.Failure{
			Kind: windlass.Gone, Op: op, Message: "it was begun too long ago", Remedy: "begin again",
		}
	}
	data, err := s.unseal(stateData, hash, found[0].data)
	return data, s.fail(op, err, stateSays)
}
