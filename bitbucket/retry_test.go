package bitbucket_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"windlass/bitbucket"
	"windlass/connector"
)

// script answers one request after the other.
type script struct {
	answers []func() (*http.Response, error)
	sent    []string // the bodies
}

func (s *script) RoundTrip(req *http.Request) (*http.Response, error) {
	body := ""
	if req.Body != nil {
		data, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		body = string(data)
	}
	s.sent = append(s.sent, body)
	if len(s.answers) == 0 {
		return nil, errors.New("the script has ended")
	}
	next := s.answers[0]
	s.answers = s.answers[1:]
	return next()
}

func says(status int, headers ...string) func() (*http.Response, error) {
	return func() (*http.Response, error) { return reply(status, `{"values":[]}`, headers...), nil }
}

func breaks() (*http.Response, error) { return cut(`{"val`), nil }
func fails() (*http.Response, error)  { return nil, errors.New("connection refused") }

func TestRetry(t *testing.T) {
	t.Parallel()
	many := func(n int, answer func() (*http.Response, error)) []func() (*http.Response, error) {
		var all []func() (*http.Response, error)
		for range n {
			all = append(all, answer)
		}
		return all
	}
	for _, row := range []struct {
		name    string
		retry   bitbucket.Retry
		method  string
		within  time.Duration // the context's deadline
		answers []func() (*http.Response, error)
		sent    int
		status  int           // 0: an error
		least   time.Duration // how long it took
		most    time.Duration
	}{
		{name: "a success is sent once", answers: many(1, says(200)), sent: 1, status: 200},
		{name: "a failure that does not pass is not repeated", answers: many(1, says(404)), sent: 1, status: 404},
		{name: "a gateway's failure is", answers: append(many(2, says(502)), says(200)), sent: 3, status: 200, least: time.Second / 2, most: 3 * time.Second},
		{name: "so is a connection that was refused", answers: append(many(1, fails), says(200)), sent: 2, status: 200, most: time.Second},
		{name: "and an answer that broke off", answers: append(many(1, breaks), says(200)), sent: 2, status: 200, most: time.Second},
		{name: "five times at the most", answers: many(9, says(503)), sent: 5, status: 503, most: 30 * time.Second},
		{name: "five broken connections end in an error", answers: many(9, fails), sent: 5, most: 30 * time.Second},
		{name: "Retry-After is waited for", answers: append(many(1, says(429, "Retry-After", "60")), says(200)), sent: 2, status: 200, least: time.Minute, most: 61 * time.Second},
		{name: "the gateway's reset as well", answers: append(many(1, says(429, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "33")), says(200)), sent: 2, status: 200, least: 33 * time.Second, most: 34 * time.Second},
		{name: "a 429 for a minute without a word is outlasted", retry: bitbucket.Retry{MaxWait: 5 * time.Minute}, answers: append(many(6, says(429)), says(200)), sent: 7, status: 200, least: time.Minute, most: 5 * time.Minute},
		{name: "a wait that goes past MaxWait is not begun", retry: bitbucket.Retry{MaxWait: time.Minute}, answers: many(2, says(429, "Retry-After", "3600")), sent: 1, status: 429},
		{name: "nor one that goes past the deadline", within: 10 * time.Second, answers: many(2, says(429, "Retry-After", "30")), sent: 1, status: 429},
		{name: "Retry-After 0 is not a loop", retry: bitbucket.Retry{MaxWait: 2500 * time.Millisecond}, answers: many(50, says(429, "Retry-After", "0")), sent: 3, status: 429, least: 2 * time.Second, most: 2500 * time.Millisecond},
		{name: "a create is never repeated", method: http.MethodPost, answers: many(2, says(503)), sent: 1, status: 503},
		{name: "an update is, with its body", method: http.MethodPut, answers: append(many(1, says(503)), says(200)), sent: 2, status: 200, most: time.Second},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if row.within > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, row.within)
					defer cancel()
				}
				base := &script{answers: row.answers}
				row.retry.Base = base
				method := row.method
				if method == "" {
					method = http.MethodGet
				}
				var body io.Reader
				if method != http.MethodGet {
					body = strings.NewReader("the body")
				}
				req, err := http.NewRequestWithContext(ctx, method, "https://api.bitbucket.org/2.0/x", body)
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				resp, err := row.retry.RoundTrip(req)
				took := time.Since(began)
				switch {
				case row.status == 0 && err == nil:
					t.Errorf("status %d, want an error", resp.StatusCode)
				case row.status != 0 && (err != nil || resp.StatusCode != row.status):
					t.Errorf("%v, %v; want status %d", resp, err, row.status)
				}
				if resp != nil {
					_ = resp.Body.Close()
				}
				if len(base.sent) != row.sent || took < row.least || took > row.most {
					t.Errorf("sent %d times in %s; want %d, between %s and %s", len(base.sent), took, row.sent, row.least, row.most)
				}
				for _, sent := range base.sent {
					if body != nil && sent != "the body" {
						t.Errorf("an attempt sent %q", sent)
					}
				}
			})
		})
	}
}

func TestRetryEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var waits []bitbucket.Wait
		retry := &bitbucket.Retry{
			Base: always(429, "", "Retry-After", "60"),
			OnWait: func(w bitbucket.Wait) {
				waits = append(waits, w)
				time.AfterFunc(time.Second, cancel)
			},
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.bitbucket.org/2.0/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		resp, err := retry.RoundTrip(req)
		if !errors.Is(err, context.Canceled) || time.Since(began) != time.Second {
			t.Errorf("%v, %v after %s", resp, err, time.Since(began))
		}
		if len(waits) != 1 || !waits[0].RateLimited || waits[0].Attempt != 1 || waits[0].Delay < time.Minute {
			t.Errorf("waits: %+v", waits)
		}
	})
}

func TestParseLimit(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		headers []string
		want    connector.Limit
		ok      bool
	}{
		{"no header says nothing", nil, connector.Limit{Limit: -1, Remaining: -1}, false},
		{"a scaled access token", []string{"X-RateLimit-Limit", "1500", "X-RateLimit-Resource", "api", "X-RateLimit-NearLimit", "true"}, connector.Limit{Limit: 1500, Remaining: -1, Near: true}, true},
		{"the gateway", []string{"X-Ratelimit-Limit", "60, 60;w=3600", "X-Ratelimit-Remaining", "3", "X-Ratelimit-Reset", "120"}, connector.Limit{Limit: 60, Remaining: 3, Reset: 2 * time.Minute}, true},
		{"nonsense", []string{"X-RateLimit-Limit", "many", "X-RateLimit-Reset", "99999999"}, connector.Limit{Limit: -1, Remaining: -1}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, ok := connector.ParseLimit(reply(200, "", row.headers...).Header, time.Now())
			if got != row.want || ok != row.ok {
				t.Errorf("%+v, %t; want %+v, %t", got, ok, row.want, row.ok)
			}
		})
	}
}
