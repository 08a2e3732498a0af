package store

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"windlass"
)

// maxConnections of one process to PostgreSQL, which allows 100 in all unless it
// is told otherwise.
const maxConnections = 20

func (s *Store) openPostgres(ctx context.Context, most int) error {
	s.driver, s.place = Postgres, withoutPassword(s.url)
	config, err := pgx.ParseConfig(s.url)
	if err != nil {
		// pgx hides the password in its error, but not where the address is one
		// that it cannot take apart.
		return &windlass.Error{
			Kind: windlass.Invalid, Op: "open the database " + s.place, Message: "the address is not one of PostgreSQL",
			Remedy: "write postgres://user@host:5432/database, with the password behind the user or in PGPASSWORD",
		}
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = 10 * time.Second
	}
	s.writer = stdlib.OpenDB(*config)
	s.reader = s.writer
	most = cmp.Or(most, maxConnections)
	s.writer.SetMaxOpenConns(most)
	s.writer.SetMaxIdleConns(most)
	s.writer.SetConnMaxIdleTime(5 * time.Minute)
	if err := s.writer.PingContext(ctx); err != nil {
		return s.fail("open the database "+s.place, err, says{})
	}
	return nil
}

// withoutPassword is an address as it may be shown.
func withoutPassword(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return "postgres://…"
	}
	parsed.User = nil
	query := parsed.Query()
	for _, secret := range []string{"password", "sslpassword"} {
		query.Del(secret)
	}
	parsed.RawQuery = query.Encode()
	return parsed.String()
}

// The numbers of our advisory locks; the engine of jobs has its own.
const (
	lockMigrate = 0x77_69_6e_64_01 // "wind", 1
	lockRotate  = 0x77_69_6e_64_02
)

// exclusively runs fn while no other process runs an fn under the same number.
// An SQLite file has only one process.
func (s *Store) exclusively(ctx context.Context, number int64, fn func(ctx context.Context) error) (err error) {
	if s.driver == SQLite {
		return fn(ctx)
	}
	// The lock belongs to a connection and ends with it, so a process that is
	// killed leaves nothing locked.
	conn, err := s.writer.Conn(ctx)
	if err != nil {
		return s.fail("wait for other processes", err, says{})
	}
	defer conn.Close() //nolint:errcheck // it goes back to the pool
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", number); err != nil {
		return s.fail("wait for other processes", err, says{})
	}
	defer s.unlock(context.WithoutCancel(ctx), conn, number)
	return fn(ctx)
}

func (s *Store) unlock(ctx context.Context, conn *sql.Conn, number int64) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_unlock($1)", number); err != nil {
		// A connection that could not unlock must not go back to the pool.
		_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // this is how database/sql is told to drop it
	}
}
