package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"strconv"

	"windlass"
)

// A sealedColumn is one that holds sealed values. What is sealed is bound to the
// table, the column and the row's id, so a value copied into another row does
// not open there (invariant 5).
type sealedColumn struct{ table, column, id string }

var (
	clientSecret        = sealedColumn{"provider_apps", "client_secret", "id"}
	stateData           = sealedColumn{"connect_states", "data", "hash"}
	credentialsSealed   = sealedColumn{"credentials", "sealed", "connection_id"}
	destinationHeaders  = sealedColumn{"destinations", "headers", "id"}
	destinationMetadata = sealedColumn{"destinations", "metadata", "id"}
	destinationSecrets  = sealedColumn{"destinations", "secrets", "id"}
	writeRecord         = sealedColumn{"write_records", "record", "id"}
	writeKey            = sealedColumn{"write_keys", "sealed", "id"}
	sharedKey           = sealedColumn{"server_keys", "sealed", "name"}
	canary              = sealedColumn{"seals", "canary", "key_id"}
)

// sealedColumns is every place that a rotation has to go through. The canaries
// are not among them: each stays under its own key.
var sealedColumns = []sealedColumn{
	clientSecret, stateData, credentialsSealed, destinationHeaders, destinationMetadata, destinationSecrets,
	writeRecord, writeKey, sharedKey,
}

func (c sealedColumn) about(id string) []byte { return []byte(c.table + "." + c.column + "/" + id) }

func (s *Store) seal(c sealedColumn, id string, plain []byte) ([]byte, error) {
	return s.keys.Seal(plain, c.about(id))
}

func (s *Store) unseal(c sealedColumn, id string, sealed []byte) ([]byte, error) {
	return s.keys.Open(sealed, c.about(id))
}

func (s *Store) sealSecret(c sealedColumn, id string, secret windlass.Secret) ([]byte, error) {
	return s.seal(c, id, []byte(secret.Reveal()))
}

func (s *Store) unsealSecret(c sealedColumn, id string, sealed []byte) (windlass.Secret, error) {
	plain, err := s.unseal(c, id, sealed)
	return windlass.NewSecret(string(plain)), err
}

func (s *Store) sealJSON(c sealedColumn, id string, v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return s.seal(c, id, plain)
}

func (s *Store) unsealJSON(c sealedColumn, id string, sealed []byte, into any) error {
	plain, err := s.unseal(c, id, sealed)
	if err != nil || len(plain) == 0 {
		return err
	}
	return json.Unmarshal(plain, into)
}

// A seal is a row for a key under which values may be sealed.
type sealRow struct {
	keyID  uint32
	canary []byte
}

func scanSeal(r row) (one sealRow, err error) {
	err = r.Scan(&one.keyID, &one.canary)
	return one, err
}

const canaryText = "windlass"

// checkSeals refuses a keyset that cannot open what the database holds, and
// makes the keyset's file when neither it nor anything sealed is there.
func (s *Store) checkSeals(ctx context.Context) error {
	// Exclusively, or two processes with different keysets that start on an empty
	// database would both accept their own.
	return s.exclusively(ctx, lockMigrate, func(ctx context.Context) error {
		rows, err := list(ctx, s, scanSeal, `SELECT key_id, canary FROM seals ORDER BY key_id`)
		if err != nil {
			return s.fail("check the keyset", err, says{})
		}
		if s.keys.Absent() {
			if len(rows) > 0 {
				return wrongKeyset("the keyset " + s.keys.Source() + " is missing, and the database " + s.place + " holds secrets sealed under it")
			}
			if err := s.keys.Create(); err != nil {
				return err
			}
		}
		known := false
		for _, one := range rows {
			if err := s.checkSeal(one); err != nil {
				return err
			}
			known = known || one.keyID == s.keys.Primary()
		}
		if known {
			return nil
		}
		return s.addSeal(ctx)
	})
}

func (s *Store) checkSeal(one sealRow) error {
	plain, err := s.unseal(canary, canaryID(one.keyID), one.canary)
	if err != nil || string(plain) != canaryText {
		return wrongKeyset("the keyset " + s.keys.Source() + " is not the one that the database " + s.place +
			" was sealed with: it lacks the key " + canaryID(one.keyID))
	}
	return nil
}

// addSeal adds the primary key to those under which values may be sealed.
func (s *Store) addSeal(ctx context.Context) error {
	id := s.keys.Primary()
	sealed, err := s.seal(canary, canaryID(id), []byte(canaryText))
	if err != nil {
		return err
	}
	_, err = s.exec(ctx, `INSERT INTO seals (key_id, canary, made) VALUES (?1, ?2, ?3) ON CONFLICT (key_id) DO NOTHING`,
		int64(id), sealed, micros(s.now()))
	return s.fail("note the key of the keyset", err, says{})
}

func wrongKeyset(message string) error {
	return &windlass.Error{
		Kind: windlass.Internal, Op: "check the keyset", Message: message,
		Remedy: "restore the keyset that this database was used with; without it its secrets are lost",
	}
}

func canaryID(keyID uint32) string { return strconv.FormatUint(uint64(keyID), 10) }

var errNone = sql.ErrNoRows
