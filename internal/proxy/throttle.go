package proxy

import (
	"cmp"
	"net/http"
	"strings"
	"sync"
	"time"

	"windlass"
	"windlass/connector"
)

// A throttle remembers until when the provider refuses requests of a connection. Each
// process has its own, and learns it from its own requests.
type throttle struct {
	mu    sync.Mutex
	until map[string]time.Time // by connection
}

// maxThrottles is the size at which expired entries are removed.
const maxThrottles = 10_000

func (t *throttle) block(connection string, until, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.until == nil || len(t.until) >= maxThrottles {
		for name, end := range t.until {
			if !now.Before(end) {
				delete(t.until, name)
			}
		}
	}
	if t.until == nil {
		t.until = map[string]time.Time{}
	}
	if until.After(t.until[connection]) {
		t.until[connection] = until
	}
}

// blocked says how long a connection has to wait; 0 is not at all.
func (t *throttle) blocked(connection string, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	until, known := t.until[connection]
	if known && !now.Before(until) {
		delete(t.until, connection)
	}
	return max(0, until.Sub(now))
}

// throttles reports whether the caller wants to be told when to retry.
func throttles(header http.Header) (bool, error) {
	switch mode := header.Get(headerMode); strings.ToLower(mode) {
	case "":
		return false, nil
	case "throttle":
		return true, nil
	default:
		return false, wrongHeader(headerMode, "there is no such mode", "send throttle, or leave it out")
	}
}

// tell adds the time to retry, in the headers of the published contract.
func tell(header http.Header, at time.Time) {
	header.Set(headerRetryAfter, at.UTC().Format(time.RFC1123))
	header.Set(headerRetryable, "true")
}

func throttledFor(wait time.Duration) error {
	return &windlass.Error{
		Kind: windlass.RateLimited, Message: "the provider has answered 429 to this connection, and the time to wait is not over",
		Remedy: "come again at " + headerRetryAfter, RetryAfter: wait,
	}
}

// waitOf reads the time to wait from a 429; a minute where there is none.
func waitOf(header http.Header, now time.Time) time.Duration {
	const unknown = time.Minute
	wait, _ := connector.RetryAfter(header, now)
	if wait <= 0 {
		wait, _ = connector.ResetAfter(header, now)
	}
	return cmp.Or(wait, unknown)
}
