package store

import (
	"context"
	"slices"

	"windlass"
	"windlass/internal/seal"
)

// rotateBatch is how many values one transaction re-seals: few enough that
// no other transaction waits for long.
const rotateBatch = 100

// Rotate gives the keyset a new key, which seals from now on, and seals every
// secret of the database anew under it. It says how many it sealed. The keys
// before it stay in the keyset until the next rotation, which drops those that
// nothing is sealed under any more; so another process that has not noticed yet does no
// harm.
//
// It may be stopped anywhere and repeated: an unfinished rotation is finished first,
// without another key. A keyset that comes from text rather than from a file has its
// new key put in by the person who keeps the text; then Rotate seals under that one.
func (s *Store) Rotate(ctx context.Context) (resealed int, err error) {
	const op = "rotate the keyset"
	err = s.exclusively(ctx, lockRotate, func(ctx context.Context) error {
		begun, err := s.unfinished(ctx)
		if err != nil {
			return s.fail(op, err, says{})
		}
		if !begun {
			// What another process sealed under an older key, since the rotation
			// that retired it, moves first: newKey drops that key.
			if _, err := s.resealAll(ctx); err != nil {
				return s.fail(op, err, says{})
			}
			// The file has the new key before the database has anything under it,
			// and the database its canary before any value.
			if err := s.newKey(ctx); err != nil {
				return s.fail(op, err, says{})
			}
		}
		if resealed, err = s.resealAll(ctx); err != nil {
			return s.fail(op, err, says{})
		}
		return s.fail(op, s.dropSeals(ctx), says{})
	})
	return resealed, err
}

func (s *Store) resealAll(ctx context.Context) (resealed int, err error) {
	for _, column := range sealedColumns {
		n, err := s.reseal(ctx, column)
		resealed += n
		if err != nil {
			return resealed, err
		}
	}
	return resealed, nil
}

// NextKeyset is the text of the keyset with a new key in it, for one that comes
// from text: the value that WINDLASS_KEYSET is to have in every process before
// Rotate.
func (s *Store) NextKeyset() (windlass.Secret, error) { return s.keys.Next() }

// unfinished reports whether the database has values under other keys than the primary one.
func (s *Store) unfinished(ctx context.Context) (bool, error) {
	others, err := list(ctx, s, scanNumber, `SELECT key_id FROM seals WHERE key_id <> ?1`, int64(s.keys.Primary()))
	return len(others) > 0, err
}

func (s *Store) newKey(ctx context.Context) error {
	named, err := list(ctx, s, scanNumber, `SELECT key_id FROM seals`)
	if err != nil {
		return err
	}
	if err := s.keys.Rotate(func(id uint32) bool { return !slices.Contains(named, int64(id)) }); err != nil {
		return err
	}
	return s.addSeal(ctx)
}

// reseal goes through one column in the order of its ids, so that what it has
// done already is not looked at again.
func (s *Store) reseal(ctx context.Context, c sealedColumn) (resealed int, err error) {
	for after := ""; ; {
		last, n, err := s.resealBatch(ctx, c, after)
		resealed += n
		if err != nil || last == "" {
			return resealed, err
		}
		after = last
	}
}

func (s *Store) resealBatch(ctx context.Context, c sealedColumn, after string) (last string, n int, err error) {
	type value struct {
		id     string
		sealed []byte
	}
	err = s.In(ctx, func(ctx context.Context) error {
		// The rows are locked, so nothing written in between is put back.
		batch, err := list(ctx, s, func(r row) (v value, err error) {
			err = r.Scan(&v.id, &v.sealed)
			return v, err
		}, `SELECT `+c.id+`, `+c.column+` FROM `+c.table+` WHERE `+c.id+` > ?1 AND substr(`+c.column+`, 1, 5) <> ?2
			ORDER BY `+c.id+` LIMIT ?3`+s.locked(ctx), after, seal.Prefix(s.keys.Primary()), rotateBatch)
		if err != nil {
			return err
		}
		for _, v := range batch {
			plain, err := s.unseal(c, v.id, v.sealed)
			if err != nil {
				return err
			}
			sealed, err := s.seal(c, v.id, plain)
			if err != nil {
				return err
			}
			if _, err := s.exec(ctx, `UPDATE `+c.table+` SET `+c.column+` = ?2 WHERE `+c.id+` = ?1`, v.id, sealed); err != nil {
				return err
			}
			last = v.id
		}
		n = len(batch)
		return nil
	})
	if err != nil {
		return "", 0, err
	}
	return last, n, nil
}

// dropSeals forgets the keys that nothing is sealed under any more. One that
// another process still sealed under, before it read the new keyset, stays: the
// next rotation begins with its values.
func (s *Store) dropSeals(ctx context.Context) error {
	rows, err := list(ctx, s, scanSeal, `SELECT key_id, canary FROM seals WHERE key_id <> ?1`, int64(s.keys.Primary()))
	if err != nil {
		return err
	}
	for _, one := range rows {
		var left []int64
		for _, c := range sealedColumns {
			some, err := list(ctx, s, scanNumber,
				`SELECT 1 FROM `+c.table+` WHERE substr(`+c.column+`, 1, 5) = ?1 LIMIT 1`, seal.Prefix(one.keyID))
			if err != nil {
				return err
			}
			left = append(left, some...)
		}
		if len(left) > 0 {
			return &windlass.Error{
				Kind: windlass.Unavailable, Message: "another process has sealed something under the old key " + canaryID(one.keyID) + " in the meantime",
				Remedy: "rotate again when every process has the new keyset",
			}
		}
		if _, err := s.exec(ctx, `DELETE FROM seals WHERE key_id = ?1`, int64(one.keyID)); err != nil {
			return err
		}
	}
	return nil
}
