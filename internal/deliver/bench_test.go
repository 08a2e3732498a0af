package deliver_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"windlass"
	"windlass/internal/guard"
	"windlass/internal/sink/sinktest"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

const (
	benchBatches = 10_000
	benchLanes   = 40
	benchSide    = 16 // requests at once
)

// message is 2 kB of what a message holds.
func message(n int) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"action":"read","objectName":"repositories","readType":"backfill","result":[`)
	for i := 0; b.Len() < 1900; i++ {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"fields":{"name":"repo-%d-%d","uuid":"{%08x-41d4-a716}"},"raw":{"full_name":"acme/repo-%d","size":%d,"has_issues":true,"created_on":"2026-11-%02dT10:%02d:%02dZ"}}`,
			n, i, uint32(n*31+i)*2654435761, i, i*7919, i%28+1, i%60, n%60)
	}
	b.WriteString("]}")
	return b.Bytes()
}

// Deliveries of 2 kB to a fast receiver on this machine, every attempt recorded,
// beside a loop of requests with the same client and nothing else.
func BenchmarkDeliver(b *testing.B) {
	var arrived atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		arrived.Add(1)
	}))
	b.Cleanup(server.Close)
	transport := guard.Transport(&guard.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	b.Cleanup(transport.CloseIdleConnections)
	if !json.Valid(message(7)) {
		b.Fatal("the message is no JSON")
	}

	storetest.EachB(b, func(b *testing.B, open func() *store.Store) {
		w := newWorld(b, open(), nil, time.Now)
		d := w.destination("hook", func(d *windlass.Destination) { sinktest.At(d, server.URL, nil) })
		s := w.service(func(c *config) {
			c.Transport, c.AllowHTTP, c.Concurrency = transport, true, benchSide
		})
		var bare, delivering, adding time.Duration
		for b.Loop() {
			bare += bareLoop(b, transport, server.URL)
			begun := time.Now()
			for lane := range benchLanes {
				bodies := make([]string, benchBatches/benchLanes)
				for i := range bodies {
					bodies[i] = string(message(lane*1000 + i))
				}
				w.add(d, fmt.Sprint("lane-", lane), bodies...)
			}
			adding += time.Since(begun)
			before := arrived.Load()
			begun = time.Now()
			w.drain(s, d)
			delivering += time.Since(begun)
			if n := arrived.Load() - before; n != benchBatches {
				b.Fatalf("%d arrived", n)
			}
		}
		total := float64(benchBatches * b.N)
		b.ReportMetric(total/delivering.Seconds(), "deliveries/s")
		b.ReportMetric(total/bare.Seconds(), "bare-requests/s")
		b.ReportMetric(bare.Seconds()/delivering.Seconds(), "of-bare")
		b.ReportMetric(total/adding.Seconds(), "added/s")
		b.ReportMetric(0, "ns/op")
	})
}

func bareLoop(b *testing.B, transport http.RoundTripper, url string) time.Duration {
	b.Helper()
	client := &http.Client{Transport: transport}
	bodies := make(chan []byte, benchSide)
	var group sync.WaitGroup
	begun := time.Now()
	for range benchSide {
		group.Go(func() {
			for body := range bodies {
				req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, bytes.NewReader(body))
				if err != nil {
					b.Error(err)
					continue
				}
				req.Header.Set("Content-Type", "application/json")
				resp, err := client.Do(req)
				if err != nil {
					b.Error(err)
					continue
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		})
	}
	for n := range benchBatches {
		bodies <- message(n)
	}
	close(bodies)
	group.Wait()
	return time.Since(begun)
}
