package store_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"windlass"
	"windlass/internal/seal"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

// Invariant 5, as the one who steals the disk sees it.
func TestNoSecretStandsInTheDatabase(t *testing.T) {
	t.Parallel()
	secrets := []string{
		"app-secret", "access-token", "refresh-token", "api-key", "password", "shared", "whsec_new", "whsec_old",
		"header-secret", "state-secret", "wlk_public_private",
	}
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx := open(), t.Context()
		w := found(t, s)
		must(t, s.CreateState(ctx, windlass.ConnectState{Hash: "h", Data: []byte(`{"nonce":"state-secret"}`), Expires: noon}))
		must(t, s.CreateAPIKey(ctx, windlass.APIKey{
			ID: newID(t), ProjectID: w.project.ID, Key: windlass.NewSecret("wlk_public_private"),
		}))
		content := everything(t, s)
		if !strings.Contains(content, "Group One") {
			t.Fatal("this test does not see what is in the database")
		}
		for _, secret := range secrets {
			if strings.Contains(content, secret) {
				t.Errorf("the database holds %q as it is", secret)
			}
		}
	})
}

// everything is each table's content, and the file itself where it is one.
func everything(t *testing.T, s *store.Store) string {
	t.Helper()
	names := `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`
	if s.Driver() == store.SQLite {
		names = `SELECT name FROM sqlite_schema WHERE type = 'table'`
	}
	var all strings.Builder
	for _, table := range column(t, s, names) {
		query := `SELECT CAST(t AS TEXT) FROM ` + table + ` t`
		if s.Driver() == store.SQLite {
			query = `SELECT t.* FROM ` + table + ` t` //nolint:unqueryvet // whatever it holds
		}
		fmt.Fprintln(&all, table, column(t, s, query))
	}
	if s.Driver() == store.SQLite {
		files := got(filepath.Glob(s.URL() + "*"))(t)
		for _, file := range files {
			all.Write(got(os.ReadFile(file))(t))
		}
	}
	return all.String()
}

// column prints every row that a query finds.
func column(t *testing.T, s *store.Store, query string) (all []string) {
	t.Helper()
	rows := got(s.DB().QueryContext(t.Context(), query))(t)
	defer rows.Close()
	width := len(got(rows.Columns())(t))
	for rows.Next() {
		values, into := make([]any, width), make([]any, width)
		for i := range values {
			into[i] = &values[i]
		}
		must(t, rows.Scan(into...))
		line := make([]string, width)
		for i, value := range values {
			if data, ok := value.([]byte); ok {
				value = string(data)
			}
			line[i] = fmt.Sprint(value)
		}
		all = append(all, strings.Join(line, "|"))
	}
	must(t, rows.Err())
	return all
}

// A sealed value opens in its own row only.
func TestSealedValueDoesNotMove(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s, ctx := open(), t.Context()
		w := found(t, s)
		victim := w.connection
		victim.ID = newID(t)
		must(t, s.CreateConnection(ctx, victim, windlass.Credentials{AccessToken: windlass.NewSecret("victim")}))
		must(t, s.CreateDestination(ctx, windlass.Destination{ID: newID(t), ProjectID: w.project.ID, Name: "mine"}))
		for _, test := range []struct {
			name, statement string
			read            func() error
		}{
			{
				"a token from another connection",
				`UPDATE credentials SET sealed = (SELECT sealed FROM credentials WHERE connection_id = '` + victim.ID + `') WHERE connection_id = '` + w.connection.ID + `'`,
				func() error { _, err := s.Credentials(ctx, w.connection.ID); return err },
			},
			{
				"a secret in another column of its row",
				`UPDATE destinations SET metadata = secrets WHERE name = 'mine'`,
				func() error { _, err := s.Destination(ctx, w.project.ID, "mine"); return err },
			},
			{
				"a value with a bit flipped",
				`UPDATE provider_apps SET client_secret = '\x0100'`,
				func() error { _, err := s.ProviderApps(ctx, w.project.ID, windlass.Page{}); return err },
			},
		} {
			t.Run(test.name, func(t *testing.T) {
				if _, err := s.DB().ExecContext(ctx, test.statement); err != nil {
					t.Fatal(err)
				}
				wantKind(t, test.read(), windlass.Internal)
				wantText(t, test.read(), "does not open")
			})
		}
	})
}

// The keyset is checked before anything is read or sealed.
func TestOpenRefusesTheWrongKeyset(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		must(t, s.Close()) // empty of secrets, but used
		dir := t.TempDir()
		file := func(name, content string, mode os.FileMode) func() (*seal.Keyset, error) {
			return func() (*seal.Keyset, error) {
				path := filepath.Join(dir, name)
				if content != "" {
					must(t, os.WriteFile(path, []byte(content), 0o600))
					must(t, os.Chmod(path, mode))
				}
				return seal.FromFile(path)
			}
		}
		another := got(got(seal.New())(t).Text())(t).Reveal()
		for _, test := range []struct {
			name   string
			keyset func() (*seal.Keyset, error)
			want   string
		}{
			{"another one", func() (*seal.Keyset, error) { return seal.FromText("WINDLASS_KEYSET", another) }, "the keyset WINDLASS_KEYSET is not the one"},
			{"a missing one", file("absent", "", 0), "absent is missing"},
			{"one in a file, of another database", file("another", another, 0o600), "another is not the one"},
			{"a truncated one", file("cut", another[:len(another)/2], 0o600), "cut is cut off"},
			{"one that everybody may read", file("open", another, 0o644), "open may be read by others (its mode is 0644); run chmod 600"},
			{"an empty text", func() (*seal.Keyset, error) { return seal.FromText("WINDLASS_KEYSET", " \n") }, "the keyset WINDLASS_KEYSET is empty"},
			{"a text that is none", func() (*seal.Keyset, error) { return seal.FromText("WINDLASS_KEYSET", "hunter2!") }, "neither JSON nor base64"},
		} {
			t.Run(test.name, func(t *testing.T) {
				keyset, err := test.keyset()
				if err == nil {
					_, err = store.Open(t.Context(), store.Options{URL: s.URL(), Keyset: keyset})
				}
				wantText(t, err, test.want)
				for _, secret := range []string{"hunter2", "keyMaterial", another[20:60]} {
					if strings.Contains(err.Error(), secret) {
						t.Errorf("%v shows what it read", err)
					}
				}
			})
		}
		if _, err := os.Stat(filepath.Join(dir, "absent")); err == nil {
			t.Error("a new keyset was made although the database has secrets")
		}
	})
}

func TestFirstStartMakesAKeyset(t *testing.T) {
	t.Parallel()
	db := storetest.New(t, store.SQLite)
	path := filepath.Join(t.TempDir(), "keyset.json")
	opening := func() *store.Store {
		return db.Open(t, func(opts *store.Options) { opts.Keyset = got(seal.FromFile(path))(t) })
	}
	s := opening()
	w := found(t, s)
	if mode := got(os.Stat(path))(t).Mode(); mode != 0o600 {
		t.Errorf("the keyset's mode is %v", mode)
	}
	must(t, s.Close())
	wantSame(t, got(opening().Credentials(t.Context(), w.connection.ID))(t), w.credentials)
}

func TestRotate(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		path := filepath.Join(t.TempDir(), "keyset.json")
		fresh := storetest.New(t, open().Driver())
		opening := func() *store.Store {
			return fresh.Open(t, func(opts *store.Options) { opts.Keyset = got(seal.FromFile(path))(t) })
		}
		s, ctx := opening(), t.Context()
		w := found(t, s)
		for i := range 250 { // several batches
			must(t, s.CreateState(ctx, windlass.ConnectState{Hash: fmt.Sprintf("h%03d", i), Data: []byte("{}"), Expires: noon}))
		}
		before := got(os.ReadFile(path))(t)

		// Killed in the middle: the next one goes on with the same new key.
		_, err := s.DB().ExecContext(ctx, breakState(s))
		must(t, err)
		_, err = s.Rotate(ctx)
		wantText(t, err, "does not open")
		wantSame(t, len(column(t, s, `SELECT key_id FROM seals`)), 2)
		halfway := got(os.ReadFile(path))(t)
		_, err = s.DB().ExecContext(ctx, `DELETE FROM connect_states WHERE hash = 'h200'`)
		must(t, err)
		const values = 249 + 1 + 1 + 3 // states, app, credentials, destination
		wantSame(t, got(s.Rotate(ctx))(t), values-1-200)
		wantSame(t, got(os.ReadFile(path))(t), halfway)
		if bytes.Equal(before, got(os.ReadFile(path))(t)) {
			t.Error("the file has no new key")
		}
		wantSame(t, got(s.Credentials(ctx, w.connection.ID))(t), w.credentials)
		wantSame(t, len(column(t, s, `SELECT key_id FROM seals`)), 1)
		must(t, s.Close())

		// The new keyset opens the database, the old one does not.
		old := filepath.Join(t.TempDir(), "old.json")
		must(t, os.WriteFile(old, before, 0o600))
		_, err = store.Open(ctx, store.Options{URL: fresh.URL, Keyset: got(seal.FromFile(old))(t)})
		wantText(t, err, "is not the one")
		s = opening()
		wantSame(t, got(s.TakeState(ctx, "h123", noon.Add(-1)))(t), []byte("{}"))
		wantSame(t, got(s.Destination(ctx, w.project.ID, "hook"))(t), w.destination)

		// The next rotation drops the first key.
		wantSame(t, got(s.Rotate(ctx))(t), values-1)
		wantSame(t, bytes.Count(got(os.ReadFile(path))(t), []byte("keyId")), 2)
	})
}

// breakState spoils the value of one state.
func breakState(s *store.Store) string {
	if s.Driver() == store.Postgres {
		return `UPDATE connect_states SET data = substr(data, 1, 10) WHERE hash = 'h200'`
	}
	return `UPDATE connect_states SET data = CAST(substr(data, 1, 10) AS BLOB) WHERE hash = 'h200'`
}

// One process rotates, the others read on and write on.
func TestRotateUnderOthers(t *testing.T) {
	t.Parallel()
	db := storetest.New(t, store.Postgres)
	path := filepath.Join(t.TempDir(), "keyset.json")
	opening := func(opts *store.Options) { opts.Keyset = got(seal.FromFile(path))(t) }
	one, other := db.Open(t, opening), db.Open(t, opening)
	w := found(t, one)
	got(one.Rotate(t.Context()))(t)
	wantSame(t, got(other.Credentials(t.Context(), w.connection.ID))(t), w.credentials)
	must(t, other.ReplaceCredentials(t.Context(), w.connection.ID, w.credentials))
	got(one.Rotate(t.Context()))(t)
	w.credentials.Version = 2
	wantSame(t, got(one.Credentials(t.Context(), w.connection.ID))(t), w.credentials)
	wantSame(t, got(other.Credentials(t.Context(), w.connection.ID))(t), w.credentials)
}

// A keyset from the environment gets its new key from the person who keeps it.
func TestRotateWithATextKeyset(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		fresh := storetest.New(t, open().Driver())
		text := got(got(seal.New())(t).Text())(t)
		opening := func() *store.Store {
			return fresh.Open(t, func(opts *store.Options) {
				opts.Keyset = got(seal.FromText("WINDLASS_KEYSET", text.Reveal()))(t)
			})
		}
		s := opening()
		w := found(t, s)
		_, err := s.Rotate(t.Context())
		wantKind(t, err, windlass.Invalid)
		wantText(t, err, "WINDLASS_KEYSET, which cannot be changed from here; set it to")
		text = got(s.NextKeyset())(t)
		must(t, s.Close())
		s = opening()
		wantSame(t, got(s.Rotate(t.Context()))(t), 5)
		wantSame(t, got(s.Credentials(t.Context(), w.connection.ID))(t), w.credentials)
		_, err = s.Rotate(t.Context())
		wantKind(t, err, windlass.Invalid)
	})
}

// The key that processes share outlives them, and a rotation of the keyset.
func TestASharedKeyIsOne(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		fresh := storetest.New(t, open().Driver())
		path := filepath.Join(t.TempDir(), "keyset.json")
		opening := func() *store.Store {
			return fresh.Open(t, func(opts *store.Options) { opts.Keyset = got(seal.FromFile(path))(t) })
		}
		s, ctx := opening(), t.Context()
		keys := make([]windlass.Secret, 8)
		var group sync.WaitGroup
		for i := range keys {
			group.Go(func() {
				var err error
				if keys[i], err = s.SharedKey(ctx, "one"); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		for _, key := range keys {
			wantSame(t, key.Reveal(), keys[0].Reveal())
		}
		if len(keys[0].Reveal()) < 32 || got(s.SharedKey(ctx, "another"))(t) == keys[0] {
			t.Error("the key is short, or the same for two names")
		}
		if strings.Contains(everything(t, s), keys[0].Reveal()) {
			t.Error("the database holds the key as it is")
		}
		wantSame(t, got(s.Rotate(ctx))(t), 2)
		must(t, s.Close())
		wantSame(t, got(opening().SharedKey(ctx, "one"))(t).Reveal(), keys[0].Reveal())
	})
}
