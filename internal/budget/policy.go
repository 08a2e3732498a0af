package budget

import (
	"maps"
	"slices"
	"time"
)

// DefaultLimit is how many requests an hour are allowed where nobody said
// another number: what Bitbucket documents for repository data.
const DefaultLimit = 1000

// limitOf is the limit that counts: the lower of what the operator set and what
// the provider said.
func limitOf(set, said int) int {
	switch {
	case set > 0 && said > 0:
		return min(set, said)
	case set > 0 || said > 0:
		return max(set, said)
	default:
		return DefaultLimit
	}
}

// view is a book as one process looks at it.
type view struct {
	limit   int
	used    [Classes]int
	waiting [Classes]int // in all processes
	minutes map[int64]int
}

// fresh is for how many minutes what a process said of who waits is believed.
const fresh = 2

// see adds up a book. waiting are this process's own, which the book may not have
// yet. Grants of the future count: a clock was set back since. But those of more
// than an hour ahead do not, or a clock that was a year wrong would block a key
// for that year.
func see(book Book, set int, holder string, waiting [Classes]int, minute int64) view {
	v := view{limit: limitOf(set, book.Limit), waiting: waiting, minutes: map[int64]int{}}
	last := map[string]Grants{}
	for _, g := range book.Grants {
		if g.Minute > minute+61 {
			continue
		}
		for class, n := range g.Granted {
			v.used[class] += n
			v.minutes[g.Minute] += n
		}
		if g.Holder != holder && g.Minute >= minute-fresh && g.Minute >= last[g.Holder].Minute {
			last[g.Holder] = g
		}
	}
	for _, g := range last {
		for class, n := range g.Waiting {
			v.waiting[class] += n
		}
	}
	return v
}

// share is what is set aside for a class: as much of the hour as nobody else may
// take before the class has had it.
//
//   - Interactive: a third more than the last hour's, so that a call does not
//     meet an hour that is spent; at least a twentieth and at most three tenths.
//   - Scheduled: a third more than the last hour's, because schedules repeat; at
//     least three twentieths and at most three fifths.
//   - Backfill: a fiftieth, so that even a key that is used up by schedules gets a
//     new customer's history in the end.
func (v *view) share(class Class) int {
	switch class {
	case Interactive:
		return min(max(v.limit/20, v.used[Interactive]*4/3), v.limit*3/10)
	case Scheduled:
		return min(max(v.limit*3/20, v.used[Scheduled]*4/3), v.limit*3/5)
	default:
		return v.limit / 50
	}
}

// aside is what is still set aside for a class. Where somebody waits in a higher
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
// limit has been lowered below what was used.
func (v *view) available(class Class) int {
	n := v.limit
	for other := range Classes {
		n -= v.used[other]
		if other != class {
			n -= v.aside(other, class)
		}
	}
	return n
}

// freeAfter says when available is going to be positive, if nothing else is used:
// when the minutes that stand in the way are no longer counted.
func (v *view) freeAfter(class Class, now time.Time, back time.Duration) time.Duration {
	short := 1 - v.available(class)
	for _, minute := range slices.Sorted(maps.Keys(v.minutes)) {
		if short -= v.minutes[minute]; short <= 0 {
			// What ages out may raise what is set aside for other classes; then the
			// caller is told to wait again.
			return time.Unix((minute+1)*60, 0).Add(back).Sub(now)
		}
	}
	return time.Minute // set aside in whole: it is looked at again
}

// interval is the time between two backfill requests of this process: all of them
// together use evenly what the other classes leave of an hour, and a process gets
// of it according to its customers.
func (v *view) interval(mine int) time.Duration {
	allowance := v.limit
	for _, class := range []Class{Interactive, Scheduled} {
		allowance -= max(v.share(class), v.used[class])
	}
	allowance = max(allowance, v.share(Backfill), 1)
	mine = max(mine, 1)
	return counted / time.Duration(allowance) * time.Duration(max(v.waiting[Backfill], mine)) / time.Duration(mine)
}

// sliceOf is how many requests are taken from the ledger at once, and how many a
// backfill may make in one go: a half per cent of the hour.
func sliceOf(limit int) int { return max(1, limit/200) }

// headOf is how many requests of a customer's backfills in an hour are not paced:
// most backfills are shorter than that, and somebody is waiting for them.
func headOf(limit int) int { return limit / 50 }
