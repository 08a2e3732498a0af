package connector

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Limit is what an answer says about the budget of the rolling hour.
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

// ParseLimit reads the limit headers of an answer, by the names that many providers
// share. It reports false when there are none: then the caller has to count.
//
// Two families have been seen: X-RateLimit-Limit and -NearLimit alone, and
// x-ratelimit-limit (as in "60, 60;w=3600"), -remaining and -reset (seconds from now).
func ParseLimit(header http.Header, now time.Time) (Limit, bool) {
	limit := Limit{
		Limit:     firstNumber(header.Get("X-RateLimit-Limit")),
		Remaining: firstNumber(header.Get("X-RateLimit-Remaining")),
	}
	limit.Reset, _ = ResetAfter(header, now)
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
