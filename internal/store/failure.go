package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"windlass"
)

// says are the messages of failures about one noun.
type says struct {
	Missing  string // nothing has this id or name
	Taken    string // there is one already
	Dangling string // what it refers to does not exist, or what refers to it does
	kind     windlass.Kind
}

// A fault is the cause of a database error, the same for both databases.
type fault int

const (
	other fault = iota
	unique
	foreign
	busy
	down
	full
	corrupt
	forbidden
	badText
)

// fail turns an error of a database into a Failure. Nil stays nil, and a Failure
// that a deeper call made stays as it is, but for what was being done.
func (s *Store) fail(op string, err error, words says) error {
	if err == nil {
		return nil
	}
	if known, ok := windlass.Own(err); ok {
		if known.Op != "" {
			return err
		}
		placed := *known
		placed.Op = op
		return &placed
	}
	failure := &windlass.Error{Kind: windlass.Internal, Op: op, Err: err}
	if errors.Is(err, sql.ErrNoRows) {
		failure.Kind, failure.Message = windlass.NotFound, words.Missing
		return failure
	}
	// Before the databases' own errors: an interrupted statement looks like a fault of
	// theirs.
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		failure.Kind = windlass.Canceled
		return failure
	}
	switch diagnose(err) {
	case unique:
		failure.Kind, failure.Message = windlass.Conflict, words.Taken
	case foreign:
		failure.Kind, failure.Message = windlass.Conflict, words.Dangling
		if words.kind != "" {
			failure.Kind = words.kind
		}
	case busy:
		failure.Kind, failure.Message = windlass.Unavailable, "the database "+s.place+" is busy, and stays busy"
		failure.Remedy = "try again"
	case down:
		failure.Kind, failure.Message = windlass.Unavailable, "the database "+s.place+" cannot be reached: "+reason(err)
		failure.Remedy = "check that it runs, and that its address, user and password are correct"
	case full:
		failure.Message = "the disk of the database " + s.place + " is full"
		failure.Remedy = "make room on it"
	case corrupt:
		failure.Message = "the database " + s.place + " is corrupt, or not a database"
		failure.Remedy = "restore a backup, or name another file"
	case forbidden:
		failure.Message = "the database " + s.place + " may not be read or written"
		failure.Remedy = "check its owner and its permissions"
	case badText:
		failure.Kind, failure.Message = windlass.Invalid, "a text contains bytes that are not allowed"
		failure.Remedy = "leave out NUL bytes and bytes that are not UTF-8"
	case other:
		failure.Message = "the database " + s.place + " failed: " + reason(err)
	}
	return failure
}

// Explain makes a Failure of an error of the database, for what uses DB and Tx
// directly: the engine of jobs.
func (s *Store) Explain(op string, err error) error { return s.fail(op, err, says{}) }

func diagnose(err error) fault {
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		return diagnoseSQLite(lite.Code())
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return diagnosePostgres(pg.Code)
	}
	var network net.Error
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) || errors.As(err, &network) || pgconn.SafeToRetry(err) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, driver.ErrBadConn) || strings.Contains(err.Error(), "conn closed") ||
		strings.Contains(err.Error(), "unexpected EOF") {
		return down
	}
	return other
}

// diagnoseSQLite reads a result code: the low byte says what, the rest which.
func diagnoseSQLite(code int) fault {
	switch code {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return unique
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY, sqlite3.SQLITE_CONSTRAINT_TRIGGER: // RESTRICT is a trigger
		return foreign
	}
	switch code & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return busy
	case sqlite3.SQLITE_FULL:
		return full
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return corrupt
	case sqlite3.SQLITE_PERM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH:
		return forbidden
	default:
		return other
	}
}

// diagnosePostgres reads an SQLSTATE (appendix A of PostgreSQL's manual): its
// first two characters are the class.
func diagnosePostgres(code string) fault {
	switch code {
	case "23505":
		return unique
	case "23503", "23001":
		return foreign
	case "40001", "40P01", "55P03":
		return busy
	case "53100":
		return full
	case "22021":
		return badText
	case "42501":
		return forbidden
	case "XX001", "XX002":
		return corrupt
	}
	switch code[:min(2, len(code))] {
	// 3D000 is a database that does not exist; 28 is a wrong user or password.
	case "08", "57", "53", "28", "3D":
		return down
	default:
		return other
	}
}

// reason is the last part of an error's text, which is what a person needs: the
// parts before it name functions, and an address with its user.
func reason(err error) string {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Message
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Error()
	}
	return err.Error()
}
