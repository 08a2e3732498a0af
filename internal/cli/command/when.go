package command

import (
	"strconv"
	"strings"
	"time"
)

// ParseWhen reads a time as people give it to --since and --until: RFC 3339, a
// date (its first moment in UTC), or how long before now.
func ParseWhen(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	if ago, ok := ParseAgo(text); ok {
		return now.Add(-ago).UTC(), nil
	}
	return time.Time{}, Invalidf(
		"--%s %q is not a time: give one as 2026-01-31T15:04:05Z, a date as 2026-01-31 (UTC), or how long ago as 24h or 7d",
		flag, Clip(text))
}

// ParseAgo reads a duration with weeks and days in front: 2w, 7d, 1d12h, 90m.
func ParseAgo(text string) (time.Duration, bool) {
	const day = 24 * time.Hour
	var total time.Duration
	for _, unit := range []struct {
		letter string
		span   time.Duration
	}{{"w", 7 * day}, {"d", day}} {
		number, rest, found := strings.Cut(text, unit.letter)
		if !found {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 16) // 65,535 weeks is as good as ever
		if err != nil {
			return 0, false
		}
		total += time.Duration(n) * unit.span
		text = rest
	}
	if text == "" {
		return total, true
	}
	rest, err := time.ParseDuration(text)
	if err != nil || rest < 0 {
		return 0, false
	}
	return total + rest, total+rest >= 0
}

// Quoted is what was typed, shortened and in quotes.
func Quoted(text string) string { return strconv.Quote(Clip(text)) }

// Clip shortens a value that was typed to what fits a line.
func Clip(text string) string {
	const maxRunes = 60
	if runes := []rune(text); len(runes) > maxRunes {
		return string(runes[:maxRunes]) + "…"
	}
	return text
}
