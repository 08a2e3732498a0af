package manifest

import (
	"math/bits"
	"time"
)

const minutesPerDay = 24 * 60

// The calendar repeats itself after 400 years, which are a whole number of
// weeks: what does not happen within that many months never happens.
const cycleMonths = 400 * 12

// A month of the Gregorian calendar, and the day of the week it begins with.
type month struct {
	year  int
	month time.Month
	first time.Weekday
}

// cycleStart is where a cycle begins, for questions that do not depend on now.
var cycleStart = month{year: 2000, month: time.January, first: time.Saturday}

func monthOf(t time.Time) month {
	return month{year: t.Year(), month: t.Month(), first: (t.Weekday() + 35 - time.Weekday(t.Day()-1)) % 7}
}

func (m month) next() month {
	m.first = (m.first + time.Weekday(m.length())) % 7
	if m.month++; m.month > time.December {
		m.month, m.year = time.January, m.year+1
	}
	return m
}

func (m month) length() int {
	switch m.month {
	case time.February:
		if m.year%4 == 0 && (m.year%100 != 0 || m.year%400 == 0) {
			return 29
		}
		return 28
	case time.April, time.June, time.September, time.November:
		return 30
	default:
		return 31
	}
}

// daysIn returns the days of a month on which the schedule runs: bit n is set
// where day n does.
func (s Schedule) daysIn(m month) uint64 {
	if s.months>>m.month&1 == 0 {
		return 0
	}
	week := s.dow>>m.first | s.dow<<(7-m.first) // bit 0 is the month's first day
	week &= 1<<7 - 1
	byWeek := (week | week<<7 | week<<14 | week<<21 | week<<28) << 1
	exist := uint64(1)<<(m.length()+1) - 2
	if s.either {
		return (s.days | byWeek) & exist
	}
	return s.days & byWeek & exist
}

// nextDay returns the first day on which the schedule runs, from a day of a
// month on, if there is one at all.
func (s Schedule) nextDay(m month, from int) (in month, day int, found bool) {
	later := ^uint64(0) << from
	for range cycleMonths + 1 {
		if days := s.daysIn(m) & later; days != 0 {
			return m, bits.TrailingZeros64(days), true
		}
		m, later = m.next(), ^uint64(0)
	}
	return month{}, 0, false
}

// minDays returns the least number of days between two days on which the
// schedule runs.
func (s Schedule) minDays() int {
	const none = 1 << 32
	shortest, last := none, -none
	m, begin := cycleStart, 0 // begin counts the days before the month
	for range 2 * cycleMonths {
		if days := s.daysIn(m); days != 0 {
			shortest = min(shortest, begin+bits.TrailingZeros64(days)-last, closest(days))
			last = begin + bits.Len64(days) - 1
		}
		if shortest == 1 {
			break
		}
		begin += m.length()
		m = m.next()
	}
	return shortest
}

// closest returns the smallest distance between two bits; with fewer than two, more
// than the days of any month.
func closest(set uint64) int {
	for distance := 1; distance < 31; distance++ {
		if set&(set>>distance) != 0 {
			return distance
		}
	}
	return 1 << 32
}

// nextClock returns the first minute of the day, from the given one on, at
// which the schedule runs.
func (s Schedule) nextClock(from int) (int, bool) {
	for hour := from / 60; hour < 24; hour++ {
		if s.hours>>hour&1 == 0 {
			continue
		}
		later := ^uint64(0) << max(0, from-hour*60)
		if minutes := s.minutes & later; minutes != 0 {
			return hour*60 + bits.TrailingZeros64(minutes), true
		}
	}
	return 0, false
}
