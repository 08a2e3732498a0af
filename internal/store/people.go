package store

import (
	"context"
	"time"

	"windlass"
)

var (
	adminSays   = says{Missing: "the link is not valid: it was used already, or another one was made since"}
	sessionSays = says{Missing: "there is no such session", Taken: "the session exists already"}
)

// adminID is the key of the one row of the table admin.
const adminID = "admin"

// AdminPassword returns the hash of the administrator's password; empty when none
// was set.
func (s *Store) AdminPassword(ctx context.Context) (hash string, err error) {
	all, err := list(ctx, s, func(r row) (hash string, err error) { return hash, r.Scan(&hash) },
		`SELECT hashed FROM admin WHERE id = ?1`+s.locked(ctx), adminID)
	if err != nil || len(all) == 0 {
		return "", s.fail("read the administrator's password", err, adminSays)
	}
	return all[0], nil
}

// SetAdminPassword replaces the hash of the administrator's password; empty means
// that no password signs in.
func (s *Store) SetAdminPassword(ctx context.Context, hash string, now time.Time) error {
	_, err := s.exec(ctx, `INSERT INTO admin (id, hashed, link, link_expires, updated) VALUES (?1, ?2, '', 0, ?3)
		ON CONFLICT (id) DO UPDATE SET hashed = excluded.hashed, updated = excluded.updated`, adminID, hash, micros(now))
	return s.fail("set the administrator's password", err, adminSays)
}

// SetSignInLink makes the hash of a token the one that signs in once, until a
// time. The one before ends.
func (s *Store) SetSignInLink(ctx context.Context, hash string, expires, now time.Time) error {
	_, err := s.exec(ctx, `INSERT INTO admin (id, hashed, link, link_expires, updated) VALUES (?1, '', ?2, ?3, ?4)
		ON CONFLICT (id) DO UPDATE SET link = excluded.link, link_expires = excluded.link_expires, updated = excluded.updated`,
		adminID, hash, micros(expires), micros(now))
	return s.fail("make a sign-in link", err, adminSays)
}

// TakeSignInLink uses up a link: of two requests with it, one succeeds. NotFound when it
// is not the one that is valid, or has expired.
func (s *Store) TakeSignInLink(ctx context.Context, hash string, now time.Time) error {
	return s.update(ctx, "sign in by the link", adminSays,
		`UPDATE admin SET link = '', link_expires = 0, updated = ?3 WHERE id = ?1 AND link = ?2 AND link <> '' AND link_expires > ?3`,
		adminID, hash, micros(now))
}

func scanSession(r row) (n windlass.Session, err error) {
	err = r.Scan(&n.Hash, &n.Subject, &n.Name, &n.Role, when{&n.Created}, when{&n.Seen}, when{&n.Expires})
	return n, err
}

// CreateSession keeps a session. Of its token only the hash is kept (invariant 5).
func (s *Store) CreateSession(ctx context.Context, n windlass.Session) error {
	_, err := s.exec(ctx, `INSERT INTO sessions (hash, subject, name, role, created, seen, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)`,
		n.Hash, n.Subject, n.Name, n.Role, micros(n.Created), micros(n.Seen), micros(n.Expires))
	return s.fail("begin the session", err, sessionSays)
}

// Session finds a session by its hash, expired or not.
func (s *Store) Session(ctx context.Context, hash string) (windlass.Session, error) {
	n, err := first(ctx, s, scanSession, `SELECT hash, subject, name, role, created, seen, expires FROM sessions WHERE hash = ?1`, hash)
	return n, s.fail("find the session", err, sessionSays)
}

// TouchSession notes that a session was used.
func (s *Store) TouchSession(ctx context.Context, hash string, seen time.Time) error {
	_, err := s.exec(ctx, `UPDATE sessions SET seen = ?2 WHERE hash = ?1 AND seen < ?2`, hash, micros(seen))
	return s.fail("note the session's use", err, sessionSays)
}

// EndSession removes a session, if there is one.
func (s *Store) EndSession(ctx context.Context, hash string) error {
	_, err := s.exec(ctx, `DELETE FROM sessions WHERE hash = ?1`, hash)
	return s.fail("end the session", err, sessionSays)
}

// EndSessions removes all sessions of a subject but one; an empty hash removes
// that one, too.
func (s *Store) EndSessions(ctx context.Context, subject, but string) error {
	_, err := s.exec(ctx, `DELETE FROM sessions WHERE subject = ?1 AND hash <> ?2`, subject, but)
	return s.fail("end the sessions", err, sessionSays)
}

// AppendAudit adds an entry to the audit log. Entries never change.
func (s *Store) AppendAudit(ctx context.Context, e windlass.AuditEntry) error {
	_, err := s.exec(ctx, `INSERT INTO audit (id, project_id, at, subject, name, action, target, details) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`,
		e.ID, e.ProjectID, micros(e.Time), e.Subject, e.Name, e.Action, e.Target, text(e.Details))
	return s.fail("note who changed what", err, says{})
}

// Audit lists entries of the audit log, the newest first.
func (s *Store) Audit(ctx context.Context, filter windlass.AuditFilter) ([]windlass.AuditEntry, error) {
	limit := filter.Limit
	if limit <= 0 {
		limit = 100
	}
	const columns = `SELECT id, project_id, at, subject, name, action, target, details FROM audit`
	all, err := list(ctx, s, func(r row) (e windlass.AuditEntry, err error) {
		err = r.Scan(&e.ID, &e.ProjectID, when{&e.Time}, &e.Subject, &e.Name, &e.Action, &e.Target, fromText{&e.Details})
		return e, err
	}, columns+` WHERE (?1 = '' OR project_id = ?1 OR project_id = '') AND (?2 = '' OR id < ?2) ORDER BY id DESC LIMIT ?3`,
		filter.ProjectID, filter.Before, limit)
	return all, s.fail("list the audit log", err, says{})
}
