package budget

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// DefaultLimit is how many requests an hour are allowed where no other number is
// configured or known: few enough for many APIs.
const DefaultLimit = 1000

// limitOf is the limit that counts: the lower of what the operator set and what
// the provider said; where there is neither, the provider's usual one.
func limitOf(set, usual, said int) int {
	switch {
	case set > 0 && said > 0:
		return min(set, said)
	case set > 0 || said > 0:
		return max(set, said)
	default:
		return cmp.Or(usual, DefaultLimit)
	}
}

// view is the sum of a book, for one process.
type view struct {
	limit   int
	used    [Classes]int
	waiting [Classes]int // in all processes
	minutes map[int64]int
	// backfills are those of them that went to backfills.
	backfills map[int64]int
	// seen is for how long a class has been seen, from the first of all grants to
	// its own last.
	seen [Classes]time.Duration
}

// freshMinutes is how long the waiting customers that a process reported are counted.
const freshMinutes = 2

// see adds up a book. waiting are this process's own, which the book may not have
// yet. Grants of the future count: a clock was set back since. But those of more
// than an hour ahead do not, or a clock that was a year wrong would block a key
// for that year.
func see(book Book, set, usual int, owner string, waiting [Classes]int, minute int64) view {
	v := view{limit: limitOf(set, usual, book.Limit), waiting: waiting, minutes: map[int64]int{}, backfills: map[int64]int{}}
	last := map[string]Grants{}
	oldest, latest := minute, [Classes]int64{}
	for _, g := range book.Grants {
		if g.Minute > minute+61 {
			continue
		}
		for class, n := range g.Granted {
			v.used[class] += n
			v.minutes[g.Minute] += n
			if Class(class) == Backfill {
				v.backfills[g.Minute] += n
			}
			if n > 0 {
				oldest, latest[class] = min(oldest, g.Minute), max(latest[class], g.Minute)
			}
		}
		if g.Owner != owner && g.Minute >= minute-freshMinutes && g.Minute >= last[g.Owner].Minute {
			last[g.Owner] = g
		}
	}
	for _, g := range last {
		for class, n := range g.Waiting {
			v.waiting[class] += n
		}
	}
	for class, last := range latest {
		v.seen[class] = time.Duration(max(0, last-oldest)) * time.Minute
	}
	return v
}

// expect is how many requests an hour may bring, to judge by those that were
// counted in a while: a third more than the same in every minute. The while ends
// with the last of them, or requests that come in bursts would seem to become
// fewer between two; and of a few minutes not too much is concluded.
func expect(used int, in time.Duration) int {
	in = min(max(in, 10*time.Minute), bookSpan)
	return int(float64(used) * 4 / 3 * float64(bookSpan) / float64(in))
}

// share is what is set aside for a class: the part of the hour that no other class
// may take before the class has had it.
//
//   - Interactive: what the last hour lets expect, so that a call does not meet
//     an hour that is spent; at least a twentieth and at most three tenths.
//   - Scheduled: what the last hour lets expect, because schedules repeat; at
//     least three twentieths and at most three fifths.
//   - Backfill: a fiftieth, so that even a key that is used up by schedules gets a
//     new customer's history in the end.
func (v *view) share(class Class) int {
	switch class {
	case Interactive:
		return min(max(v.limit/20, expect(v.used[Interactive], v.seen[Interactive])), v.limit*3/10)
	case Scheduled:
		return min(max(v.limit*3/20, expect(v.used[Scheduled], v.seen[Scheduled])), v.limit*3/5)
	default:
		return v.limit / 50
	}
}

// aside is what is still set aside for a class. Where a customer waits in a higher
// class than asker, it is at least one request for each of them (invariant 7: the
// order of service, across processes).
func (v *view) aside(class, asker Class) int {
	aside := max(0, v.share(class)-v.used[class])
	if class < asker {
		aside = max(aside, v.waiting[class])
	}
	return aside
}

// available is how many requests a class may be granted now; negative when the
// limit has been lowered below what was used. Backfills, and customers who had
// much, leave what is set aside. The others come before them, and need to leave
// only little: what is expected is a guess, and they are here now.
func (v *view) available(class Class, heavy bool) int {
	n := v.limit
	for other := range Classes {
		n -= v.used[other]
		switch {
		case other == class:
		case class == Backfill || heavy:
			n -= v.aside(other, class)
		case class == Scheduled:
			n -= min(v.aside(other, class), v.limit/50)
		}
	}
	return n
}

// freeAfter returns when requests will be available if no others are used: when the
// minutes that are in the way are no longer counted.
func (v *view) freeAfter(available int, now time.Time, back time.Duration) time.Duration {
	short := 1 - available
	for _, minute := range slices.Sorted(maps.Keys(v.minutes)) {
		if short -= v.minutes[minute]; short <= 0 {
			// What ages out may raise what is set aside for other classes; then the
			// caller is told to wait again.
			return time.Unix((minute+1)*60, 0).Add(back).Sub(now)
		}
	}
	return time.Minute // set aside in whole: it is looked at again
}

// allowance is what the classes above leave of an hour to backfills.
func (v *view) allowance() int {
	allowance := v.limit
	for _, class := range []Class{Interactive, Scheduled} {
		allowance -= max(v.share(class), v.used[class])
	}
	return max(allowance, v.share(Backfill), 1)
}

// idle reports whether backfills have used so little of what the last hour had for
// them, less than half of it, that they need not take turns. The other half is
// spread evenly, so that there is something left for a customer who comes later.
func (v *view) idle(now time.Time) bool {
	allowance := v.allowance()
	for minute, n := range v.backfills {
		if age(minute, now) < bookSpan {
			allowance -= 2 * n
		}
	}
	return allowance > 0
}

// age is the time since a minute began.
func age(minute int64, now time.Time) time.Duration { return now.Sub(time.Unix(minute*60, 0)) }

// interval is the time between two backfill requests of this process: all of them
// together use evenly what is left of an hour, and a process gets of it according
// to its customers. What was used at once is made up for until it ages out: no
// later minute finds the hour spent.
func (v *view) interval(mine int, now time.Time) time.Duration {
	allowance := v.allowance()
	free := allowance
	for minute, n := range v.backfills {
		if age(minute, now) < bookSpan {
			free -= n
		}
	}
	// The pace is the fastest that can be kept up until any of the minutes to come.
	pace := bookSpan / time.Duration(max(allowance, 1))
	for _, minute := range slices.Sorted(maps.Keys(v.backfills)) {
		left := bookSpan - age(minute, now)
		if left <= 0 {
			continue
		}
		if left > 10*time.Minute {
			pace = max(pace, min(left/time.Duration(max(free, 1)), bookSpan/time.Duration(max(v.share(Backfill), 1))))
		}
		free += v.backfills[minute]
	}
	pace = pace * 9 / 10 // unused turns of others
	mine = max(mine, 1)
	return pace * time.Duration(max(v.waiting[Backfill], mine)) / time.Duration(mine)
}

// sliceOf is how many requests are taken from the ledger at once, and how many a
// backfill may make in one go: a half per cent of the hour.
func sliceOf(limit int) int { return max(1, limit/200) }

// headOf is how many requests of a customer's backfills in an hour are not paced:
// most backfills are shorter than that, and a person is waiting for them.
func headOf(limit int) int { return limit / 50 }
