package budget

import (
	"context"
	"time"
)

// recheck is how long a refusal of the ledger is believed: another process may
// return something.
const recheck = 15 * time.Second

// ask takes a slice for a class from the ledger. One caller per key asks at a
// time; the others wait, and mostly find what they want when they come through.
func (b *Budget) ask(ctx context.Context, p *purse, account Account, class Class) error {
	select {
	case p.flight <- struct{}{}:
		defer func() { <-p.flight }()
	case <-ctx.Done():
		return ctx.Err()
	}
	now, back := b.clock.read()
	slot := Slot{Key: p.key, Minute: bookingMinute(now), Holder: b.opts.Holder, Class: class}
	want, heavy, aside, old := p.wants(who{class, account.Customer}, now)
	if want == 0 {
		return nil // somebody else has asked meanwhile
	}
	if old.left > 0 {
		// Should this fail the requests count as spent until they age out, no more.
		_ = b.ledger.Return(ctx, Slot{Key: p.key, Minute: old.minute, Holder: b.opts.Holder, Class: class, Waiting: p.tell(now)}, old.left)
	}
	var seen Book
	var seenAs view
	granted, available := 0, 0
	slot.Waiting = p.tell(now)
	err := b.group.reserve(ctx, Reservation{slot, minuteOf(now.Add(-back)), func(book Book) int {
		seen, seenAs = book, see(book, account.Limit, b.opts.Holder, slot.Waiting, slot.Minute)
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
		// Should this fail, whoever asks next finds the same.
		_ = b.ledger.Observe(ctx, p.key, Seen{Blocked: end, At: now, Replace: true})
		seen.Blocked = end
	}
	if seen.Blocked.After(now) {
		// Nothing was looked for, so nothing is known of when there will be more: the
		// end of the block is all that is waited for.
		p.stopped(slot, seen, seenAs)
		return nil
	}
	free := seenAs.freeAfter(available, now, back)
	if heavy && aside > 0 {
		free = min(free, 5*time.Minute) // what is left to others changes
	}
	p.take(slot, granted, heavy, seen, seenAs, now, free)
	return nil
}

// wants says how many requests to ask for and how many to leave to others, and
// hands over what is left of an earlier minute. 0 means that there is no need any
// more.
func (p *purse) wants(w who, now time.Time) (want int, heavy bool, aside int, old leased) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ahead := p.line.ahead(w, now, now)
	have := &p.slices[w.class]
	if have.minute != bookingMinute(now) {
		old, *have = *have, leased{minute: bookingMinute(now)}
	}
	heavy = p.line.heavy(w, p.view.limit)
	if heavy {
		aside = p.line.aside(w, p.view.limit)
	}
	enough := have.left > ahead && !(heavy && !p.scarce[w.class].IsZero())
	if enough || p.refused[w.class].After(now) || p.scarce[w.class].After(now) && heavy || p.blocked.After(now) {
		return 0, heavy, 0, old
	}
	// One request costs one write and nothing that has to go back; whoever wants
	// more gets it in growing slices.
	want = min(1+2*have.total, sliceOf(p.view.limit))
	if w.class == Backfill {
		want = max(want, p.turns[w.customer].left)
	}
	return max(want, ahead+1-have.left), heavy, aside, old
}

func (p *purse) tell(now time.Time) [Classes]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting(now)
}

// stopped takes in that the provider wants no requests for now.
func (p *purse) stopped(slot Slot, book Book, seen view) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.view, p.said = seen, book.Limit
	p.blocked = book.Blocked
	p.slices[slot.Class].minute = slot.Minute
}

// take puts a slice into the purse, and the news with it.
func (p *purse) take(slot Slot, granted int, heavy bool, book Book, seen view, now time.Time, free time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.view, p.said = seen, book.Limit
	p.view.used[slot.Class] += granted
	p.view.minutes[slot.Minute] += granted
	if slot.Class == Backfill {
		p.view.backfills[slot.Minute] += granted
	}
	have := &p.slices[slot.Class]
	have.minute = slot.Minute
	have.left, have.total = have.left+granted, have.total+granted
	switch {
	case granted > 0 && heavy:
		p.scarce[slot.Class] = time.Time{}
	case granted > 0:
	case heavy:
		p.scarce[slot.Class], p.heavyAt[slot.Class] = now.Add(min(free, recheck)), now.Add(free)
	default:
		p.freeAt[slot.Class] = now.Add(free)
		p.refused[slot.Class] = now.Add(min(free, recheck))
	}
}
