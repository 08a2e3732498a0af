package manifest

import (
	"fmt"
	"strings"
	"time"

	"windlass"
)

// Schedule is when something runs: a cron expression of five fields, in UTC.
// Two schedules with the same text are equal. The zero value never runs.
type Schedule struct {
	text                              string
	minutes, hours, days, months, dow uint64 // bit n is set where n runs
	// either: a day runs when the month or the week says so. Otherwise both
	// must, of which one may say "every day".
	either bool
}

// ParseSchedule reads a cron expression: minute, hour, day of the month, month
// and day of the week. A field is * or a list of numbers, ranges (1-5) and steps
// (*/10, 8-18/2, 30/15); months and days of the week have English names of
// three letters, and Sunday is 0 or 7.
//
// Where both the day of the month and the day of the week are restricted, a day
// that matches either of them runs, as POSIX has it. A field that begins with *
// does not restrict in this sense, as in the cron of Vixie and its successors:
// "0 0 */2 * MON" is every Monday with an odd day.
//
// The error is a [*ScheduleError]. A schedule that would never run, such as one
// on 30 February, is an error, too.
func ParseSchedule(text string) (Schedule, error) {
	parts := strings.Fields(text)
	if len(parts) != len(cronFields) {
		return Schedule{}, notFive(text, len(parts))
	}
	var sets [len(cronFields)]uint64
	for i, part := range parts {
		set, wrong, remedy := cronFields[i].parse(part)
		if wrong != "" {
			return Schedule{}, scheduleError(text, wrong, remedy)
		}
		sets[i] = set
	}
	s := Schedule{
		text: strings.Join(parts, " "), minutes: sets[0], hours: sets[1], days: sets[2], months: sets[3], dow: sets[4],
		either: parts[2][0] != '*' && parts[4][0] != '*',
	}
	if _, _, runs := s.nextDay(cycleStart, 1); !runs {
		return Schedule{}, scheduleError(text, "never runs: no year has such a day", "name a day that its months have")
	}
	return s, nil
}

// notFive is the error for a schedule that has not five fields.
func notFive(text string, count int) error {
	remedy := `write minute, hour, day of the month, month and day of the week, as in "*/10 * * * *"`
	wrong := fmt.Sprintf("has %d fields instead of 5", count)
	if name := strings.TrimSpace(text); strings.HasPrefix(name, "@") {
		wrong = "is a nickname, not five fields"
		if means, found := nicknames[strings.ToLower(name)]; found {
			remedy = "write " + quote(means)
		}
	} else if count == 6 {
		remedy = "leave out the seconds or the year, and " + remedy
	}
	return scheduleError(text, wrong, remedy)
}

// nicknames are understood by many programs, but not by the contract.
var nicknames = map[string]string{
	"@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *",
	"@weekly": "0 0 * * 0", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
}

// String returns the expression, with single spaces.
func (s Schedule) String() string { return s.text }

// Next returns the first time after the given one at which the schedule runs,
// in UTC; never the given time itself. The zero Schedule returns the zero time.
func (s Schedule) Next(after time.Time) time.Time {
	if s.minutes == 0 {
		return time.Time{}
	}
	after = after.UTC()
	in, from := monthOf(after), after.Day()
	if s.daysIn(in)>>from&1 == 1 {
		if clock, found := s.nextClock(after.Hour()*60 + after.Minute() + 1); found {
			return time.Date(in.year, in.month, from, 0, clock, 0, 0, time.UTC)
		}
	}
	in, day, found := s.nextDay(in, from+1)
	if !found {
		return time.Time{}
	}
	first, _ := s.nextClock(0)
	return time.Date(in.year, in.month, day, 0, first, 0, 0, time.UTC)
}

// MinGap returns the shortest time that ever lies between two runs: exactly,
// across the ends of hours, days, months and leap years. It is 0 for the zero
// Schedule.
func (s Schedule) MinGap() time.Duration {
	if s.minutes == 0 {
		return 0
	}
	first, _ := s.nextClock(0)
	last := first
	const none = 1 << 62
	shortest := none // in minutes
	for {
		next, found := s.nextClock(last + 1)
		if !found {
			break
		}
		shortest = min(shortest, next-last)
		last = next
	}
	shortest = min(shortest, s.minDays()*minutesPerDay-last+first)
	return time.Duration(shortest) * time.Minute
}

// ScheduleError says why a schedule cannot be used. Its kind is
// windlass.Invalid.
type ScheduleError struct{ Message, Remedy string }

// Error returns the message and the remedy.
func (e *ScheduleError) Error() string { return e.Message + ": " + e.Remedy }

// Unwrap returns the kind, for errors.Is.
func (e *ScheduleError) Unwrap() error { return windlass.Invalid }

func scheduleError(text, wrong, remedy string) *ScheduleError {
	return &ScheduleError{Message: "schedule " + quote(text) + " " + wrong, Remedy: remedy}
}
