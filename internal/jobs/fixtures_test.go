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
	storetest.EachWith(t, withJobs, func(t *testing.T, open func() *store.Store) {
		t.Helper()
		test(t, open())
	})
}

func withJobs(opts *store.Options) { opts.Migrations = append(opts.Migrations, jobs.Migrate) }

func open(tb testing.TB, db storetest.Database) *store.Store {
	tb.Helper()
	return db.Open(tb, withJobs)
}

// engine makes an engine that is stopped when the test ends.
func engine(tb testing.TB, s *store.Store, opts jobs.Options) *jobs.Engine {
	tb.Helper()
	e, err := jobs.New(tb.Context(), s, opts)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { stop(tb, e) })
	return e
}

// started is engine with one worker or more that have begun.
func started(tb testing.TB, s *store.Store, opts jobs.Options) *jobs.Engine {
	tb.Helper()
	if opts.Workers == nil {
		opts.Workers = map[string]int{jobs.DefaultQueue: 4}
	}
	e := engine(tb, s, opts)
	must(tb, e.Start(tb.Context()))
	return e
}

func stop(tb testing.TB, e *jobs.Engine) {
	tb.Helper()
	// The test's own context has ended by now.
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := e.Stop(ctx); err != nil {
		tb.Error(err)
	}
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// patience is how long a test waits for what never comes.
const patience = time.Minute

// next receives what must come.
func next[T any](tb testing.TB, from <-chan T) T {
	tb.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(patience):
		tb.Fatal("it never came")
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

// eventually polls until a condition holds that no event announces.
func eventually(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	deadline := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(deadline) {
			tb.Fatal("never: " + what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func count(tb testing.TB, e *jobs.Engine, state string) int64 {
	tb.Helper()
	stats, err := e.Stats(tb.Context())
	must(tb, err)
	return stats[state]
}
