package proxy_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"windlass/bitbucket/sandbox"
	"windlass/internal/proxy"
)

// beside starts a bare httputil.ReverseProxy before the world's provider, which adds
// the credential and nothing else.
func beside(w *world) *httptest.Server {
	to, err := url.Parse(w.provider.URL)
	if err != nil {
		w.Fatal(err)
	}
	transport, _ := proxy.Unaltered(&http.Transport{}).(*http.Transport)
	bare := httptest.NewServer(&httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Header.Set("Authorization", "Bearer "+w.keeper.token)
		},
	})
	w.Cleanup(func() { bare.Close(); transport.CloseIdleConnections() })
	return bare
}

const benchPath = "/2.0/repositories/acme?pagelen=10"

// A lap is so many requests, from so many clients at once.
const requests, clients = 600, 16

// lap sends them, at most rate a second (0: as fast as it
// goes), and returns how many it were a second, and the latencies.
func lap(b *testing.B, client *http.Client, base string, rate float64) (float64, []time.Duration) {
	b.Helper()
	latencies := make([]time.Duration, requests)
	var next atomic.Int64
	var all sync.WaitGroup
	begun := time.Now()
	for range clients {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < requests; i = int(next.Add(1)) - 1 {
				if rate > 0 {
					due := begun.Add(time.Duration(float64(i) / rate * float64(time.Second)))
					time.Sleep(time.Until(due))
				}
				asked := time.Now()
				req, _ := http.NewRequestWithContext(b.Context(), http.MethodGet, base+benchPath, nil)
				req.Header.Set("X-Amp-Installation-Id", installationID)
				resp, err := client.Do(req)
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				_ = resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					b.Errorf("status %d", resp.StatusCode)
				}
				latencies[i] = time.Since(asked)
			}
		})
	}
	all.Wait()
	slices.Sort(latencies)
	return float64(requests) / time.Since(begun).Seconds(), latencies
}

// BenchmarkBesideABareReverseProxy runs both in turn, so that whatever else the
// machine does hits both: throughput at saturation as a ratio, and what is added to
// the latency at a third of it.
func BenchmarkBesideABareReverseProxy(b *testing.B) {
	w, _ := inSandbox(b, &sandbox.Options{Limit: -1}, func(c *proxy.Config) { c.Logger = nil; c.Observe = nil })
	bare := beside(w)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}
	defer client.CloseIdleConnections()
	const pairs = 8
	lap(b, client, bare.URL, 0)
	lap(b, client, w.front.URL, 0)
	var ratios, most []float64
	var before, after []time.Duration
	for b.Loop() {
		for range pairs {
			theirs, _ := lap(b, client, bare.URL, 0)
			ours, _ := lap(b, client, w.front.URL, 0)
			ratios, most = append(ratios, ours/theirs), append(most, ours)
			_, one := lap(b, client, bare.URL, theirs/3)
			_, other := lap(b, client, w.front.URL, theirs/3)
			before, after = append(before, one...), append(after, other...)
		}
	}
	slices.Sort(ratios)
	slices.Sort(most)
	slices.Sort(before)
	slices.Sort(after)
	added := func(p float64) float64 {
		i := int(p * float64(len(before)-1))
		return (after[i] - before[i]).Seconds() * 1000
	}
	b.ReportMetric(ratios[len(ratios)/2], "of-bare-throughput")
	b.ReportMetric(most[len(most)/2], "requests/s")
	b.ReportMetric(added(.5), "ms-added-p50")
	b.ReportMetric(added(.99), "ms-added-p99")
	b.ReportMetric(after[len(after)*99/100].Seconds()*1000, "ms-p99")
}

// BenchmarkOpenStreams holds a thousand answers open and tells what each costs, the
// caller's and the provider's side in the same process included, beside a bare one.
func BenchmarkOpenStreams(b *testing.B) {
	const streams = 1000
	w := newWorld(b, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(rw, "begun")
		_ = http.NewResponseController(rw).Flush()
		<-r.Context().Done()
	}), func(c *proxy.Config) { c.Limits.PerConnection = streams })
	bare := beside(w)
	for b.Loop() {
		theirs := hold(b, w, bare.URL, streams)
		ours := hold(b, w, w.front.URL, streams)
		b.ReportMetric(ours/streams/1024, "KiB/stream")
		b.ReportMetric(ours/theirs, "of-bare-memory")
	}
}

func hold(b *testing.B, w *world, base string, streams int) float64 {
	b.Helper()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	before := inUse()
	bodies := make([]io.Closer, streams)
	var all sync.WaitGroup
	for part := range 20 {
		all.Go(func() {
			for i := part; i < streams; i += 20 {
				req, _ := http.NewRequestWithContext(ctx, http.MethodGet, base+"/2.0/x", nil)
				req.Header.Set("X-Amp-Installation-Id", installationID)
				resp, err := transport.RoundTrip(req)
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.ReadFull(resp.Body, make([]byte, len("begun")))
				bodies[i] = resp.Body
			}
		})
	}
	all.Wait()
	used := inUse() - before
	cancel()
	for _, body := range bodies {
		if body != nil {
			_ = body.Close()
		}
	}
	w.isEmpty()
	return float64(used)
}

// inUse is the memory that is in use, stacks included.
func inUse() int64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapInuse + stats.StackInuse)
}

// BenchmarkAGigabyte streams a body up beside a bare proxy.
func BenchmarkAGigabyte(b *testing.B) {
	const size = 1 << 30
	w := newWorld(b, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(rw, n)
	}), nil)
	bare := beside(w)
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	send := func(base string) float64 {
		begun := time.Now()
		req, _ := http.NewRequestWithContext(b.Context(), http.MethodPut, base+"/2.0/x", &zeroes{size})
		req.Header.Set("X-Amp-Installation-Id", installationID)
		resp, err := client.Do(req)
		if err != nil {
			b.Fatal(err)
		}
		defer resp.Body.Close()
		if text, _ := io.ReadAll(resp.Body); string(text) != fmt.Sprint(size) {
			b.Fatalf("%s bytes arrived", text)
		}
		return size / time.Since(begun).Seconds()
	}
	for b.Loop() {
		theirs, ours := send(bare.URL), send(w.front.URL)
		b.ReportMetric(ours/(1<<20), "MiB/s")
		b.ReportMetric(ours/theirs, "of-bare-throughput")
	}
}
