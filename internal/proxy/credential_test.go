package proxy_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"windlass"
	"windlass/internal/proxy"
)

// wants is a provider that takes one token, and mirrors.
func wants(token string, asked *atomic.Int64) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Header.Get("Authorization") != "Bearer "+token {
			rw.Header().Set("Www-Authenticate", "OAuth")
			http.Error(rw, "Token is invalid or not supported for this endpoint.", http.StatusUnauthorized)
			return
		}
		mirror(rw, r)
	})
}

func TestARefusedCredentialIsReplacedOnce(t *testing.T) {
	t.Parallel()
	unknown := func(s string) io.Reader { return io.MultiReader(strings.NewReader(s)) }
	for _, row := range []struct {
		name      string
		good      string // the token that the provider takes
		body      any
		dead      error
		status    int
		says      string
		asked     int64
		retryable string
	}{
		{"no body", "token-2", nil, nil, 200, "GET /2.0/x", 2, ""},
		{"a short body", "token-2", "short", nil, 200, "body: short\n", 2, ""},
		{"the longest that is kept", "token-2", strings.Repeat("x", 64<<10), nil, 200, "length: 65536\n", 2, ""},
		{"a longer one", "token-2", strings.Repeat("x", 64<<10+1), nil, 401, "Token is invalid", 1, "true"},
		{"one of unknown length", "token-2", unknown("short"), nil, 401, "Token is invalid", 1, "true"},
		{"the fresh one is refused too", "token-3", nil, nil, 401, "Token is invalid", 2, ""},
		{"it is not the credential", "token-2", nil, &windlass.Error{Kind: windlass.Unauthorized, Message: "another sort is wanted"}, 401, "Token is invalid", 1, ""},
		{"no refresh for now", "token-2", nil, &windlass.Error{Kind: windlass.Unavailable, Message: "down"}, 401, "Token is invalid", 1, ""},
		{"it is dead", "token-2", nil, &windlass.Error{Kind: windlass.NeedsReconnect, Message: "revoked", Remedy: "connect again"}, 422, "revoked; connect again", 1, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int64
			w := newWorld(t, wants(row.good, &asked), nil)
			w.keeper.dead = row.dead
			resp, text := w.do(w.request("GET", "/2.0/x", row.body))
			if resp.StatusCode != row.status || !strings.Contains(text, row.says) {
				t.Errorf("got %d %.300s, want %d and %q", resp.StatusCode, text, row.status, row.says)
			}
			if asked.Load() != row.asked || w.budget.paid.Load() != row.asked || w.keeper.refusals != 1 {
				t.Errorf("asked %d times, paid %d, refused %d", asked.Load(), w.budget.paid.Load(), w.keeper.refusals)
			}
			if got := resp.Header.Get("X-Amp-Retryable"); got != row.retryable {
				t.Errorf("X-Amp-Retryable is %q", got)
			}
			if row.status == 401 && resp.Header.Get("Www-Authenticate") != "OAuth" {
				t.Error("the 401 is not the provider's own")
			}
		})
	}
}

// A body that the provider has not even asked for can be given to it later.
func TestTheNextRequestHasTheFreshCredential(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	w := newWorld(t, wants("token-2", &asked), nil)
	long := strings.Repeat("x", 1<<20)
	if resp, _ := w.do(w.request("PUT", "/2.0/x", long)); resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("X-Amp-Retryable") != "true" {
		t.Errorf("got %d", resp.StatusCode)
	}
	if resp, text := w.do(w.request("PUT", "/2.0/x", long)); resp.StatusCode != http.StatusOK || !strings.Contains(text, "length: 1048576\n") {
		t.Errorf("got %d", resp.StatusCode)
	}
}

func TestNoCredential(t *testing.T) {
	t.Parallel()
	w := newWorld(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it went on") }), nil)
	w.keeper.bad = &windlass.Error{Kind: windlass.NeedsReconnect, Message: "the consent was taken back", Remedy: `the customer has to authorize "acme" again`}
	resp, text := w.do(w.request("GET", "/2.0/x", nil))
	if resp.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(text, "authorize") || w.budget.paid.Load() != 0 {
		t.Errorf("got %d %s, paid %d", resp.StatusCode, text, w.budget.paid.Load())
	}
}

func TestABudgetThatIsSpent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it went on") }), func(c *proxy.Config) {
		c.Now = func() time.Time { return time.Date(2025, 3, 6, 22, 9, 0, 0, time.FixedZone("", 3600)) }
	})
	spent := error(&windlass.Error{Kind: windlass.RateLimited, Message: "the hour is spent", RetryAfter: 49 * time.Second, Provider: &windlass.ProviderDetails{}})
	w.budget.refuse.Store(&spent)
	for mode, want := range map[string]string{"": "", "throttle": "Thu, 06 Mar 2025 21:09:49 UTC"} {
		req := w.request("POST", "/2.0/x", "body")
		req.Header.Set("X-Amp-Rate-Limiter-Mode", mode)
		resp, text := w.do(req)
		if resp.StatusCode != http.StatusTooManyRequests || !strings.Contains(text, "the hour is spent") || resp.Header.Get("X-Amp-Retry-After") != want {
			t.Errorf("%q: got %d %s %v", mode, resp.StatusCode, text, resp.Header)
		}
	}
}

func TestThrottleMode(t *testing.T) {
	now := time.Date(2025, 3, 6, 22, 9, 0, 0, time.UTC)
	var clock atomic.Int64
	for _, row := range []struct {
		name  string
		set   map[string]string
		until string
	}{
		{"seconds", map[string]string{"Retry-After": "49"}, "Thu, 06 Mar 2025 22:09:49 UTC"},
		{"a date", map[string]string{"Retry-After": "Thu, 06 Mar 2025 23:00:49 GMT", "Date": "Thu, 06 Mar 2025 23:00:00 GMT"}, "Thu, 06 Mar 2025 22:09:49 UTC"},
		{"a reset", map[string]string{"X-RateLimit-Reset": "49"}, "Thu, 06 Mar 2025 22:09:49 UTC"},
		{"nothing", nil, "Thu, 06 Mar 2025 22:10:00 UTC"},
		{"nonsense", map[string]string{"Retry-After": "soon", "X-RateLimit-Reset": "-1"}, "Thu, 06 Mar 2025 22:10:00 UTC"},
		{"longer than a day", map[string]string{"Retry-After": "99999999"}, "Fri, 07 Mar 2025 22:09:00 UTC"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var asked atomic.Int64
			clock.Store(now.UnixNano())
			w := newWorld(t, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
				asked.Add(1)
				for name, value := range row.set {
					rw.Header().Set(name, value)
				}
				http.Error(rw, "Rate limit for this resource has been exceeded", http.StatusTooManyRequests)
			}), func(c *proxy.Config) { c.Now = func() time.Time { return time.Unix(0, clock.Load()) } })
			ask := func(mode string) (*http.Response, string) {
				req := w.request("GET", "/2.0/x", nil)
				if mode != "" {
					req.Header.Set("X-Amp-Rate-Limiter-Mode", mode)
				}
				return w.do(req)
			}
			resp, text := ask("throttle")
			if resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("X-Amp-Retry-After") != row.until || resp.Header.Get("X-Amp-Retryable") != "true" || !strings.HasPrefix(text, "Rate limit") {
				t.Errorf("got %d %s %v, want the provider's own 429 until %s", resp.StatusCode, text, resp.Header, row.until)
			}
			resp, text = ask("throttle")
			if resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("X-Amp-Retry-After") != row.until || resp.Header.Get("X-Amp-Retryable") != "true" || asked.Load() != 1 {
				t.Errorf("got %d %s %v after %d, want an answer from here", resp.StatusCode, text, resp.Header, asked.Load())
			}
			if resp, _ = ask(""); resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("X-Amp-Retry-After") != "" || asked.Load() != 2 {
				t.Errorf("without the mode: %d %v, asked %d times", resp.StatusCode, resp.Header, asked.Load())
			}
			until, _ := time.Parse(time.RFC1123, row.until)
			clock.Store(until.UnixNano())
			if resp, _ = ask("throttle"); resp.StatusCode != http.StatusTooManyRequests || asked.Load() != 3 {
				t.Errorf("when the time is over it is not asked again: %d", asked.Load())
			}
		})
	}
}

// What is remembered is remembered for its time only, for its project only, and not
// when it failed.
func TestWhatIsRemembered(t *testing.T) {
	t.Parallel()
	var clock atomic.Int64
	w := newWorld(t, http.HandlerFunc(mirror), func(c *proxy.Config) { c.Now = func() time.Time { return time.Unix(0, clock.Load()) } })
	ask := func(status int, says string) {
		t.Helper()
		if resp, text := w.do(w.request("GET", "/2.0/x", nil)); resp.StatusCode != status || !strings.Contains(text, says) {
			t.Errorf("got %d %s, want %d and %q", resp.StatusCode, text, status, says)
		}
	}
	ask(200, "Bearer token-1")
	w.keeper.mu.Lock()
	w.keeper.token = "token-of-later"
	w.keeper.mu.Unlock()
	ask(200, "Bearer token-1")
	clock.Add(int64(time.Second))
	ask(200, "Bearer token-of-later")
	w.keeper.mu.Lock()
	w.keeper.bad = &windlass.Error{Kind: windlass.NeedsReconnect, Message: "taken back"}
	w.keeper.mu.Unlock()
	clock.Add(int64(time.Second))
	ask(422, "taken back")
	w.keeper.mu.Lock()
	w.keeper.bad = nil
	w.keeper.mu.Unlock()
	ask(200, "Bearer token-of-later")
}
