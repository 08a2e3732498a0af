package server_test

import (
	"net/http"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"windlass/bitbucket"
	"windlass/bitbucket/sandbox"
	"windlass/connector"
)

// sized is a number that the environment may say otherwise.
func sized(tb testing.TB, name string, usual int) int {
	tb.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// From the installation until the last record is at the receiver, beside a loop that
// reads the same pages and throws them away. WINDLASS_BENCH_REPOSITORIES says how
// many there are.
func BenchmarkBackfill(b *testing.B) {
	repositories := sized(b, "WINDLASS_BENCH_REPOSITORIES", 20_000)
	report := func(b *testing.B) {
		b.Helper()
		seconds := b.Elapsed().Seconds() / float64(b.N)
		b.ReportMetric(float64(repositories)/seconds, "records/s")
		b.ReportMetric(float64(repositories)/100/seconds, "pages/s")
	}
	b.Run("bare", func(b *testing.B) {
		bitbucketServer := sandbox.New(&sandbox.Options{Repositories: repositories, Limit: -1})
		known := bitbucketServer.Credentials()
		credential, err := bitbucket.AccessToken(known.AccessToken)
		if err != nil {
			b.Fatal(err)
		}
		transport, err := bitbucket.NewTransport(credential, "", bitbucketServer.Transport())
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			c, err := bitbucket.New(&http.Client{Transport: transport}, &bitbucket.Options{Workspace: known.Workspace})
			if err != nil {
				b.Fatal(err)
			}
			for _, err := range connector.All(b.Context(), c, connector.ReadRequest{Object: "repositories"}) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
		report(b)
	})
	for _, driver := range []string{"sqlite", "postgres"} {
		b.Run(driver, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				bitbucketServer := sandbox.New(&sandbox.Options{Repositories: repositories, Limit: -1})
				to := newReceiver(b)
				r := connectedTo(b, delivering(configOf(b, driver), bitbucketServer), bitbucketServer, to)
				runtime.GC()
				before := heap()
				b.StartTimer()
				r.must(http.MethodPost, inProject+"/integrations/bitbucket/installations?skipSampling=true", installation, nil)
				most := before
				for n, _, _ := to.seen(); n < repositories; n, _, _ = to.seen() {
					most = max(most, heap())
					time.Sleep(5 * time.Millisecond)
				}
				b.StopTimer()
				to.check(b)
				b.ReportMetric(float64(most-before)/(1<<20), "MiB-more")
				if err := r.end(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			report(b)
		})
	}
}

// heap is how much is in use.
func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse
}
