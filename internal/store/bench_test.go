package store_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"windlass"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

// BenchmarkConnection looks up one connection of 10,000, as every use of one does.
func BenchmarkConnection(b *testing.B) {
	storetest.EachB(b, func(b *testing.B, open func() *store.Store) {
		s := open()
		w, connections := crowd(b, s)
		report(b, 100, func(i int) {
			got(s.Connection(b.Context(), w.project.ID, connections[i*7919%len(connections)]))(b)
		})
	})
}

// BenchmarkCredentials opens the credentials of one connection of 10,000.
func BenchmarkCredentials(b *testing.B) {
	storetest.EachB(b, func(b *testing.B, open func() *store.Store) {
		s := open()
		_, connections := crowd(b, s)
		report(b, 100, func(i int) {
			got(s.Credentials(b.Context(), connections[i*7919%len(connections)]))(b)
		})
	})
}

// BenchmarkInstallations lists 10,000 installations: all at once, and a page of
// 100 somewhere in the middle.
func BenchmarkInstallations(b *testing.B) {
	storetest.EachB(b, func(b *testing.B, open func() *store.Store) {
		s := open()
		w, _ := crowd(b, s)
		all := got(s.Installations(b.Context(), windlass.InstallationFilter{ProjectID: w.project.ID}))(b)
		b.Run("all", func(b *testing.B) {
			report(b, 1, func(int) {
				list := got(s.Installations(b.Context(), windlass.InstallationFilter{ProjectID: w.project.ID}))(b)
				wantSame(b, len(list), customers)
			})
		})
		b.Run("page", func(b *testing.B) {
			report(b, 100, func(i int) {
				list := got(s.Installations(b.Context(), windlass.InstallationFilter{
					ProjectID: w.project.ID, After: all[i*7919%9000].ID, Limit: 100,
				}))(b)
				wantSame(b, len(list), 100)
			})
		})
	})
}

// BenchmarkSaveRefreshed is the write that every refresh waits for.
func BenchmarkSaveRefreshed(b *testing.B) {
	storetest.EachB(b, func(b *testing.B, open func() *store.Store) {
		s := open()
		w := found(b, s)
		report(b, 20, func(i int) {
			owner := fmt.Sprint(i)
			got(s.LeaseRefresh(b.Context(), w.connection.ID, owner, noon, noon.Add(time.Minute)))(b)
			must(b, s.SaveRefreshed(b.Context(), w.connection.ID, owner, w.credentials))
		})
	})
}

const customers = 10_000

// crowd puts 10,000 customers into a store, each with a connection and an
// installation.
func crowd(b *testing.B, s *store.Store) (w world, connections []string) {
	b.Helper()
	w = found(b, s)
	must(b, s.DeleteInstallation(b.Context(), w.project.ID, w.installation.ID))
	for start := 0; start < customers; start += 1000 {
		must(b, s.In(b.Context(), func(ctx context.Context) error {
			for i := start; i < start+1000; i++ {
				c, in := w.connection, w.installation
				c.ID, in.ID = newID(b), newID(b)
				c.Group.Ref = fmt.Sprintf("customer-%05d", i)
				in.Group, in.Connection = c.Group, c
				if err := s.CreateConnection(ctx, c, w.credentials); err != nil {
					return err
				}
				if err := s.CreateInstallation(ctx, in, nil); err != nil {
					return err
				}
				connections = append(connections, c.ID)
			}
			return nil
		}))
	}
	return w, connections
}

// report measures each call and reports what half of them and what all but one
// in a hundred stay under.
func report(b *testing.B, times int, call func(i int)) {
	b.Helper()
	var took []time.Duration
	for n := 0; b.Loop(); n++ {
		for i := range times {
			began := time.Now()
			call(n*times + i)
			took = append(took, time.Since(began))
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}
