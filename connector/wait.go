package connector

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxWait bounds what a provider may ask for: a longer wait is a mistake at
// its end, and limits are counted over an hour.
const maxWait = 24 * time.Hour

// epoch is where numbers stop being seconds from now and begin to be a time: the
// year 2001 in seconds, and in milliseconds.
const (
	epoch       = 1_000_000_000
	epochMillis = 1000 * epoch
)

// RetryAfter is how long an answer's Retry-After asks to wait, at most a day. It
// reports false where there is none that can be read. This and [ResetAfter] are the
// only readers of these headers.
//
// A value is a number of seconds, a time as a number of seconds or milliseconds
// since 1970, or a date of HTTP or ISO 8601. A time is read against the answer's
// own Date, since it is of the same clock; now is used where there is none.
func RetryAfter(header http.Header, now time.Time) (time.Duration, bool) {
	wait, ok := until(header, "Retry-After", now)
	return min(wait, maxWait), ok
}

// ResetAfter is the same for X-RateLimit-Reset. It has no use for a time that is
// over, or more than a day away.
func ResetAfter(header http.Header, now time.Time) (time.Duration, bool) {
	wait, ok := until(header, "X-RateLimit-Reset", now)
	if !ok || wait <= 0 || wait > maxWait {
		return 0, false
	}
	return wait, true
}

// AskedToWait is how long an answer asks to wait: by Retry-After, else by
// X-RateLimit-Reset where X-RateLimit-Remaining does not say that there is something
// left.
func AskedToWait(header http.Header, now time.Time) (time.Duration, bool) {
	if wait, ok := RetryAfter(header, now); ok {
		return wait, true
	}
	if firstNumber(header.Get("X-RateLimit-Remaining")) > 0 {
		return 0, false
	}
	return ResetAfter(header, now)
}

func until(header http.Header, name string, now time.Time) (time.Duration, bool) {
	value := strings.TrimSpace(header.Get(name))
	if at, ok := timeIn(value); ok {
		return max(at.Sub(answered(header, now)), 0), true
	}
	// Structured values have parameters behind the number: "60;w=3600".
	if end := strings.IndexAny(value, ",;"); end >= 0 {
		value = strings.TrimSpace(value[:end])
	}
	if value == "" || strings.Trim(value, "0123456789.") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(value, 64)
	switch {
	case err != nil:
		return 0, false
	case n >= epochMillis:
		return max(time.UnixMilli(int64(min(n, math.MaxInt64/2))).Sub(answered(header, now)), 0), true
	case n >= epoch:
		return max(time.Unix(int64(n), 0).Sub(answered(header, now)), 0), true
	default:
		return time.Duration(math.Ceil(n*1000)) * time.Millisecond, true
	}
}

func timeIn(value string) (time.Time, bool) {
	if at, err := http.ParseTime(value); err == nil {
		return at, true
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05Z07:00", time.DateTime} {
		if at, err := time.Parse(layout, value); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// answered is the provider's own time of the answer, so that its times are not
// read against a clock that differs.
func answered(header http.Header, now time.Time) time.Time {
	if at, err := http.ParseTime(header.Get("Date")); err == nil {
		return at
	}
	return now
}
