package command

import (
	"errors"
	"testing"
	"time"

	"windlass"
)

func TestParseWhen(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name, text, want string
	}{
		{"a time", "2026-01-31T15:04:05Z", "2026-01-31T15:04:05Z"},
		{"a time in another zone", "2026-01-31T15:04:05+02:00", "2026-01-31T13:04:05Z"},
		{"microseconds are kept", "2026-01-31T15:04:05.123456+00:00", "2026-01-31T15:04:05.123456Z"},
		{"a date is its first moment in UTC", "2026-01-31", "2026-01-31T00:00:00Z"},
		{"hours ago", "24h", "2026-11-23T12:00:00Z"},
		{"days ago", "7d", "2026-11-17T12:00:00Z"},
		{"weeks and days ago", "1w1d", "2026-11-16T12:00:00Z"},
		{"a day and a half ago", "1d12h", "2026-11-23T00:00:00Z"},
		{"half an hour ago", "0.5h", "2026-11-24T11:30:00Z"},
		{"just now", "0s", "2026-11-24T12:00:00Z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseWhen("since", test.text, now)
			if err != nil {
				t.Fatal(err)
			}
			if text := got.Format(time.RFC3339Nano); text != test.want {
				t.Errorf("%q: got %s, want %s", test.text, text, test.want)
			}
		})
	}
}

func TestParseWhenRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"yesterday", "2026-13-01", "2026-01-31T15:04:05", "2026-01-31 15:04:05Z", "7", "d", "-7d", "-24h", "7d-1h",
		"1d1w", "7days", "99999999999d", "9999999999h", "1.5d", " 24h", "\x00",
	} {
		got, err := ParseWhen("since", text, time.Now())
		if !errors.Is(err, windlass.Invalid) {
			t.Errorf("%q: got %v and error %v, want one of kind invalid", text, got, err)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ got, want string }{
		{Count(0), "0"},
		{Count(999), "999"},
		{Count(1000), "1,000"},
		{Count(1234567), "1,234,567"},
		{Count(-1234), "-1,234"},
		{Count(-123), "-123"},
		{Counted(1, "record"), "1 record"},
		{Counted(2000, "record"), "2,000 records"},
		{Counted(1, "retry"), "1 retry"},
		{Counted(2, "retry"), "2 retries"},
		{Span(340 * time.Millisecond), "0.3 s"},
		{Span(42 * time.Second), "42 s"},
		{Span(92 * time.Second), "1 min 32 s"},
		{Span(3 * time.Hour), "3 h 0 min"},
		{Size(1), "1 byte"},
		{Size(999), "999 bytes"},
		{Size(4_123_456), "4.1 MB"},
		{Size(5_000_000_000_000_000), "5000.0 TB"},
		{Clip("short"), "short"},
		{OneLine("a\n\tb \x1b[31mred\u202e\x07"), "a b [31mred"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}
