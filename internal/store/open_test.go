package store_test

import (
	"context"
	"database/sql"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"windlass"
	"windlass/internal/seal"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

func TestOpeningAgainFindsEverything(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		w := found(t, s)
		must(t, s.Ping(t.Context()))
		must(t, s.Close())
		must(t, s.Close())
		s = open()
		wantSame(t, got(s.Credentials(t.Context(), w.connection.ID))(t), w.credentials)
	})
}

func TestSecondProcessOnOneFile(t *testing.T) {
	t.Parallel()
	db := storetest.New(t, store.SQLite)
	s := db.Open(t, nil)
	_, err := store.Open(t.Context(), store.Options{URL: db.URL, Keyset: db.Keyset})
	wantKind(t, err, windlass.Conflict)
	wantText(t, err, "another process is using it")
	found(t, s) // the first one is none the worse for it
}

func TestManyProcessesOpenOneEmptyDatabase(t *testing.T) {
	t.Parallel()
	db := storetest.New(t, store.Postgres)
	var group sync.WaitGroup
	var further atomic.Int32
	for range 6 {
		group.Go(func() {
			s, err := store.Open(t.Context(), store.Options{
				URL: db.URL, Keyset: db.Keyset,
				Migrations: []func(context.Context, string, *sql.DB) error{func(context.Context, string, *sql.DB) error {
					if further.Add(1) != 1 {
						t.Error("two processes migrate at once")
					}
					further.Add(-1)
					return nil
				}},
			})
			if err != nil {
				t.Error(err)
				return
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		if _, err := s.DB().ExecContext(t.Context(), `INSERT INTO windlass_migrations (version, name, applied) VALUES (9999, 'future', 0)`); err != nil {
			t.Fatal(err)
		}
		must(t, s.Close())
		keyset := got(seal.New())(t)
		_, err := store.Open(t.Context(), store.Options{URL: s.URL(), Keyset: keyset})
		wantKind(t, err, windlass.Internal)
		wantText(t, err, "a newer version of windlass has written it (it has the migration 9999")
	})
}

// What goes wrong at the start says where, and what to do.
func TestOpenSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.db")
	must(t, os.WriteFile(garbage, []byte(strings.Repeat("this is not a database. ", 1000)), 0o600))
	cut := filepath.Join(dir, "cut.db")
	must(t, os.WriteFile(cut, cutDatabase(t), 0o600))
	listener := got(net.Listen("tcp", "127.0.0.1:0"))(t)
	refused := listener.Addr().String()
	must(t, listener.Close())
	live := storetest.New(t, store.Postgres).URL
	absent := got(url.Parse(live))(t)
	absent.Path = "/absent"

	for _, test := range []struct {
		name, url string
		kind      windlass.Kind
		want      []string
	}{
		{"no name", "", windlass.Internal, []string{"no file is named"}},
		{"a folder that is missing", filepath.Join(dir, "none", "w.db"), windlass.Internal, []string{"none does not exist", "make it"}},
		{"a folder instead of a file", dir, windlass.Internal, []string{dir, "it is a folder"}},
		{"a file instead of a folder", filepath.Join(garbage, "w.db"), windlass.Internal, []string{"garbage.db"}},
		{"a file of something else", garbage, windlass.Internal, []string{garbage, "corrupt, or not a database", "restore a backup"}},
		{"a file that was cut off", cut, windlass.Internal, []string{cut, "corrupt, or not a database"}},
		{
			"a server that does not run", "postgres://me:hunter2@" + refused + "/w?sslmode=disable", windlass.Unavailable,
			[]string{refused, "cannot be reached", "connection refused", "check that it runs"},
		},
		{"a database that does not exist", absent.String(), windlass.Unavailable, []string{"absent", "does not exist", "check that it runs"}},
		{"an address that is none", "postgres://me:hunter2@host:port/w", windlass.Invalid, []string{"not one of PostgreSQL", "postgres://user"}},
		{"an address with a wrong option", "postgres://me:hunter2@host/w?sslmode=maybe", windlass.Invalid, []string{"not one of PostgreSQL"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := store.Open(t.Context(), store.Options{URL: test.url, Keyset: got(seal.New())(t)})
			wantKind(t, err, test.kind)
			for _, part := range test.want {
				wantText(t, err, part)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v shows the password", err)
			}
		})
	}
}

func TestOpenWithoutKeyset(t *testing.T) {
	t.Parallel()
	_, err := store.Open(t.Context(), store.Options{URL: filepath.Join(t.TempDir(), "w.db")})
	wantKind(t, err, windlass.Invalid)
	wantText(t, err, "there is no keyset to seal secrets with; set WINDLASS_KEYSET")
}

// cutDatabase is the first half of a database.
func cutDatabase(t *testing.T) []byte {
	t.Helper()
	db := storetest.New(t, store.SQLite)
	s := db.Open(t, nil)
	found(t, s)
	must(t, s.Close()) // which moves everything from the log into the file
	data := got(os.ReadFile(db.URL))(t)
	return data[:len(data)/2]
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	db := storetest.New(t, store.SQLite)
	s := db.Open(t, nil)
	w := found(t, s)
	// SQLite stops at this many pages as it does when the disk has no more.
	if _, err := s.DB().ExecContext(t.Context(), "PRAGMA max_page_count = 1"); err != nil {
		t.Fatal(err)
	}
	var err error
	for err == nil {
		err = s.CreateUpload(t.Context(), windlass.Upload{ID: newID(t), MD5: strings.Repeat("x", 10_000)})
	}
	wantKind(t, err, windlass.Internal)
	wantText(t, err, "the disk of the database "+db.URL+" is full; make room on it")
	wantSame(t, got(s.Credentials(t.Context(), w.connection.ID))(t), w.credentials)
	if _, err := s.DB().ExecContext(t.Context(), "PRAGMA max_page_count = 100000"); err != nil {
		t.Fatal(err)
	}
	must(t, s.CreateUpload(t.Context(), windlass.Upload{ID: newID(t)}))
}

func TestLostConnectionIsUnavailable(t *testing.T) {
	t.Parallel()
	db := storetest.New(t, store.Postgres)
	s := db.Open(t, nil)
	other := db.Open(t, nil)
	err := s.In(t.Context(), func(ctx context.Context) error {
		const kill = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`
		if _, err := other.DB().ExecContext(ctx, kill); err != nil {
			return err
		}
		return s.CreateProject(ctx, windlass.Project{ID: newID(t), Name: "p"})
	})
	wantKind(t, err, windlass.Unavailable)
	// Each connection of the pool says so once; then there are new ones.
	for range 10 {
		err = s.Ping(t.Context())
	}
	must(t, err)
}
