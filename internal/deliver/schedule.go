package deliver

import (
	"time"

	"windlass/internal/sink"
)

// What the published contract says of retries (docs: CONTRACT, delivery).
const (
	// Timeout is how long an attempt may take.
	Timeout = sink.Timeout
	// DisableAfter is how long nothing but failure is borne with.
	DisableAfter = 120 * time.Hour
)

// retries are the waits after the first failure, the second, and so on.
var retries = [...]time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 10 * time.Hour,
}

// nextAttempt says when to try again after so many tries, the one that has just
// failed included, or that there is no further one.
func nextAttempt(tries int, now time.Time, retryAfter time.Duration) (next time.Time, again bool) {
	if tries > len(retries) {
		return time.Time{}, false
	}
	return now.Add(max(retries[max(tries, 1)-1], retryAfter)), true
}
