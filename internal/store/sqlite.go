package store

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"modernc.org/sqlite"

	"windlass"
)

// readers of one SQLite file at once. They never wait for the writer (WAL).
const readers = 4

// openSQLite opens a file with one writer and some readers. The lock keeps a
// second process away: SQLite itself would let it in, but the engine of jobs
// takes every job that is marked as running at its start for one that a crash
// left behind, and would run it twice at once.
func (s *Store) openSQLite(ctx context.Context) error {
	s.driver, s.place = SQLite, s.url
	fault := func(err error, message, remedy string) error {
		return &windlass.Error{
			Kind: windlass.Internal, Op: "open the database " + s.place, Message: message, Remedy: remedy, Err: err,
		}
	}
	if s.url == "" {
		return fault(nil, "no file is named", "name a file, or the address of a PostgreSQL database")
	}
	path, err := filepath.Abs(s.url)
	if err != nil {
		return fault(err, "", "name the file by its full path")
	}
	folder, err := os.Stat(filepath.Dir(path))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault(err, "the folder "+filepath.Dir(path)+" does not exist", "make it, or name another")
	case err != nil:
		return fault(err, "", "check that the folder may be read by the user that runs windlass")
	case !folder.IsDir():
		return fault(nil, filepath.Dir(path)+" is not a folder", "name a file in a folder")
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return fault(nil, "it is a folder", "name a file in it")
	}
	s.lock, err = lockFile(path + ".lock")
	switch {
	case errors.Is(err, errLocked):
		return &windlass.Error{
			Kind: windlass.Conflict, Op: "open the database " + s.place, Message: "another process is using it",
			Remedy: "stop that one first, or use PostgreSQL, which several processes may share", Err: err,
		}
	case err != nil:
		return fault(err, "", "check that the folder may be written by the user that runs windlass, and has room")
	}
	// The database holds sealed secrets and customers' names: only its owner may read it.
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fault(err, "", "check that the file and its folder may be written by the user that runs windlass")
	}
	if err := file.Close(); err != nil {
		return fault(err, "", "check that the disk works")
	}
	if s.writer, err = openFile(path, "_txlock=immediate"); err != nil {
		return fault(err, "", "name another file")
	}
	s.writer.SetMaxOpenConns(1)
	// The first statement makes it a WAL database, before any reader is there.
	if _, err := s.writer.ExecContext(ctx, "SELECT COUNT(*) FROM sqlite_schema"); err != nil {
		return s.fail("open the database "+s.place, err, says{})
	}
	if s.reader, err = openFile(path, "_pragma=query_only(1)"); err != nil {
		return fault(err, "", "name another file")
	}
	s.reader.SetMaxOpenConns(readers)
	s.reader.SetMaxIdleConns(readers)
	return nil
}

func openFile(path, further string) (*sql.DB, error) {
	query := url.Values{"_pragma": {
		// First of all: the others may have to wait for a lock.
		"busy_timeout(10000)",
		// Before the file is written for the first time, or it means nothing.
		"auto_vacuum(INCREMENTAL)",
		"journal_mode(WAL)",
		// In WAL mode with NORMAL, a commit may be lost in a power failure; a rotated
		// refresh token must not be (invariant 4).
		"synchronous(FULL)",
		"foreign_keys(1)",
		"cache_size(-4096)",            // KiB per connection, when it is used that much
		"journal_size_limit(67108864)", // the log shrinks again after a burst
		"temp_store(2)",
	}}.Encode() + "&" + further
	connector, err := sqlite.NewConnector(
		(&url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: query}).String())
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(keepingConnector{connector}), nil
}

var errLocked = errors.New("the file is locked")
