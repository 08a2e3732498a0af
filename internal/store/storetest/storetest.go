// Package storetest runs tests on both databases: a new SQLite file and a new
// PostgreSQL database for each test. Nothing has to be set up: see package
// pgtemp.
//
//	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
//		s := open()
//		…
//	})
package storetest

import (
	"context"
	"crypto/rand"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/pgtemp"
	"windlass/internal/seal"
	"windlass/internal/store"
)

// Each runs a test twice, as subtests sqlite and postgres. Each call of open
// opens the test's database; what it opened is closed when the test ends. On
// SQLite, a store must be closed before the database is opened again.
func Each(t *testing.T, test func(t *testing.T, open func() *store.Store)) {
	t.Helper()
	EachWith(t, nil, test)
}

// EachWith is Each with other options: change gets those that open would use.
func EachWith(t *testing.T, change func(*store.Options), test func(t *testing.T, open func() *store.Store)) {
	t.Helper()
	for _, driver := range drivers {
		t.Run(driver, func(t *testing.T) {
			db := New(t, driver)
			test(t, func() *store.Store { t.Helper(); return db.Open(t, change) })
		})
	}
}

// EachB is Each for a benchmark.
func EachB(b *testing.B, bench func(b *testing.B, open func() *store.Store)) {
	b.Helper()
	for _, driver := range drivers {
		b.Run(driver, func(b *testing.B) {
			db := New(b, driver)
			bench(b, func() *store.Store { b.Helper(); return db.Open(b, nil) })
		})
	}
}

var drivers = []string{store.SQLite, store.Postgres}

// A Database is empty until it is opened, and gone when its test ends.
type Database struct {
	URL    string
	Keyset *seal.Keyset
}

// New makes a database: store.SQLite or store.Postgres.
func New(tb testing.TB, driver string) Database {
	tb.Helper()
	keyset, err := seal.New()
	if err != nil {
		tb.Fatal(err)
	}
	if driver == store.SQLite {
		return Database{URL: filepath.Join(tb.TempDir(), "windlass.db"), Keyset: keyset}
	}
	return Database{URL: newPostgres(tb), Keyset: keyset}
}

// Open opens the database and closes it when the test ends. The function may
// change the options; nil leaves them.
func (db Database) Open(tb testing.TB, change func(*store.Options)) *store.Store {
	tb.Helper()
	opts := store.Options{URL: db.URL, Keyset: db.Keyset, MaxConnections: 10}
	if change != nil {
		change(&opts)
	}
	s, err := store.Open(tb.Context(), opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// newPostgres makes a database on the shared server. Not a schema, although that
// is faster to make: advisory locks and notifications belong to the database.
func newPostgres(tb testing.TB) string {
	tb.Helper()
	shared, err := pgtemp.Shared()
	if err != nil {
		tb.Fatal(err)
	}
	name := "test_" + strings.ToLower(rand.Text())
	administer(tb, shared, "CREATE DATABASE "+name)
	tb.Cleanup(func() { administer(tb, shared, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	address, err := url.Parse(shared)
	if err != nil {
		tb.Fatal(err)
	}
	address.Path = "/" + name
	return address.String()
}

func administer(tb testing.TB, address, statement string) {
	tb.Helper()
	// Not the test's context: that has ended when the database is dropped.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		tb.Fatal(err)
	}
	defer conn.Close(ctx) //nolint:errcheck // the statement has been answered
	if _, err := conn.Exec(ctx, statement); err != nil {
		tb.Fatal(err)
	}
}
