package limit_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"windlass/bitbucket/sandbox/internal/limit"
)

type clock struct{ time.Time }

func newClock() *clock { return &clock{time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time       { return c.Time }
func (c *clock) wait(d time.Duration) { c.Time = c.Add(d) }

func TestTake(t *testing.T) {
	type step struct {
		wait    time.Duration
		perHour int
		want    limit.Decision
	}
	const minute = time.Minute
	tests := []struct {
		reads string
		steps []step
	}{
		{"requests up to the limit are allowed", []step{
			{0, 2, limit.Decision{Allowed: true, Limit: 2, Remaining: 1, Reset: time.Hour}},
			{0, 2, limit.Decision{Allowed: true, Limit: 2, Remaining: 0, Reset: time.Hour}},
			{0, 2, limit.Decision{Allowed: false, Limit: 2, Remaining: 0, Reset: time.Hour}},
		}},
		{"the window rolls with each request", []step{
			{0, 2, limit.Decision{Allowed: true, Limit: 2, Remaining: 1, Reset: time.Hour}},
			{40 * minute, 2, limit.Decision{Allowed: true, Limit: 2, Remaining: 0, Reset: 20 * minute}},
			{19 * minute, 2, limit.Decision{Allowed: false, Limit: 2, Remaining: 0, Reset: minute}},
			{minute, 2, limit.Decision{Allowed: true, Limit: 2, Remaining: 0, Reset: 40 * minute}},
			{minute, 2, limit.Decision{Allowed: false, Limit: 2, Remaining: 0, Reset: 39 * minute}},
		}},
		{"a refused request costs nothing", []step{
			{0, 1, limit.Decision{Allowed: true, Limit: 1, Remaining: 0, Reset: time.Hour}},
			{59 * minute, 1, limit.Decision{Allowed: false, Limit: 1, Remaining: 0, Reset: minute}},
			{minute, 1, limit.Decision{Allowed: true, Limit: 1, Remaining: 0, Reset: time.Hour}},
		}},
		{"a lowered limit counts what was used before", []step{
			{0, 9, limit.Decision{Allowed: true, Limit: 9, Remaining: 8, Reset: time.Hour}},
			{10 * minute, 9, limit.Decision{Allowed: true, Limit: 9, Remaining: 7, Reset: 50 * minute}},
			{10 * minute, 1, limit.Decision{Allowed: false, Limit: 1, Remaining: 0, Reset: 50 * minute}},
		}},
		{"no limit counts nothing", []step{
			{0, 0, limit.Decision{Allowed: true}},
			{0, 1, limit.Decision{Allowed: true, Limit: 1, Remaining: 0, Reset: time.Hour}},
		}},
		{"a clock that goes backwards frees nothing", []step{
			{0, 1, limit.Decision{Allowed: true, Limit: 1, Remaining: 0, Reset: time.Hour}},
			{-30 * minute, 1, limit.Decision{Allowed: false, Limit: 1, Remaining: 0, Reset: time.Hour}},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.reads, func(t *testing.T) {
			c := newClock()
			l := limit.New(c.now)
			for i, s := range tt.steps {
				c.wait(s.wait)
				if got := l.Take("consumer", s.perHour); got != s.want {
					t.Fatalf("request %d: %+v, want %+v", i+1, got, s.want)
				}
			}
		})
	}
}

func TestKeysAreCountedApart(t *testing.T) {
	l := limit.New(newClock().now)
	l.Take("one", 1)
	if !l.Take("other", 1).Allowed {
		t.Error("a request of one key was counted for another")
	}
	if l.Take("one", 1).Allowed {
		t.Error("a key was forgotten")
	}
}

func TestPeekCountsNothing(t *testing.T) {
	l := limit.New(newClock().now)
	for range 3 {
		if d := l.Peek("one", 1); !d.Allowed || d.Remaining != 1 || d.Reset != 0 {
			t.Fatalf("%+v", d)
		}
	}
	l.Take("one", 1)
	if d := l.Peek("one", 1); d.Allowed || d.Remaining != 0 {
		t.Errorf("%+v", d)
	}
	l.Forget()
	if !l.Peek("one", 1).Allowed {
		t.Error("not forgotten")
	}
}

func TestAnyHourHoldsAtMostTheLimit(t *testing.T) {
	const perHour = 50
	c := newClock()
	l := limit.New(c.now)
	var allowed []time.Time
	for i := range 5_000 {
		c.wait(time.Duration(i*7919%11) * time.Second)
		if l.Take("k", perHour).Allowed {
			allowed = append(allowed, c.now())
		}
	}
	for i := perHour; i < len(allowed); i++ {
		if gap := allowed[i].Sub(allowed[i-perHour]); gap < limit.Window {
			t.Fatalf("%d requests within %s", perHour+1, gap)
		}
	}
	if len(allowed) < 5*perHour {
		t.Errorf("only %d requests were allowed", len(allowed))
	}
}

func TestTakeAtOnce(t *testing.T) {
	l := limit.New(newClock().now)
	var allowed atomic.Int64
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() {
			if l.Take("k", 60).Allowed {
				allowed.Add(1)
			}
		})
	}
	wg.Wait()
	if allowed.Load() != 60 {
		t.Errorf("%d were allowed", allowed.Load())
	}
}

func TestMemoryIsBounded(t *testing.T) {
	c := newClock()
	l := limit.New(c.now)
	l.Take("first", 1)
	for i := range limit.MaxKeys {
		c.wait(time.Millisecond)
		l.Take(fmt.Sprint(i), 1)
	}
	if !l.Peek("first", 1).Allowed {
		t.Error("the key used least recently is still remembered")
	}
	if l.Peek(fmt.Sprint(limit.MaxKeys-1), 1).Allowed {
		t.Error("the key used last was forgotten")
	}
}

func TestHeaders(t *testing.T) {
	tests := []struct {
		reads    string
		decision limit.Decision
		style    limit.Style
		want     http.Header
	}{
		{"no headers", limit.Decision{Limit: 60, Remaining: 1}, limit.NoHeaders, http.Header{}},
		{"no limit has no headers", limit.Decision{}, limit.Gateway, http.Header{}},
		{
			"scaled, far from the limit",
			limit.Decision{Limit: 1000, Remaining: 200},
			limit.Scaled,
			http.Header{"X-Ratelimit-Limit": {"1000"}, "X-Ratelimit-Resource": {"api"}, "X-Ratelimit-Nearlimit": {"false"}},
		},
		{
			"scaled, near the limit",
			limit.Decision{Limit: 1000, Remaining: 199},
			limit.Scaled,
			http.Header{"X-Ratelimit-Limit": {"1000"}, "X-Ratelimit-Resource": {"api"}, "X-Ratelimit-Nearlimit": {"true"}},
		},
		{
			"the gateway counts down in whole seconds, rounded up",
			limit.Decision{Limit: 60, Remaining: 7, Reset: 1500 * time.Millisecond},
			limit.Gateway,
			http.Header{"X-Ratelimit-Limit": {"60, 60;w=3600"}, "X-Ratelimit-Remaining": {"7"}, "X-Ratelimit-Reset": {"2"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.reads, func(t *testing.T) {
			got := http.Header{}
			tt.decision.Headers(got, tt.style)
			if fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestRefuse(t *testing.T) {
	const sentence = "Rate limit for this resource has been exceeded"
	over := limit.Decision{Limit: 60, Reset: 61 * time.Second}
	tests := []struct {
		reads                         string
		how                           limit.Refusal
		contentType, body, retryAfter string
	}{
		{"an error object without a time", limit.Refusal{}, "application/json; charset=utf-8", `{"type": "error", "error": {"message": "` + sentence + `"}}`, ""},
		{"a sentence with one", limit.Refusal{PlainText: true, RetryAfter: true}, "text/plain; charset=utf-8", sentence, "61"},
	}
	for _, tt := range tests {
		t.Run(tt.reads, func(t *testing.T) {
			w := httptest.NewRecorder()
			over.Refuse(w, tt.how)
			if w.Code != 429 || w.Body.String() != tt.body || w.Header().Get("Content-Type") != tt.contentType || w.Header().Get("Retry-After") != tt.retryAfter {
				t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
			}
		})
	}
}
