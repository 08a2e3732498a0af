package connector_test

import (
	"net/http"
	"testing"
	"time"

	"windlass/connector"
)

func TestTheTimesThatProvidersAskFor(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 6, 22, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		value string
		retry time.Duration // -1: absent
		reset time.Duration
	}{
		{"33", 33 * time.Second, 33 * time.Second},
		{" 33 ", 33 * time.Second, 33 * time.Second},
		{"1.5", 1500 * time.Millisecond, 1500 * time.Millisecond},
		{"60;w=3600", time.Minute, time.Minute},
		{"60, 60;w=3600", time.Minute, time.Minute},
		{"2026-03-06T22:05:00Z", 5 * time.Minute, 5 * time.Minute},
		{"2026-03-06T22:05:00.000000+00:00", 5 * time.Minute, 5 * time.Minute},
		{"2026-03-06T23:05:00+0100", 5 * time.Minute, 5 * time.Minute},
		{"2026-03-06T22:05:00", 5 * time.Minute, 5 * time.Minute},
		{"2026-03-06 22:05:00", 5 * time.Minute, 5 * time.Minute},
		{"Fri, 06 Mar 2026 22:05:00 GMT", 5 * time.Minute, 5 * time.Minute},
		{"1772834700", 5 * time.Minute, 5 * time.Minute},    // seconds since 1970
		{"1772834700000", 5 * time.Minute, 5 * time.Minute}, // milliseconds
		{"2026-03-06T21:05:00Z", 0, -1},                     // over
		{"0", 0, -1},
		{"99999999", 24 * time.Hour, -1},
		{"99999999999", 24 * time.Hour, -1},
		{"99999999999999999999999999", 24 * time.Hour, -1},
		{"", -1, -1},
		{"-5", -1, -1},
		{"soon", -1, -1},
		{"2026", 2026 * time.Second, 2026 * time.Second},
		{"2026-13-77", -1, -1},
		{"0x10", -1, -1},
		{"1e3", -1, -1},
		{"1.2.3", -1, -1},
		{"NaN", -1, -1},
	} {
		for _, clock := range []time.Duration{0, time.Hour} { // ours may be wrong
			header := http.Header{"Retry-After": {row.value}, "X-Ratelimit-Reset": {row.value}}
			if clock != 0 {
				header.Set("Date", now.Format(http.TimeFormat))
			}
			check := func(name string, read func(http.Header, time.Time) (time.Duration, bool), want time.Duration) {
				t.Helper()
				if got, ok := read(header, now.Add(clock)); ok != (want >= 0) || ok && got != want {
					t.Errorf("%s %q is %s, %v; want %s", name, row.value, got, ok, want)
				}
			}
			check("Retry-After", connector.RetryAfter, row.retry)
			check("X-RateLimit-Reset", connector.ResetAfter, row.reset)
		}
	}
}
