package budget

import (
	"sync"
	"time"
)

// purse is what one process has of one key: slices of the current minute, a
// picture of the ledger, and the line of those who wait.
type purse struct {
	key    string
	flight chan struct{} // held by whoever asks the ledger

	mu     sync.Mutex
	usedAt time.Time
	set    int // the limit that the operator set
	slices [Classes]leased
	line   line
	view   view
	// said is the limit of the provider, as far as this process has heard.
	said    int
	saidAt  time.Time
	blocked time.Time
	strikes int // 429s in a row that did not say how long to wait
	// refused is until when the ledger has nothing for a class, and freeAt when it
	// will, if nothing else happens.
	refused, freeAt [Classes]time.Time
	// scarce is until when customers who had much get nothing more of a class, and
	// heavyAt when they will. When it is over they have to ask: what is in the slice was not meant for them.
	scarce, heavyAt [Classes]time.Time

	next  time.Time // when the next backfill may go
	turns map[string]turn

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

// active is for how long a backfill counts as one that goes on.
const active = 2 * time.Minute

// longestPace is the longest that a backfill sleeps for its turn.
const longestPace = 15 * time.Minute

// margin is how long a request may take to reach the provider. In the last second
// of a minute nothing of that minute is spent any more, so that what is counted
// for a minute has arrived in it.
const margin = time.Second

// bookingMinute is the minute that a request of now is counted for.
func bookingMinute(now time.Time) int64 { return minuteOf(now.Add(margin)) }

func newPurse(key string, now time.Time) *purse {
	return &purse{
		key: key, flight: make(chan struct{}, 1), usedAt: now, line: newLine(now),
		view: view{limit: DefaultLimit, minutes: map[int64]int{}, backfills: map[int64]int{}}, next: now, turns: map[string]turn{},
		payers: map[string]time.Time{},
	}
}

// verdict is what comes of one try: paid, or ask the ledger and try again, or wait.
type verdict struct {
	paid, ask bool
	wait      time.Duration
	reason    string
}

// try spends a request if there is one for this caller.
func (p *purse) try(account Account, class Class, now time.Time) verdict {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := who{class: class, customer: account.Customer}
	p.usedAt, p.set = now, account.Limit
	if account.Payer != "" {
		p.payers[account.Payer] = now
	}
	p.line.tidy(now)
	p.view.limit = limitOf(p.set, p.said)
	if wait := p.blocked.Sub(now); wait > 0 {
		// A 429 is for everybody, those with a slice too.
		return p.later(w, now, wait, "the provider wants no requests for now")
	}
	if class == Backfill {
		if wait := p.pace(w, now); wait > 0 {
			// A turn that is far away is a guess; it is made again before that.
			return p.later(w, now, min(wait, longestPace), "backfills share the hour evenly")
		}
	}
	if p.line.heavy(w, p.view.limit) && !p.scarce[class].IsZero() {
		if wait := p.scarce[class].Sub(now); wait > 0 {
			return p.later(w, now, max(wait, p.heavyAt[class].Sub(now)), "what is left of this hour is set aside for others")
		}
		if !p.refused[class].After(now) {
			return verdict{ask: true}
		}
	}
	ahead := 0
	if class != Backfill { // those have their order from pace
		ahead = p.line.ahead(w, now, now)
	}
	have := &p.slices[class]
	mayTake := !p.line.heavy(w, p.view.limit) || p.scarce[class].IsZero()
	if mayTake && have.minute == bookingMinute(now) && have.left > ahead {
		have.left--
		p.spend(w, now)
		return verdict{paid: true}
	}
	if wait := p.refused[class].Sub(now); wait > 0 {
		// Sleepers come back when there will be something, and a little after one
		// another.
		all := p.line.ahead(w, now, now.Add(24*time.Hour))
		wait = max(wait, p.freeAt[class].Sub(now)) + time.Duration(all)*time.Second/10
		return p.later(w, now, wait, "the requests of this hour are spent")
	}
	return verdict{ask: true}
}

func (p *purse) later(w who, now time.Time, wait time.Duration, reason string) verdict {
	p.line.wait(w, now, now.Add(wait))
	return verdict{wait: wait, reason: reason}
}

func (p *purse) spend(w who, now time.Time) {
	p.line.serve(w, p.view.limit, now)
	if w.class == Backfill {
		t := p.turns[w.customer]
		p.turns[w.customer] = turn{left: max(0, t.left-1), at: now}
	}
}

// pace says how long a backfill has to wait for its turn; 0 is that it has one.
// A turn is a slice: several requests in one go, so that the job that makes them
// is not woken for each.
func (p *purse) pace(w who, now time.Time) time.Duration {
	limit := p.view.limit
	t, has := p.turns[w.customer]
	if has && t.left > 0 && now.Sub(t.at) < active || p.line.had(w) < headOf(limit) || p.view.idle(now) {
		if !has {
			p.turns[w.customer] = turn{at: now}
		}
		return 0
	}
	step := time.Duration(sliceOf(limit)) * p.view.interval(p.backfills(now), now)
	// A turn that nobody took is made up for, within a minute.
	if late := now.Add(-time.Minute); p.next.Before(late) {
		p.next = late
	}
	if early := p.next.Sub(now); early > 0 {
		// A view that has changed since must not keep a turn away for long.
		p.next = now.Add(min(early, step))
		all := p.line.ahead(w, now, now.Add(24*time.Hour))
		return p.next.Sub(now) + time.Duration(all)*step
	}
	if ahead := p.line.ahead(w, now, now); ahead > 0 {
		return time.Duration(ahead) * step
	}
	p.next = p.next.Add(step)
	p.turns[w.customer] = turn{left: sliceOf(limit), at: now}
	return 0
}

// backfills counts the customers whose backfills go on here.
func (p *purse) backfills(now time.Time) int {
	n := 0
	for customer, t := range p.turns {
		_, waits := p.line.places[who{Backfill, customer}]
		switch {
		case waits || now.Sub(t.at) < active:
			n++
		default:
			delete(p.turns, customer)
		}
	}
	return n
}

// waiting is what the other processes are told.
func (p *purse) waiting(now time.Time) [Classes]int {
	n := p.line.waiting(now)
	n[Backfill] = p.backfills(now)
	return n
}
