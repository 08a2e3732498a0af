package server_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"windlass"
	"windlass/bitbucket/sandbox"
	"windlass/internal/seal"
	"windlass/internal/server"
	"windlass/internal/store"
)

// From the start of a server with a backlog until the last message is at the receiver
// and recorded: the same messages in one lane, in a hundred and in ten thousand.
// WINDLASS_BENCH_MESSAGES says how many there are.
func BenchmarkDeliveries(b *testing.B) {
	messages := sized(b, "WINDLASS_BENCH_MESSAGES", 10_000)
	for _, driver := range []string{"sqlite", "postgres"} {
		for _, lanes := range []int{1, 100, 10_000} {
			b.Run(fmt.Sprintf("%s/lanes=%d", driver, lanes), func(b *testing.B) {
				var arrived atomic.Int64
				to := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
					_, _ = io.Copy(io.Discard, req.Body)
					arrived.Add(1)
				}))
				defer to.Close()
				delivering := time.Duration(0)
				for b.Loop() {
					arrived.Store(0)
					config := backlog(b, driver, to.URL, messages, lanes)
					r := start(b, config)
					begun := time.Now()
					for patience := begun.Add(10 * time.Minute); arrived.Load() < int64(messages); time.Sleep(time.Millisecond) {
						if time.Now().After(patience) {
							b.Fatalf("%d of %d arrived", arrived.Load(), messages)
						}
					}
					delivering += time.Since(begun)
					if err := r.end(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(messages*b.N)/delivering.Seconds(), "messages/s")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// backlog is the config of a server that has messages to deliver.
func backlog(b *testing.B, driver, url string, messages, lanes int) server.Config {
	b.Helper()
	config := delivering(configOf(b, driver), sandbox.New(nil))
	config.Logger = slog.New(slog.DiscardHandler)
	r := start(b, config)
	var made struct {
		ID        string `json:"id"`
		ProjectID string `json:"projectId"`
	}
	r.must(http.MethodPost, inProject+"/destinations", map[string]any{"name": "hook", "type": "webhook", "metadata": map[string]string{"url": url}}, &made)
	if err := r.end(); err != nil {
		b.Fatal(err)
	}
	keyset, err := seal.FromFile(config.KeysetPath())
	if err != nil {
		b.Fatal(err)
	}
	s, err := store.Open(b.Context(), store.Options{URL: config.DatabaseURL(), Keyset: keyset})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	now := time.Now()
	body := append(append([]byte(`{"action":"read","result":["`), bytes.Repeat([]byte("0123456789abcdef repository "), 3700/28)...), `"]}`...)
	for begin := 0; begin < messages; begin += 500 {
		var batches []windlass.Batch
		for i := begin; i < min(begin+500, messages); i++ {
			id, err := uuid.NewV7()
			if err != nil {
				b.Fatal(err)
			}
			batches = append(batches, windlass.Batch{
				ID: id.String(), ProjectID: made.ProjectID, DestinationID: made.ID, InstallationID: fmt.Sprint("in-", i%lanes), Object: "repositories",
				Kind: windlass.BatchRead, Lane: fmt.Sprint("lane-", i%lanes), Records: 1, RecordKeys: []uint32{uint32(i)}, Body: body, Created: now, Updated: now,
			})
		}
		if err := s.In(b.Context(), func(ctx context.Context) error { return s.AddBatches(ctx, batches) }); err != nil {
			b.Fatal(err)
		}
	}
	return config
}
