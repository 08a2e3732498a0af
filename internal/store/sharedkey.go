package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"

	"windlass"
)

// SharedKey returns the key of that name, which is the same in all processes of this
// database and outlives them and their keysets. The first call makes it.
func (s *Store) SharedKey(ctx context.Context, name string) (windlass.Secret, error) {
	const op = "read a shared key"
	fresh := make([]byte, 32)
	_, _ = rand.Read(fresh) // it never fails
	sealed, err := s.sealSecret(sharedKey, name, windlass.NewSecret(hex.EncodeToString(fresh)))
	if err != nil {
		return windlass.Secret{}, s.fail(op, err, says{})
	}
	// Of processes that start at once the first one's is kept.
	if _, err := s.exec(ctx, `INSERT INTO server_keys (name, sealed) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING`, name, sealed); err != nil {
		return windlass.Secret{}, s.fail(op, err, says{})
	}
	kept, err := first(ctx, s, func(r row) (data []byte, err error) {
		err = r.Scan(&data)
		return data, err
	}, `SELECT sealed FROM server_keys WHERE name = ?1`, name)
	if err != nil {
		return windlass.Secret{}, s.fail(op, err, says{})
	}
	secret, err := s.unsealSecret(sharedKey, name, kept)
	return secret, s.fail(op, err, says{})
}
