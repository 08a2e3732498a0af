package budget

import (
	"context"
	"time"
)

// refusalLife is how long a refusal of the ledger is valid: another process may return
// requests.
const refusalLife = 15 * time.Second

// ask takes a slice for a class from the ledger. One caller per key asks at a
// time; the others wait, and mostly find requests in the slice afterwards.
func (b *Budget) ask(ctx context.Context, a *allocation, account Account, class Class) error {
	select {
	case a.asking <- struct{}{}:
		defer func() { <-a.asking }()
	case <-ctx.Done():
		return ctx.Err()
	}
	now, back := b.clock.read()
	slot := Slot{Key: a.key, Minute: bookingMinute(now), Owner: b.opts.Owner, Class: class}
	want, heavy, aside, old := a.wants(waiter{class, account.Customer}, now)
	if want == 0 {
		return nil // another caller has asked meanwhile
	}
	if old.left > 0 {
		// If this fails, the requests count as spent until they age out.
		_ = b.ledger.Return(ctx, Slot{Key: a.key, Minute: old.minute, Owner: b.opts.Owner, Class: class, Waiting: a.lockedWaiting(now)}, old.left)
	}
	var seen Book
	var seenAs view
	granted, available := 0, 0
	slot.Waiting = a.lockedWaiting(now)
	err := b.group.reserve(ctx, Reservation{slot, minuteOf(now.Add(-back)), func(book Book) int {
		seen, seenAs = book, see(book, account.Limit, account.Usual, b.opts.Owner, slot.Waiting, slot.Minute)
		granted = 0
		if !book.Blocked.After(now) {
			available = seenAs.available(class, heavy) - aside
			granted = max(0, min(want, available))
		}
		return granted
	}})
	if err != nil {
		return err
	}
	if end, set := seen.blockEnd(now); set {
		// If this fails, the next caller finds the same.
		_ = b.ledger.Observe(ctx, a.key, Seen{Blocked: end, At: now, Replace: true})
		seen.Blocked = end
	}
	if seen.Blocked.After(now) {
		// The ledger was not asked for requests, so it is not known when there will be
		// more: wait for the end of the block.
		a.setBlocked(slot, seen, seenAs)
		return nil
	}
	free := seenAs.freeAfter(available, now, back)
	if heavy && aside > 0 {
		free = min(free, 5*time.Minute) // what is left to others changes
	}
	a.addGrant(slot, granted, heavy, seen, seenAs, now, free)
	return nil
}

// wants returns how many requests to ask for, how many to leave to others, and the rest
// of an earlier minute's slice. 0 means that there is no need to ask.
func (a *allocation) wants(w waiter, now time.Time) (want int, heavy bool, aside int, old leased) {
	a.mu.Lock()
	defer a.mu.Unlock()
	ahead := a.queue.ahead(w, now, now)
	have := &a.slices[w.class]
	if have.minute != bookingMinute(now) {
		old, *have = *have, leased{minute: bookingMinute(now)}
	}
	heavy = a.queue.isHeavy(w, a.view.limit)
	if heavy {
		aside = a.queue.aside(w, a.view.limit)
	}
	enough := have.left > ahead && !(heavy && !a.scarceUntil[w.class].IsZero())
	if enough || a.refusedUntil[w.class].After(now) || a.scarceUntil[w.class].After(now) && heavy || a.blockedUntil.After(now) {
		return 0, heavy, 0, old
	}
	// One request costs one write and returns nothing; a caller that wants more
	// gets it in growing slices.
	want = min(1+2*have.total, sliceOf(a.view.limit))
	if w.class == Backfill {
		want = max(want, a.turns[w.customer].left)
	}
	return max(want, ahead+1-have.left), heavy, aside, old
}

func (a *allocation) lockedWaiting(now time.Time) [Classes]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.waiting(now)
}

// setBlocked notes that the provider accepts no requests for now.
func (a *allocation) setBlocked(slot Slot, book Book, seen view) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.view, a.providerLimit = seen, book.Limit
	a.blockedUntil = book.Blocked
	a.slices[slot.Class].minute = slot.Minute
}

// addGrant adds a granted slice to the allocation, with the new view of the ledger.
func (a *allocation) addGrant(slot Slot, granted int, heavy bool, book Book, seen view, now time.Time, free time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.view, a.providerLimit = seen, book.Limit
	a.view.used[slot.Class] += granted
	a.view.minutes[slot.Minute] += granted
	if slot.Class == Backfill {
		a.view.backfills[slot.Minute] += granted
	}
	have := &a.slices[slot.Class]
	have.minute = slot.Minute
	have.left, have.total = have.left+granted, have.total+granted
	switch {
	case granted > 0 && heavy:
		a.scarceUntil[slot.Class] = time.Time{}
	case granted > 0:
	case heavy:
		a.scarceUntil[slot.Class], a.heavyAt[slot.Class] = now.Add(min(free, refusalLife)), now.Add(free)
	default:
		a.freeAt[slot.Class] = now.Add(free)
		a.refusedUntil[slot.Class] = now.Add(min(free, refusalLife))
	}
}
