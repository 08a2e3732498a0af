package server_test

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"windlass"
	"windlass/bitbucket/sandbox"
	"windlass/internal/seal"
	"windlass/internal/server"
	"windlass/internal/store"
)

// What it costs to find out every ten minutes, for each of many installations, that
// nothing has changed: the processor time of one round of all of them, as a share of
// one core over ten minutes, with the sandbox in it. WINDLASS_BENCH_INSTALLATIONS
// says how many there are.
func BenchmarkIdle(b *testing.B) {
	installations := sized(b, "WINDLASS_BENCH_INSTALLATIONS", 10_000)
	for _, driver := range []string{"sqlite", "postgres"} {
		b.Run(driver, func(b *testing.B) {
			bitbucketServer := sandbox.New(&sandbox.Options{Repositories: 3, Limit: -1})
			config := delivering(configOf(b, driver), bitbucketServer)
			config.Keyset, _ = newKeyset(b)
			first := connectedTo(b, config, bitbucketServer, newReceiver(b))
			first.must(http.MethodPost, inProject+"/integrations/bitbucket/installations?skipSampling=true", installation, nil)
			for first.metric("windlass_read_pages_total") == 0 {
				time.Sleep(10 * time.Millisecond)
			}
			key := first.key
			if err := first.end(); err != nil {
				b.Fatal(err)
			}
			multiply(b, config, bitbucketServer.Credentials().AccessToken, installations)
			for b.Loop() {
				before, requests := processorTime(), bitbucketServer.Requests()
				r := start(b, config)
				r.key = key
				for bitbucketServer.Requests()-requests < installations {
					time.Sleep(20 * time.Millisecond)
				}
				used := processorTime() - before
				b.ReportMetric(100*used.Seconds()/(10*time.Minute).Seconds(), "%core")
				b.ReportMetric(float64(residentMiB()), "MiB-resident")
			}
		})
	}
}

func newKeyset(b *testing.B) (windlass.Secret, *seal.Keyset) {
	b.Helper()
	keyset, err := seal.New()
	if err != nil {
		b.Fatal(err)
	}
	text, err := keyset.Text()
	if err != nil {
		b.Fatal(err)
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

// multiply copies the one installation there is, for customers with tokens of their
// own, all of them due.
func multiply(b *testing.B, config server.Config, token string, n int) {
	b.Helper()
	keyset, err := seal.FromText("the keyset", config.Keyset.Reveal())
	if err != nil {
		b.Fatal(err)
	}
	url := config.Database.Reveal()
	if url == "" {
		url = filepath.Join(config.DataDir, "windlass.db")
	}
	s, err := store.Open(b.Context(), store.Options{URL: url, Keyset: keyset})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	ctx := b.Context()
	all, err := s.Installations(ctx, windlass.InstallationFilter{})
	if err != nil || len(all) != 1 {
		b.Fatal(err, len(all))
	}
	mark, err := s.ReadMark(ctx, all[0].ID, "repositories")
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
}

func another(ctx context.Context, s *store.Store, in windlass.Installation, mark windlass.ReadMark, token string, i int) error {
	in.ID = fmt.Sprintf("00000000-0000-7000-8000-%012d", i)
	in.Config.ID = fmt.Sprintf("00000000-0000-7000-9000-%012d", i)
	in.Group.Ref, in.Group.Name = fmt.Sprintf("copy-%d", i), ""
	c := in.Connection
	c.ID, c.Group, c.ProviderAppID, c.Scheme = fmt.Sprintf("00000000-0000-7000-a000-%012d", i), in.Group, "", windlass.AuthAPIKey
	in.Connection = c
	if err := s.CreateConnection(ctx, c, windlass.Credentials{APIKey: windlass.NewSecret(token)}); err != nil {
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
