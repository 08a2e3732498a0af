package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"log/slog"
	"path"
	"slices"
	"strconv"
	"strings"

	"windlass"
	"windlass/internal/logkey"
)

//go:embed migrations/*.sql
var migrations embed.FS

// A migration is one file of migrations/: NNNN_name.sql.
type migration struct {
	version int64
	name    string
	sql     string
}

const logVersion, logName = logkey.Version, logkey.Name

// migrate brings the database up to date: each migration in a transaction of its
// own together with the row that says so, one process at a time, in the order of
// their numbers. One that was added with a lower number than others have runs
// all the same. A version never goes back, and a file that has been released
// never changes.
func (s *Store) migrate(ctx context.Context, also []func(context.Context, string, *sql.DB) error) error {
	op := "bring the database " + s.place + " up to date"
	all, err := readMigrations()
	if err != nil {
		return &windlass.Error{Kind: windlass.Internal, Op: op, Err: err}
	}
	return s.exclusively(ctx, lockMigrate, func(ctx context.Context) error {
		const table = `CREATE TABLE IF NOT EXISTS windlass_migrations (
			version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied BIGINT NOT NULL)`
		if _, err := s.exec(ctx, table); err != nil {
			return s.fail(op, err, says{})
		}
		applied, err := s.applied(ctx)
		if err != nil {
			return s.fail(op, err, says{})
		}
		if unknown := unknownTo(all, applied); unknown != 0 {
			return &windlass.Error{
				Kind: windlass.Internal, Op: "open the database " + s.place,
				Message: fmt.Sprintf("a newer version of windlass has written it (it has the migration %d; this one ends at %d)", unknown, all[len(all)-1].version),
				Remedy:  "run that version or a later one",
			}
		}
		for _, m := range all {
			if applied[m.version] {
				continue
			}
			if err := s.apply(ctx, m); err != nil {
				return s.fail(op+" ("+m.name+")", err, says{})
			}
			s.log.InfoContext(ctx, "database migrated", slog.Int64(logVersion, m.version), slog.String(logName, m.name))
		}
		for _, further := range also {
			if err := further(ctx, s.driver, s.writer); err != nil {
				return s.fail(op, err, says{})
			}
		}
		return nil
	})
}

// applied is the set of the migrations that the database has.
func (s *Store) applied(ctx context.Context) (map[int64]bool, error) {
	versions, err := list(ctx, s, scanNumber, "SELECT version FROM windlass_migrations")
	set := map[int64]bool{}
	for _, version := range versions {
		set[version] = true
	}
	return set, err
}

// unknownTo is a version that the database has and this program does not; 0 when
// there is none.
func unknownTo(all []migration, applied map[int64]bool) int64 {
	for version := range applied {
		if !slices.ContainsFunc(all, func(m migration) bool { return m.version == version }) {
			return version
		}
	}
	return 0
}

func scanNumber(r row) (n int64, err error) {
	err = r.Scan(&n)
	return n, err
}

func (s *Store) apply(ctx context.Context, m migration) error {
	return s.In(ctx, func(ctx context.Context) error {
		// Without arguments both drivers take several statements at once.
		if _, err := s.Tx(ctx).ExecContext(ctx, m.sql); err != nil {
			return err
		}
		_, err := s.exec(ctx, "INSERT INTO windlass_migrations (version, name, applied) VALUES (?1, ?2, ?3)",
			m.version, m.name, micros(s.now()))
		return err
	})
}

// readMigrations lists the files in the order of their numbers.
func readMigrations() ([]migration, error) {
	entries, err := migrations.ReadDir("migrations") // sorted by name
	if err != nil {
		return nil, err
	}
	var all []migration
	for _, entry := range entries {
		number, _, _ := strings.Cut(entry.Name(), "_")
		version, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: a migration begins with its number: %w", entry.Name(), err)
		}
		content, err := migrations.ReadFile(path.Join("migrations", entry.Name()))
		if err != nil {
			return nil, err
		}
		all = append(all, migration{version: version, name: strings.TrimSuffix(entry.Name(), ".sql"), sql: string(content)})
	}
	return all, nil
}
