package manifest_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/adhocore/gronx"

	"windlass"
	"windlass/manifest"
)

func TestShortestGapIsExact(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, test := range []struct {
		name, schedule string
		want           time.Duration
	}{
		{"every minute", "* * * * *", time.Minute},
		{"every ten minutes", "*/10 * * * *", 10 * time.Minute},
		{"two that are close", "0,5 * * * *", 5 * time.Minute},
		{"close across the hour", "0,55 * * * *", 5 * time.Minute},
		{"a step that does not divide the hour", "*/11 * * * *", 5 * time.Minute},
		{"a step that leaves a shorter rest", "*/25 * * * *", 10 * time.Minute},
		{"not close when the next hour is free", "0,55 */2 * * *", 55 * time.Minute},
		{"close across midnight", "0,59 0,23 * * *", time.Minute},
		{"midnight and noon of single days", "0 0,12 * * MON", 12 * time.Hour},
		{"not across midnight when tomorrow is free", "0,59 0,23 * * MON", 59 * time.Minute},
		{"across midnight from Sunday to Monday", "0 1,23 * * SUN,MON", 2 * time.Hour},
		{"once a day", "30 4 * * *", day},
		{"workdays", "0 9 * * 1-5", day},
		{"once a week", "0 9 * * 3", 7 * day},
		{"the first of the month, February being short", "0 0 1 * *", 28 * day},
		{"the last of some months and the first of others", "0 0 1,31 * *", day},
		{"31st, of two long months in a row", "0 0 31 * *", 31 * day},
		{"once a year", "0 0 1 1 *", 365 * day},
		{"29 February", "0 0 29 2 *", 1461 * day},
		{"29 February or a Monday of February", "0 0 29 2 1", day},
		{"29 February on a Sunday", "0 0 29 2 */7", 28 * 1461 / 4 * day},
		{"29 February on one of three weekdays", "0 0 29 2 */3", 2922 * day},
		{"a month's day or a day of the week", "0 0 13 * 5", day},
		{"31 December on a weekend day", "0 0 31 12 */6", 365 * day},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := parse(t, test.schedule).MinGap(); got != test.want {
				t.Errorf("%s: got %v, want %v", test.schedule, got, test.want)
			}
		})
	}
}

func TestNextRun(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, schedule, after, want string }{
		{"later in the hour", "*/10 * * * *", "2026-11-24T05:47:12Z", "2026-11-24T05:50:00Z"},
		{"never the time itself", "*/10 * * * *", "2026-11-24T05:50:00Z", "2026-11-24T06:00:00Z"},
		{"a moment before", "*/10 * * * *", "2026-11-24T05:49:59.999Z", "2026-11-24T05:50:00Z"},
		{"over the year", "0 0 * * *", "2026-12-31T00:00:00Z", "2027-01-01T00:00:00Z"},
		{"in another zone", "0 6 * * *", "2026-11-24T05:00:00+02:00", "2026-11-24T06:00:00Z"},
		{"the next leap year", "0 0 29 2 *", "2026-11-24T00:00:00Z", "2028-02-29T00:00:00Z"},
		{"over a year without a leap day", "0 0 29 2 *", "2096-02-29T00:00:00Z", "2104-02-29T00:00:00Z"},
		{"by name", "15 8 * mar sat", "2026-11-24T00:00:00Z", "2027-03-06T08:15:00Z"},
		{"Sunday is 7", "0 0 * * 7", "2026-11-24T00:00:00Z", "2026-11-29T00:00:00Z"},
		{"a week that ends on Sunday", "0 0 * * FRI-SUN", "2026-11-28T00:00:00Z", "2026-11-29T00:00:00Z"},
		{"a month's day or a weekday", "0 0 30 * WED", "2026-11-25T00:00:00Z", "2026-11-30T00:00:00Z"},
		{"a star with a step restricts both", "0 0 */2 * TUE", "2026-11-24T00:00:00Z", "2026-12-01T00:00:00Z"},
		{"from a step on", "50/5 * * * *", "2026-11-24T05:56:00Z", "2026-11-24T06:50:00Z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			after, err := time.Parse(time.RFC3339, test.after)
			if err != nil {
				t.Fatal(err)
			}
			if got := parse(t, test.schedule).Next(after).Format(time.RFC3339); got != test.want {
				t.Errorf("%s after %s: got %s, want %s", test.schedule, test.after, got, test.want)
			}
		})
	}
}

func TestZeroScheduleNeverRuns(t *testing.T) {
	t.Parallel()
	var s manifest.Schedule
	if next := s.Next(time.Now()); !next.IsZero() || s.MinGap() != 0 || s.String() != "" {
		t.Errorf("got next %v, gap %v, text %q", next, s.MinGap(), s)
	}
}

func TestSchedulesAreEqualByMeaningOfSpaces(t *testing.T) {
	t.Parallel()
	if a, b := parse(t, " */10  *\t* * * "), parse(t, "*/10 * * * *"); a != b || a.String() != "*/10 * * * *" {
		t.Errorf("%q and %q differ", a, b)
	}
}

func TestScheduleErrorIsInvalid(t *testing.T) {
	t.Parallel()
	_, err := manifest.ParseSchedule("soon")
	if !errors.Is(err, windlass.Invalid) {
		t.Errorf("got %v", err)
	}
	err = parse(t, "*/5 * * * *").AtLeast(manifest.ShortestGap)
	if !errors.Is(err, windlass.Invalid) || parse(t, "*/10 * * * *").AtLeast(manifest.ShortestGap) != nil {
		t.Errorf("got %v", err)
	}
}

// Another implementation, and the definition of the gap, agree with ours.
func TestSchedulesAgreeWithGronx(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		text := randomSchedule(random)
		schedule, err := manifest.ParseSchedule(text)
		if err != nil {
			continue // never runs
		}
		after := time.Date(2024+random.IntN(8), time.Month(1+random.IntN(12)), 1+random.IntN(28), random.IntN(24), random.IntN(60), random.IntN(60), 0, time.UTC)
		ours := schedule.Next(after)
		theirs, err := gronx.NextTickAfter(text, after, false)
		if err == nil && !ours.Equal(theirs) {
			t.Errorf("%q after %v: we say %v, gronx %v", text, after, ours, theirs)
		}
		shortest := time.Duration(1 << 62)
		for previous, end := ours, after.AddDate(29, 0, 0); previous.Before(end) && shortest > schedule.MinGap(); {
			next := schedule.Next(previous)
			shortest = min(shortest, next.Sub(previous))
			previous = next
		}
		if shortest != schedule.MinGap() {
			t.Errorf("%q: the shortest gap is %v, not %v", text, shortest, schedule.MinGap())
		}
	}
}

// randomSchedule makes an expression in the part of the language on which cron
// programs agree.
func randomSchedule(random *rand.Rand) string {
	field := func(least, most int) string {
		a, b := least+random.IntN(most-least+1), least+random.IntN(most-least+1)
		switch random.IntN(5) {
		case 0:
			return fmt.Sprint(a)
		case 1:
			return fmt.Sprintf("%d,%d", a, b)
		case 2:
			return fmt.Sprintf("%d-%d", min(a, b), max(a, b))
		default:
			return "*"
		}
	}
	minute := field(0, 59)
	if random.IntN(2) == 0 {
		minute = fmt.Sprintf("*/%d", 1+random.IntN(30))
	}
	return strings.Join([]string{minute, field(0, 23), field(1, 31), field(1, 12), field(0, 6)}, " ")
}

func parse(t *testing.T, text string) manifest.Schedule {
	t.Helper()
	schedule, err := manifest.ParseSchedule(text)
	if err != nil {
		t.Fatal(err)
	}
	return schedule
}
