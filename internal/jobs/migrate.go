package jobs

import (
	"context"
	"database/sql"
	"log/slog"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"

	"windlass"
)

// Migrate makes or updates the tables of the engine. It is one of the store's
// Options.Migrations, and may be repeated.
func Migrate(ctx context.Context, driver string, db *sql.DB) error {
	var tables riverdriver.Driver[*sql.Tx] = riverdatabasesql.New(db)
	if driver == driverSQLite {
		tables = riversqlite.New(db)
	}
	migrator, err := rivermigrate.New(tables, &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err == nil {
		_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	}
	if err == nil {
		// Who works on PostgreSQL, and when it was last seen (alive.go).
		_, err = db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS job_workers (id TEXT PRIMARY KEY, seen BIGINT NOT NULL)`)
	}
	if err != nil {
		return &windlass.Error{Kind: windlass.Internal, Op: "make the tables of the jobs", Err: err}
	}
	return nil
}
