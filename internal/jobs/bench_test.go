package jobs_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"windlass/internal/jobs"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

// BenchmarkLatency is from the commit of a job until it begins, on an idle
// engine.
func BenchmarkLatency(b *testing.B) {
	onBoth(b, func(b *testing.B, s *store.Store) {
		began := make(chan time.Time, 1)
		e := started(b, s, jobs.Options{Kinds: []jobs.Kind{does("now", func(context.Context, string) error {
			began <- time.Now()
			return nil
		})}})
		var took []time.Duration
		for b.Loop() {
			for range 50 {
				must(b, e.Enqueue(b.Context(), jobs.Job{Kind: "now", Payload: ""}))
				committed := time.Now()
				took = append(took, next(b, began).Sub(committed))
			}
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	})
}

// BenchmarkDrain enqueues 5,000 jobs that do nothing and runs them.
func BenchmarkDrain(b *testing.B) {
	const all = 5000
	onBoth(b, func(b *testing.B, s *store.Store) {
		done := make(chan struct{}, all)
		e := started(b, s, jobs.Options{
			Kinds:   []jobs.Kind{does("nothing", func(context.Context, string) error { done <- struct{}{}; return nil })},
			Workers: map[string]int{jobs.DefaultQueue: 100},
		})
		batch := make([]jobs.Job, all)
		for i := range batch {
			batch[i] = jobs.Job{Kind: "nothing", Payload: ""}
		}
		began := time.Now()
		for b.Loop() {
			must(b, e.EnqueueAll(b.Context(), batch))
			for range all {
				next(b, done)
			}
		}
		b.ReportMetric(float64(all*b.N)/time.Since(began).Seconds(), "jobs/s")
	})
}

func onBoth(b *testing.B, bench func(b *testing.B, s *store.Store)) {
	b.Helper()
	for _, driver := range []string{store.SQLite, store.Postgres} {
		b.Run(driver, func(b *testing.B) { bench(b, open(b, storetest.New(b, driver))) })
	}
}

// BenchmarkOpen opens a database that is up to date: what a start waits for.
func BenchmarkOpen(b *testing.B) {
	for _, driver := range []string{store.SQLite, store.Postgres} {
		b.Run(driver, func(b *testing.B) {
			db := storetest.New(b, driver)
			must(b, open(b, db).Close())
			for b.Loop() {
				must(b, open(b, db).Close())
			}
		})
	}
}
