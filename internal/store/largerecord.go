package store

import (
	"context"

	"windlass"
)

var largeSays = says{Missing: "there is no such record", Taken: "the record is kept already"}

// KeepLargeRecord keeps a record that is too large for a message.
func (s *Store) KeepLargeRecord(ctx context.Context, l windlass.LargeRecord) error {
	_, err := s.exec(ctx, `INSERT INTO large_records (id, project_id, batch_id, token_hash, body, created) VALUES (?1, ?2, ?3, ?4, ?5, ?6)`,
		l.ID, l.ProjectID, l.BatchID, l.TokenHash, l.Body, micros(l.Created))
	return s.fail("keep the large record "+l.ID, err, largeSays)
}

// LargeRecord finds such a record.
func (s *Store) LargeRecord(ctx context.Context, id string) (windlass.LargeRecord, error) {
	l, err := first(ctx, s, func(r row) (l windlass.LargeRecord, err error) {
		err = r.Scan(&l.ID, &l.ProjectID, &l.BatchID, &l.TokenHash, &l.Body, when{&l.Created})
		return l, err
	}, `SELECT id, project_id, batch_id, token_hash, body, created FROM large_records WHERE id = ?1`, id)
	return l, s.fail("find the large record "+id, err, largeSays)
}
