package store

import (
	"context"
	"time"

	"windlass"
)

var uploadSays = says{Missing: "there is no such upload", Taken: "the upload exists already"}

// CreateUpload makes a place that one file may be put into.
func (s *Store) CreateUpload(ctx context.Context, u windlass.Upload) error {
	_, err := s.exec(ctx, `INSERT INTO uploads (id, project_id, token_hash, md5, expires) VALUES (?1, ?2, ?3, ?4, ?5)`,
		u.ID, u.ProjectID, u.TokenHash, u.MD5, micros(u.Expires))
	return s.fail("create the upload", err, uploadSays)
}

// Upload finds a place for a file, whether or not the file is there.
func (s *Store) Upload(ctx context.Context, id string) (windlass.Upload, error) {
	u, err := first(ctx, s, scanUpload, `SELECT u.id, u.project_id, u.token_hash, u.md5, u.expires FROM uploads u WHERE u.id = ?1`, id)
	return u, s.fail("find the upload "+id, err, uploadSays)
}

func scanUpload(r row) (u windlass.Upload, err error) {
	err = r.Scan(&u.ID, &u.ProjectID, &u.TokenHash, &u.MD5, when{&u.Expires})
	return u, err
}

// PutUpload puts the file into its place, once. Unauthorized when the token is
// another, Gone when the time has passed, Conflict when a file is there already.
// Whether the file is the one that MD5 names is for the caller to check.
func (s *Store) PutUpload(ctx context.Context, id, tokenHash string, data []byte, now time.Time) error {
	op := "put the upload " + id
	n, err := s.exec(ctx, `UPDATE uploads SET data = ?3 WHERE id = ?1 AND token_hash = ?2 AND expires > ?4 AND data IS NULL`,
		id, tokenHash, data, micros(now))
	if err != nil || n > 0 {
		return s.fail(op, err, uploadSays)
	}
	u, err := s.Upload(ctx, id)
	if err != nil {
		return err
	}
	failure := &windlass.Error{Kind: windlass.Conflict, Op: op, Message: "it has its file already", Remedy: "ask for a new upload URL"}
	switch {
	case u.TokenHash != tokenHash:
		failure.Kind, failure.Message = windlass.Unauthorized, "the token belongs to another upload"
	case !now.Before(u.Expires):
		failure.Kind, failure.Message = windlass.Gone, "the time for it has passed"
	}
	return failure
}

// TakeUpload returns the file and removes it and its place. NotFound when there
// is none, it is not the project's (where one is named), or its file has not
// arrived. In a transaction that is undone, the file is there again.
func (s *Store) TakeUpload(ctx context.Context, projectID, id string) ([]byte, error) {
	op := "take the upload " + id
	found, err := change(ctx, s, func(r row) (data []byte, err error) {
		err = r.Scan(&data)
		return data, err
	}, `DELETE FROM uploads WHERE id = ?1 AND (?2 = '' OR project_id = ?2) AND data IS NOT NULL RETURNING data`, id, projectID)
	if err == nil && len(found) == 0 {
		err = errNone
	}
	if err != nil {
		return nil, s.fail(op, err, uploadSays)
	}
	return found[0], nil
}
