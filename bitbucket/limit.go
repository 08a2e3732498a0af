package bitbucket

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"windlass/connector"
)

// Limit is what an answer's headers say of the rolling hour's budget.
type Limit struct {
	// Limit is how many requests an hour are allowed; -1 when not said.
	Limit int
	// Remaining is how many are left; -1 when not said.
	Remaining int
	// Reset is how long until the budget is whole again; zero when not said.
	Reset time.Duration
	// Near reports that less than a fifth of the budget is left.
	Near bool
}

// ParseLimit reads the limit headers of an answer. It reports false when there
// are none, as is usual for OAuth credentials: then the caller has to count.
//
// Two families have been seen: X-RateLimit-Limit, -Resource and -NearLimit on
// scaled access tokens, and x-ratelimit-limit (as in "60, 60;w=3600"),
// -remaining and -reset (seconds from now) of the newer gateway.
func ParseLimit(header http.Header) (Limit, bool) {
	limit := Limit{
		Limit:     firstNumber(header.Get("X-RateLimit-Limit")),
		Remaining: firstNumber(header.Get("X-RateLimit-Remaining")),
	}
	limit.Reset, _ = connector.ResetAfter(header, time.Now())
	limit.Near = strings.EqualFold(header.Get("X-RateLimit-NearLimit"), "true")
	return limit, limit.Limit >= 0 || limit.Remaining >= 0 || limit.Reset > 0 || limit.Near
}

// firstNumber reads the number that a header begins with, or -1.
func firstNumber(value string) int {
	value = strings.TrimSpace(value)
	end := strings.IndexFunc(value, func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		value = value[:end]
	}
	n, err := strconv.Atoi(value)
	if err != nil {
		return -1
	}
	return n
}

// retryAfter says how long an answer asks to wait: by Retry-After, else by the
// limit headers when they say that nothing is left.
func retryAfter(header http.Header) (time.Duration, bool) {
	now := time.Now()
	if wait, ok := connector.RetryAfter(header, now); ok {
		return wait, true
	}
	if firstNumber(header.Get("X-RateLimit-Remaining")) > 0 {
		return 0, false
	}
	return connector.ResetAfter(header, now)
}
