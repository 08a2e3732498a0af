package budget

import (
	"context"
	"maps"
	"slices"
	"time"
)

// Run returns what was leased and not spent, until ctx ends, and then all of it.
// Without it nothing goes wrong, but unspent requests count until they age out.
func (b *Budget) Run(ctx context.Context) error {
	ticker := time.NewTicker(10 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			b.giveBack(ctx, false)
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			b.giveBack(last, true)
			return nil
		}
	}
}

// idle is when a key counts as one that is not used, and its slices go back.
const idle = 10 * time.Second

// forgotten is when nothing is worth remembering of a key.
const forgotten = 2 * time.Hour

func (b *Budget) giveBack(ctx context.Context, all bool) {
	now, _ := b.clock.read()
	for _, p := range b.all() {
		select {
		case p.flight <- struct{}{}: // so that no slice comes in meanwhile
		default:
			if !all {
				continue
			}
			select {
			case p.flight <- struct{}{}:
			case <-ctx.Done():
				return
			}
		}
		over := p.over(now, all)
		for class, old := range over {
			if old.left > 0 {
				// Should this fail they count as spent until they age out, no more.
				_ = b.ledger.Return(ctx, Slot{Key: p.key, Minute: old.minute, Holder: b.opts.Holder, Class: Class(class), Waiting: p.tell(now)}, old.left)
			}
		}
		b.putAway(p, now)
		<-p.flight
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for key, r := range b.rested {
		if now.Sub(r.usedAt) > forgotten {
			delete(b.rested, key)
		}
	}
}

// putAway keeps less of a key that is not used. Whoever holds its purse at this
// moment can still spend from it: what it gets comes from the ledger like any other's.
func (b *Budget) putAway(p *purse, now time.Time) {
	kept, rests := p.rest(now)
	if !rests && p.unused(now) <= forgotten {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.purses, p.key)
	if rests {
		b.rested[p.key] = kept
	}
}

// all returns the purses there are.
func (b *Budget) all() []*purse {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Collect(maps.Values(b.purses))
}

// used returns the keys that were used lately, in order.
func (b *Budget) used() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	keys := slices.AppendSeq(slices.Collect(maps.Keys(b.purses)), maps.Keys(b.rested))
	slices.Sort(keys)
	return keys
}

// look returns what there is of a key for being shown; nil when it was forgotten.
func (b *Budget) look(key string, now time.Time) *purse {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.purses[key]; p != nil {
		return p
	}
	if r, known := b.rested[key]; known {
		return r.wake(key, now)
	}
	return nil
}

// over takes out of the purse what cannot, or is not going to, be spent.
func (p *purse) over(now time.Time, all bool) (over [Classes]leased) {
	p.mu.Lock()
	defer p.mu.Unlock()
	unused := now.Sub(p.usedAt)
	p.payersAt(now)
	for class := range p.slices {
		if have := &p.slices[class]; all || unused > idle || have.minute != bookingMinute(now) {
			over[class], have.left = *have, 0
		}
	}
	return over
}

// unused is for how long the purse has not been used.
func (p *purse) unused(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return now.Sub(p.usedAt)
}
