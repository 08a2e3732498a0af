package store

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"time"

	"windlass"
	"windlass/internal/seal"
)

// The two databases, as Driver names them.
const (
	SQLite   = "sqlite"
	Postgres = "postgres"
)

// Options say which database to open, and how.
type Options struct {
	// URL is the path of an SQLite file, which is made when it is missing (its
	// folder is not), or an address that begins with postgres:// or
	// postgresql://.
	URL string
	// Keyset seals secrets. One from a file that does not exist yet is made,
	// unless the database holds secrets already.
	Keyset *seal.Keyset
	// Logger is told of migrations. Nil is silent.
	Logger *slog.Logger
	// Now is the clock for times that no caller gives. Nil is time.Now.
	Now func() time.Time
	// Migrations run after the store's own, one process at a time, on every Open:
	// they find out for themselves what is still to do. The driver is SQLite or
	// Postgres.
	Migrations []func(ctx context.Context, driver string, db *sql.DB) error
	// MaxConnections to PostgreSQL; 0 means 20.
	MaxConnections int
}

// Store is an open database. The zero value is of no use; see Open.
type Store struct {
	driver string
	place  string // how errors name the database: a path, or an address without its password
	url    string
	writer *sql.DB // SQLite: one connection
	reader *sql.DB // the same as writer on PostgreSQL
	lock   io.Closer
	keys   *seal.Keyset
	log    *slog.Logger
	now    func() time.Time

	closing sync.Once
	closed  error
}

// Open opens a database, brings its tables up to date and checks the keyset
// against it. Several processes may open one PostgreSQL database at once: one of
// them migrates. A second process on one SQLite file is refused, and so is a
// database that a newer version of Windlass has written.
func Open(ctx context.Context, opts Options) (*Store, error) {
	s := &Store{url: opts.URL, keys: opts.Keyset, log: opts.Logger, now: opts.Now}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.keys == nil {
		return nil, &windlass.Error{
			Kind: windlass.Invalid, Op: "open the database",
			Message: "there is no keyset to seal secrets with", Remedy: "set WINDLASS_KEYSET, or name a file for it",
		}
	}
	var err error
	switch {
	case isPostgres(opts.URL):
		err = s.openPostgres(ctx, opts.MaxConnections)
	case isFile(opts.URL):
		err = s.openSQLite(ctx)
	default: // the address is not repeated: there may be a password in it
		err = &windlass.Error{
			Kind: windlass.Invalid, Op: "open the database", Message: "this kind of address is not supported",
			Remedy: "write postgres://user@host:5432/database for PostgreSQL, or the path of a file for SQLite",
		}
	}
	if err == nil {
		err = s.migrate(ctx, opts.Migrations)
	}
	if err == nil {
		err = s.checkSeals(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close ends every connection. It does not wait for the jobs that use DB. Closing
// again does nothing.
func (s *Store) Close() error {
	s.closing.Do(func() {
		var errs []error
		if s.reader != nil && s.reader != s.writer {
			errs = append(errs, s.reader.Close())
		}
		if s.writer != nil {
			errs = append(errs, s.writer.Close())
		}
		if s.lock != nil {
			errs = append(errs, s.lock.Close())
		}
		s.closed = errors.Join(errs...)
	})
	return s.closed
}

// Ping checks that the database answers.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	err := s.reader.QueryRowContext(ctx, "SELECT 1").Scan(&one)
	return s.fail("ping the database", err, says{})
}

// Driver is SQLite or Postgres.
func (s *Store) Driver() string { return s.driver }

// URL is the address that was opened, with the password in it if there is one: for another
// connection to the same database, never for a message.
func (s *Store) URL() string { return s.url }

// Keyset is what seals the secrets of this store.
func (s *Store) Keyset() *seal.Keyset { return s.keys }

// DB is the pool that writes: on SQLite it has one connection, which a
// transaction holds until it ends. It is for the engine of jobs, which keeps its
// tables in the same database.
func (s *Store) DB() *sql.DB { return s.writer }

// keywords is how an address of PostgreSQL looks that is made of words such as
// host=db password=….
var keywords = regexp.MustCompile(`(^|\s)(host|hostaddr|port|user|password|passfile|dbname|service|sslmode)\s*=`)

// isFile reports whether an address can be the path of a file, rather than the
// address of some other database.
func isFile(url string) bool { return !strings.Contains(url, "://") && !keywords.MatchString(url) }

func isPostgres(url string) bool {
	return strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://")
}
