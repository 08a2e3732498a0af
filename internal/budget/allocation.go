package budget

import (
	"sync"
	"time"
)

// allocation is what one process has of one key: slices of the current minute, a
// view of the ledger, and the queue of those who wait.
type allocation struct {
	key    string
	asking chan struct{} // held by the goroutine that asks the ledger

	mu            sync.Mutex
	usedAt        time.Time
	operatorLimit int // the limit that the operator set
	usualLimit    int // the limit that the provider documents
	slices        [Classes]leased
	queue         queue
	view          view
	// providerLimit is the provider's limit, as far as this process knows.
	providerLimit   int
	providerLimitAt time.Time
	blockedUntil    time.Time
	count429        int // 429s in a row that did not say how long to wait
	// refusedUntil is until when the ledger has nothing for a class, and freeAt is the
	// expected time of more.
	refusedUntil, freeAt [Classes]time.Time
	// scarceUntil is until when heavy customers get nothing more of a class, and
	// heavyAt is the expected time of more. After that they have to ask the ledger: the
	// slice was not meant for them.
	scarceUntil, heavyAt [Classes]time.Time

	nextBackfill time.Time // when the next backfill may go
	turns        map[string]turn

	payers map[string]time.Time // when each came last
}

// leased is a slice: requests of one minute that may be spent without asking.
type leased struct {
	minute int64
	left   int
	total  int // granted in this minute so far
}

// turn is what a customer's backfills may spend before they are paced again.
type turn struct {
	left int
	at   time.Time
}

// active is how long a backfill counts as running after its last request.
const active = 2 * time.Minute

// maxPace is the longest that a backfill sleeps for its turn.
const maxPace = 15 * time.Minute

// margin is how long a request may take to reach the provider. The slice of a minute is
// not spent in its last second, so that requests arrive in the minute for which they
// are counted.
const margin = time.Second

// bookingMinute is the minute that a request of now is counted for.
func bookingMinute(now time.Time) int64 { return minuteOf(now.Add(margin)) }

func newAllocation(key string, now time.Time) *allocation {
	return &allocation{
		key: key, asking: make(chan struct{}, 1), usedAt: now, queue: newQueue(now),
		view: view{limit: DefaultLimit, minutes: map[int64]int{}, backfills: map[int64]int{}}, nextBackfill: now, turns: map[string]turn{},
		payers: map[string]time.Time{},
	}
}

// verdict is the result of one try: paid, or ask the ledger and try again, or wait.
type verdict struct {
	paid, ask bool
	wait      time.Duration
	reason    string
}

// try spends a request if there is one for this caller.
func (a *allocation) try(account Account, class Class, now time.Time) verdict {
	a.mu.Lock()
	defer a.mu.Unlock()
	w := waiter{class: class, customer: account.Customer}
	a.usedAt, a.operatorLimit, a.usualLimit = now, account.Limit, account.Usual
	if account.Payer != "" {
		a.payers[account.Payer] = now
	}
	a.queue.tidy(now)
	a.view.limit = limitOf(a.operatorLimit, a.usualLimit, a.providerLimit)
	if wait := a.blockedUntil.Sub(now); wait > 0 {
		// A 429 is for all, also those with a slice.
		return a.refuse(w, now, wait, "the provider wants no requests for now")
	}
	if class == Backfill {
		if wait := a.pace(w, now); wait > 0 {
			// A turn that is far away is a guess; it is made again before that.
			return a.refuse(w, now, min(wait, maxPace), "backfills share the hour evenly")
		}
	}
	if a.queue.isHeavy(w, a.view.limit) && !a.scarceUntil[class].IsZero() {
		if wait := a.scarceUntil[class].Sub(now); wait > 0 {
			return a.refuse(w, now, max(wait, a.heavyAt[class].Sub(now)), "what is left of this hour is set aside for others")
		}
		if !a.refusedUntil[class].After(now) {
			return verdict{ask: true}
		}
	}
	ahead := 0
	if class != Backfill { // backfills are ordered by pace
		ahead = a.queue.ahead(w, now, now)
	}
	have := &a.slices[class]
	mayTake := !a.queue.isHeavy(w, a.view.limit) || a.scarceUntil[class].IsZero()
	if mayTake && have.minute == bookingMinute(now) && have.left > ahead {
		have.left--
		a.spend(w, now)
		return verdict{paid: true}
	}
	if wait := a.refusedUntil[class].Sub(now); wait > 0 {
		// Sleeping jobs come back when there will be requests, spread a little.
		all := a.queue.ahead(w, now, now.Add(24*time.Hour))
		wait = max(wait, a.freeAt[class].Sub(now)) + time.Duration(all)*time.Second/10
		return a.refuse(w, now, wait, "the requests of this hour are spent")
	}
	return verdict{ask: true}
}

func (a *allocation) refuse(w waiter, now time.Time, wait time.Duration, reason string) verdict {
	a.queue.wait(w, now, now.Add(wait))
	return verdict{wait: wait, reason: reason}
}

func (a *allocation) spend(w waiter, now time.Time) {
	a.queue.serve(w, a.view.limit, now)
	if w.class == Backfill {
		t := a.turns[w.customer]
		a.turns[w.customer] = turn{left: max(0, t.left-1), at: now}
	}
}

// pace says how long a backfill has to wait for its turn; 0 is that it has one.
// A turn is a slice: several requests in one go, so that the job that makes them
// is not woken for each.
func (a *allocation) pace(w waiter, now time.Time) time.Duration {
	limit := a.view.limit
	t, has := a.turns[w.customer]
	if has && t.left > 0 && now.Sub(t.at) < active || a.queue.requests(w) < headOf(limit) || a.view.idle(now) {
		if !has {
			a.turns[w.customer] = turn{at: now}
		}
		return 0
	}
	step := time.Duration(sliceOf(limit)) * a.view.interval(a.backfills(now), now)
	// A turn that was not taken is made up for, within a minute.
	if late := now.Add(-time.Minute); a.nextBackfill.Before(late) {
		a.nextBackfill = late
	}
	if early := a.nextBackfill.Sub(now); early > 0 {
		// A view that has changed since must not keep a turn away for long.
		a.nextBackfill = now.Add(min(early, step))
		all := a.queue.ahead(w, now, now.Add(24*time.Hour))
		return a.nextBackfill.Sub(now) + time.Duration(all)*step
	}
	if ahead := a.queue.ahead(w, now, now); ahead > 0 {
		return time.Duration(ahead) * step
	}
	a.nextBackfill = a.nextBackfill.Add(step)
	a.turns[w.customer] = turn{left: sliceOf(limit), at: now}
	return 0
}

// backfills counts the customers whose backfills run in this process.
func (a *allocation) backfills(now time.Time) int {
	n := 0
	for customer, t := range a.turns {
		_, waits := a.queue.places[waiter{Backfill, customer}]
		switch {
		case waits || now.Sub(t.at) < active:
			n++
		default:
			delete(a.turns, customer)
		}
	}
	return n
}

// waiting is the number of waiting customers, for the other processes.
func (a *allocation) waiting(now time.Time) [Classes]int {
	n := a.queue.waiting(now)
	n[Backfill] = a.backfills(now)
	return n
}
