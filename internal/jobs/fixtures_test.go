package jobs_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"windlass/internal/jobs"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

// each runs a test on both databases.
func each(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Helper()
	for _, driver := range []string{store.SQLite, store.Postgres} {
		t.Run(driver, func(t *testing.T) { test(t, open(t, storetest.New(t, driver))) })
	}
}

func open(t testing.TB, db storetest.Database) *store.Store {
	t.Helper()
	return db.Open(t, func(opts *store.Options) { opts.Migrations = append(opts.Migrations, jobs.Migrate) })
}

// engine makes an engine that is stopped when the test ends.
func engine(t testing.TB, s *store.Store, opts jobs.Options) *jobs.Engine {
	t.Helper()
	e, err := jobs.New(t.Context(), s, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, e) })
	return e
}

// started is engine with one worker or more that have begun.
func started(t testing.TB, s *store.Store, opts jobs.Options) *jobs.Engine {
	t.Helper()
	if opts.Workers == nil {
		opts.Workers = map[string]int{jobs.DefaultQueue: 4}
	}
	e := engine(t, s, opts)
	must(t, e.Start(t.Context()))
	return e
}

func stop(t testing.TB, e *jobs.Engine) {
	t.Helper()
	// The test's own context has ended by now.
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := e.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// patience is how long a test waits for what never comes.
const patience = time.Minute

// next receives what must come.
func next[T any](t testing.TB, from <-chan T) T {
	t.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(patience):
		t.Fatal("it never came")
		panic("unreachable")
	}
}

// does is a kind of job that hands its payload, a string, to a function.
func does(name string, work func(ctx context.Context, payload string) error) jobs.Kind {
	return jobs.Kind{
		Name: name,
		Work: func(ctx context.Context, payload json.RawMessage) error {
			var text string
			if err := json.Unmarshal(payload, &text); err != nil {
				return err
			}
			return work(ctx, text)
		},
		Retry: func(int) time.Duration { return 0 },
	}
}

// eventually waits until a condition holds that nobody tells of.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func count(t testing.TB, e *jobs.Engine, state string) int64 {
	t.Helper()
	stats, err := e.Stats(t.Context())
	must(t, err)
	return stats[state]
}
