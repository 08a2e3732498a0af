package server_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"windlass/webhook"
)

// A receiver is a product's webhook. It verifies every message, and knows which
// records came and whether a message that came again was the same.
type receiver struct {
	*httptest.Server

	down   atomic.Bool
	onPost atomic.Pointer[func()]

	mu       sync.Mutex
	keys     []webhook.Key
	messages map[string][32]byte // by id: of the bytes
	records  map[string]int      // by id: how many messages they were in
	kinds    map[string]int      // of notifications
	about    map[string][]string // the operations that they name, by kind
	again    int                 // messages whose id had been seen
	faults   []string
	bodies   [][]byte // of the first messages, to be held against the contract
}

func newReceiver(tb testing.TB) *receiver {
	tb.Helper()
	r := &receiver{messages: map[string][32]byte{}, records: map[string]int{}, kinds: map[string]int{}, about: map[string][]string{}}
	r.Server = httptest.NewServer(http.HandlerFunc(r.receive))
	tb.Cleanup(r.Close)
	return r
}

// keptBodies is how many are looked at again.
const keptBodies = 50

// message is what a receiver looks at.
type message struct {
	NotificationType string `json:"notificationType"`
	ObjectName       string `json:"objectName"`
	Result           []struct {
		Raw json.RawMessage `json:"raw"`
	} `json:"result"`
}

func (r *receiver) receive(w http.ResponseWriter, req *http.Request) {
	if told := r.onPost.Load(); told != nil {
		(*told)()
	}
	body, err := io.ReadAll(req.Body)
	if err != nil || r.down.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.keys) > 0 {
		if _, err := webhook.Verify(r.keys, req.Header, body, time.Now()); err != nil {
			r.faults = append(r.faults, err.Error())
		}
	}
	id, sum := req.Header.Get("Webhook-Id"), sha256.Sum256(body)
	if before, seen := r.messages[id]; seen {
		r.again++
		if before != sum {
			r.faults = append(r.faults, "other bytes under the id "+id)
		}
		return
	}
	r.messages[id] = sum
	if len(r.bodies) < keptBodies {
		r.bodies = append(r.bodies, body)
	}
	var m message
	if err := json.Unmarshal(body, &m); err != nil {
		r.faults = append(r.faults, err.Error())
	}
	if m.NotificationType != "" {
		r.kinds[m.NotificationType]++
		r.about[m.NotificationType] = append(r.about[m.NotificationType], req.Header.Get("Windlass-Operation-Id"))
	}
	for i := range m.Result {
		r.records[m.ObjectName+" "+idOf(m.Result[i].Raw)]++
	}
}

func idOf(raw json.RawMessage) string {
	var named struct {
		UUID string `json:"uuid"`
	}
	if err := json.Unmarshal(raw, &named); err != nil || named.UUID == "" {
		return string(raw)
	}
	return named.UUID
}

// seen is what came: different records, messages and messages that came again.
func (r *receiver) seen() (records, messages, again int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.records), len(r.messages), r.again
}

// await waits until so many different records have come.
func (r *receiver) await(tb testing.TB, records int, patience time.Duration) {
	tb.Helper()
	for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		n, messages, _ := r.seen()
		if n >= records {
			return
		}
		if time.Since(begun) > patience {
			tb.Fatalf("after %s there are %d records of %d, in %d messages", patience, n, records, messages)
		}
	}
}

// check finds what must never be.
func (r *receiver) check(tb testing.TB) {
	tb.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, fault := range r.faults {
		if i < 3 {
			tb.Error(fault)
		}
	}
}

// twice counts the records that came in more than one message.
func (r *receiver) twice() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, times := range r.records {
		if times > 1 {
			n++
		}
	}
	return n
}

// receives leads the server's destination to a receiver, which learns the secret.
func (r *running) receives(to *receiver) {
	r.tb.Helper()
	r.must(http.MethodPatch, inProject+"/destinations/webhook", map[string]any{
		"updateMask":  []string{"metadata.url"},
		"destination": map[string]any{"metadata": map[string]string{"url": to.URL}},
	}, nil)
	var d struct {
		Secrets struct {
			WebhookSigningKey string `json:"webhookSigningKey"`
		} `json:"secrets"`
	}
	r.must(http.MethodGet, inProject+"/destinations/webhook?includeSecrets=true", nil, &d)
	key, err := webhook.ParseKey(d.Secrets.WebhookSigningKey)
	if err != nil {
		r.tb.Fatal(err)
	}
	to.mu.Lock()
	defer to.mu.Unlock()
	to.keys = []webhook.Key{key}
}

// metric is the sum of a metric's values.
func (r *running) metric(name string) (sum float64) {
	r.tb.Helper()
	_, text := r.get("/metrics")
	for line := range splitLines(text) {
		var value float64
		rest, found := cutName(line, name)
		if !found {
			continue
		}
		if _, err := fmt.Sscan(rest, &value); err == nil {
			sum += value
		}
	}
	return sum
}
