package store

import (
	"context"
	"encoding/json"

	"windlass"
)

var writeKeySays = says{Missing: "no request came with that key"}

// sealedKey is what is sealed of a key: even a request's fingerprint tells
// something of a short secret.
type sealedKey struct {
	Fingerprint string          `json:"fingerprint"`
	Answer      json.RawMessage `json:"answer,omitempty"`
}

// WriteKey finds what came with a key, expired or not.
func (s *Store) WriteKey(ctx context.Context, id string) (windlass.WriteKey, error) {
	k, err := first(ctx, s, func(r row) (k windlass.WriteKey, err error) {
		var sealed []byte
		if err := r.Scan(&k.ID, &k.OperationID, &sealed, when{&k.Began}, when{&k.Expires}); err != nil {
			return k, err
		}
		var open sealedKey
		err = s.unsealJSON(writeKey, k.ID, sealed, &open)
		k.Fingerprint, k.Answer = open.Fingerprint, open.Answer
		return k, err
	}, `SELECT k.id, k.operation_id, k.sealed, k.began, k.expires FROM write_keys k WHERE k.id = ?1`+s.locked(ctx), id)
	return k, s.fail("find the key of a request", err, writeKeySays)
}

// SaveWriteKey adds a key, or replaces the one that stood for the operation
// before. It says whether it did: when it did not, another request was faster.
func (s *Store) SaveWriteKey(ctx context.Context, k windlass.WriteKey, before string) (saved bool, err error) {
	const op = "keep the key of a request"
	sealed, err := s.sealJSON(writeKey, k.ID, sealedKey{k.Fingerprint, k.Answer})
	if err != nil {
		return false, s.fail(op, err, writeKeySays)
	}
	n, err := s.exec(ctx, `INSERT INTO write_keys (id, operation_id, sealed, began, expires) VALUES (?1, ?2, ?3, ?4, ?5)
		ON CONFLICT (id) DO UPDATE SET operation_id = excluded.operation_id, sealed = excluded.sealed,
			began = excluded.began, expires = excluded.expires
		WHERE write_keys.operation_id = ?6`, k.ID, k.OperationID, sealed, micros(k.Began), micros(k.Expires), before)
	return n > 0, s.fail(op, err, writeKeySays)
}
