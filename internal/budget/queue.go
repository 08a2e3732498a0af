package budget

import (
	"cmp"
	"time"
)

// queue holds the customers who wait for one key, in one process. Most of them have
// no goroutine: their jobs sleep until the time that they were given. A place is
// kept for them until then and a while longer, so that a later caller does not get
// what they have been waiting for.
type queue struct {
	places map[waiter]place
	// served are how many requests each had in this half hour and in the one
	// before it.
	served, before map[waiter]int
	began          time.Time // when the half hour of before began
	turned, tidied time.Time
	light          [Classes]time.Time // when a customer who is not heavy was last served
}

// waiter is a customer in a queue.
type waiter struct {
	class    Class
	customer string
}

type place struct {
	since time.Time // when it began to wait
	due   time.Time // when it was told to come back
}

// grace is how long a place is kept for a waiter that does not come in time.
const grace = 30 * time.Second

func newQueue(now time.Time) queue {
	return queue{places: map[waiter]place{}, served: map[waiter]int{}, before: map[waiter]int{}, began: now, turned: now}
}

// tidy removes places that have expired.
func (l *queue) tidy(now time.Time) {
	if now.Sub(l.tidied) < time.Second {
		return
	}
	l.tidied = now
	for w, p := range l.places {
		if now.After(p.due.Add(grace)) {
			delete(l.places, w)
		}
	}
	for now.Sub(l.turned) >= time.Hour/2 {
		l.served, l.before = map[waiter]int{}, l.served
		l.began, l.turned = l.turned, l.turned.Add(time.Hour/2)
		if now.Sub(l.turned) >= time.Hour { // unused for so long
			l.served, l.before = map[waiter]int{}, map[waiter]int{}
			l.began, l.turned = now, now
		}
	}
}

// requests is how many requests a waiter had in about the last hour.
func (l *queue) requests(w waiter) int { return l.served[w] + l.before[w] }

// wait gives a waiter a place, or keeps the one it has, until due.
func (l *queue) wait(w waiter, now, due time.Time) {
	p, waits := l.places[w]
	if !waits {
		p.since = now
	}
	p.due = due
	l.places[w] = p
}

// serve counts a request, and ends the wait for it.
func (l *queue) serve(w waiter, limit int, now time.Time) {
	if l.served[w]++; !l.isHeavy(w, limit) {
		l.light[w.class] = now
	}
	delete(l.places, w)
}

// ahead counts the waiters of the same class that come first: those with fewer
// requests in the last hour and, of those with as many, those who have waited
// longer. That keeps one customer from starving another (invariant 7). dueBy leaves
// out those who were told to come later.
func (l *queue) ahead(w waiter, now, dueBy time.Time) int {
	mine, waits := l.places[w]
	if !waits {
		mine.since = now
	}
	had, n := l.requests(w), 0
	for other, p := range l.places {
		if other.class != w.class || other == w || p.due.After(dueBy) || now.After(p.due.Add(grace)) {
			continue
		}
		before := cmp.Or(cmp.Compare(l.requests(other), had), p.since.Compare(mine.since), cmp.Compare(other.customer, w.customer))
		if before < 0 {
			n++
		}
	}
	return n
}

// waiting counts the places of each class.
func (l *queue) waiting(now time.Time) (n [Classes]int) {
	for w, p := range l.places {
		if !now.After(p.due.Add(grace)) {
			n[w.class]++
		}
	}
	return n
}

// isHeavy reports whether a waiter had so many requests in the last hour, a tenth of
// the limit, that others come first for the rest.
func (l *queue) isHeavy(w waiter, limit int) bool {
	return w.class != Backfill && l.requests(w) > limit/10
}

// shared reports whether a customer waits, or more than one has been served.
func (l *queue) shared() bool {
	for _, hour := range []map[waiter]int{l.served, l.before} {
		for w := range hour {
			if l.hasOthers(w.customer) {
				return true
			}
		}
	}
	return len(l.places) > 0
}

// hasOthers reports whether a key has more than one customer.
func (l *queue) hasOthers(customer string) bool {
	for _, hour := range []map[waiter]int{l.served, l.before} {
		for other := range hour {
			if other.customer != customer {
				return true
			}
		}
	}
	for other := range l.places {
		if other.customer != customer {
			return true
		}
	}
	return false
}

// aside is what heavy customers of a class leave to the others: what these are
// expected to need in an hour, or at least a tenth of the limit, less what they had,
// and never nothing (invariant 7). It is 0 for the only customer of a key.
func (l *queue) aside(asker waiter, limit int) int {
	if !l.hasOthers(asker.customer) {
		return 0
	}
	class, had := asker.class, 0
	for w := range l.served {
		if w.class == class && !l.isHeavy(w, limit) {
			had += l.requests(w)
		}
	}
	for w := range l.before {
		if _, counted := l.served[w]; !counted && w.class == class && !l.isHeavy(w, limit) {
			had += l.requests(w)
		}
	}
	return max(limit/50, max(limit/10, expect(had, l.light[class].Sub(l.began)))-had, 1)
}
