package server_test

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"windlass"
	"windlass/bitbucket/sandbox"
	"windlass/internal/seal"
	"windlass/internal/server"
	"windlass/internal/store"
)

// What it costs to find out, for each of many installations, that nothing has
// changed: the processor time of a check, with the sandbox and the start of the server
// in it, the share of one core that a round of all of them takes of an hour, and the
// rows that a round leaves. WINDLASS_BENCH_INSTALLATIONS=100000 adds a size.
func BenchmarkIdle(b *testing.B) {
	sizes := []int{1000, 10_000}
	if more := sized(b, "WINDLASS_BENCH_INSTALLATIONS", 0); more > 0 {
		sizes = append(sizes, more)
	}
	for _, driver := range []string{"sqlite", "postgres"} {
		for _, installations := range sizes {
			b.Run(fmt.Sprint(driver, "/", installations), func(b *testing.B) { benchmarkIdle(b, driver, installations) })
		}
	}
}

func benchmarkIdle(b *testing.B, driver string, installations int) {
	b.Helper()
	bitbucketServer := sandbox.New(&sandbox.Options{Repositories: 3, Limit: -1})
	config := delivering(configOf(b, driver), bitbucketServer)
	token := bitbucketServer.Credentials().AccessToken
	config.Base = &ownTokens{bitbucketServer.Transport(), token}
	config.Keyset, _ = newKeyset(b)
	first := connectedTo(b, config, bitbucketServer, newReceiver(b))
	var made struct{ ID string }
	const path = inProject + "/integrations/bitbucket/installations"
	first.must(http.MethodPost, path+"?skipSampling=true", installation, &made)
	first.logOf(path+"/"+made.ID, "passed them on")
	key := first.key
	if err := first.end(); err != nil {
		b.Fatal(err)
	}
	multiply(b, config, token, installations)
	for b.Loop() {
		b.StopTimer()
		makeDue(b, config)
		rows, requests := countRows(b, config), bitbucketServer.Requests()
		b.StartTimer()
		before := processorTime()
		r := start(b, config)
		r.key = key
		for bitbucketServer.Requests()-requests < installations {
			if b.Context().Err() != nil {
				b.Fatal("the benchmark was ended")
			}
			time.Sleep(20 * time.Millisecond)
		}
		if err := r.end(); err != nil { // what was checked is noted before it ends
			b.Fatal(err)
		}
		used := processorTime() - before
		b.StopTimer()
		b.ReportMetric(used.Seconds()*1000/float64(installations), "ms/check")
		b.ReportMetric(100*used.Seconds()/time.Hour.Seconds(), "%core-hourly")
		b.ReportMetric(float64(countRows(b, config)-rows), "rows-left")
		b.ReportMetric(float64(residentMiB()), "MiB-resident")
		b.StartTimer()
	}
}

// withStore opens the store of a server that does not run.
func withStore(tb testing.TB, config server.Config, do func(s *store.Store)) {
	tb.Helper()
	keyset, err := seal.FromText("the keyset", config.Keyset.Reveal())
	if err != nil {
		tb.Fatal(err)
	}
	url := config.Database.Reveal()
	if url == "" {
		url = filepath.Join(config.DataDir, "windlass.db")
	}
	s, err := store.Open(tb.Context(), store.Options{URL: url, Keyset: keyset})
	if err != nil {
		tb.Fatal(err)
	}
	defer s.Close()
	do(s)
}

func makeDue(tb testing.TB, config server.Config) {
	tb.Helper()
	withStore(tb, config, func(s *store.Store) {
		if _, err := s.DB().ExecContext(tb.Context(), `UPDATE schedules SET next = 1 WHERE kind = 'read'`); err != nil {
			tb.Fatal(err)
		}
	})
}

// countRows counts what a check could leave behind.
func countRows(tb testing.TB, config server.Config) (n int) {
	tb.Helper()
	withStore(tb, config, func(s *store.Store) {
		err := s.DB().QueryRowContext(tb.Context(), `SELECT (SELECT COUNT(*) FROM operations) + (SELECT COUNT(*) FROM operation_logs)
			+ (SELECT COUNT(*) FROM read_marks) + (SELECT COUNT(*) FROM seen_records) + (SELECT COUNT(*) FROM river_job)`).Scan(&n)
		if err != nil {
			tb.Fatal(err)
		}
	})
	return n
}

func newKeyset(tb testing.TB) (windlass.Secret, *seal.Keyset) {
	tb.Helper()
	keyset, err := seal.New()
	if err != nil {
		tb.Fatal(err)
	}
	text, err := keyset.Text()
	if err != nil {
		tb.Fatal(err)
	}
	return text, keyset
}

func processorTime() time.Duration {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// residentMiB is the most that this process has had.
func residentMiB() int64 {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return used.Maxrss >> 10
}

// ownTokens lets every installation have a token, and thereby a budget, of its own,
// all of which the sandbox takes for the one that it knows.
type ownTokens struct {
	base  http.RoundTripper
	token string
}

// RoundTrip sends a request with the token that the sandbox knows.
func (t *ownTokens) RoundTrip(req *http.Request) (*http.Response, error) {
	if strings.HasPrefix(req.Header.Get("Authorization"), "Bearer "+t.token+"-") {
		req = req.Clone(req.Context())
		req.Header.Set("Authorization", "Bearer "+t.token)
	}
	return t.base.RoundTrip(req)
}

// multiply copies the one installation there is, for customers with tokens of their
// own, all of them due.
func multiply(b *testing.B, config server.Config, token string, n int) {
	b.Helper()
	withStore(b, config, func(s *store.Store) {
		ctx := b.Context()
		all, err := s.Installations(ctx, windlass.InstallationFilter{})
		if err != nil || len(all) != 1 {
			b.Fatal(err, len(all))
		}
		mark, err := s.ReadState(ctx, all[0].ID, "repositories")
		if err != nil {
			b.Fatal(err)
		}
		const atOnce = 200
		for from := 0; from < n; from += atOnce {
			if err := s.In(ctx, func(ctx context.Context) error {
				for i := from; i < min(n, from+atOnce); i++ {
					if err := another(ctx, s, all[0], mark, token, i); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func another(ctx context.Context, s *store.Store, in windlass.Installation, mark windlass.ReadState, token string, i int) error {
	in.ID = fmt.Sprintf("00000000-0000-7000-8000-%012d", i)
	in.Config.ID = fmt.Sprintf("00000000-0000-7000-9000-%012d", i)
	in.Group.Ref, in.Group.Name = fmt.Sprintf("copy-%d", i), ""
	c := in.Connection
	c.ID, c.Group, c.ProviderAppID, c.Scheme = fmt.Sprintf("00000000-0000-7000-a000-%012d", i), in.Group, "", windlass.AuthAPIKey
	in.Connection = c
	if err := s.CreateConnection(ctx, c, windlass.Credentials{APIKey: windlass.NewSecret(fmt.Sprint(token, "-", i))}); err != nil {
		return err
	}
	err := s.CreateInstallation(ctx, in, []windlass.Schedule{{
		ID: in.ID, Kind: windlass.ScheduleRead, ProjectID: in.ProjectID, InstallationID: in.ID, Object: "repositories",
		Cron: "*/10 * * * *", Next: time.Now(),
	}})
	if err != nil {
		return err
	}
	return s.MoveMark(ctx, in.ID, "repositories", mark.Workspace, time.Now(), time.Now())
}
