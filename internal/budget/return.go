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
	ticker := time.NewTicker(putAwayEvery)
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

// idle is the time after which an unused key returns its slices.
const idle = 10 * time.Second

// idleLife is the time after which an unused key is forgotten.
const idleLife = 2 * time.Hour

func (b *Budget) giveBack(ctx context.Context, all bool) {
	now, _ := b.clock.read()
	for _, a := range b.all() {
		select {
		case a.asking <- struct{}{}: // so that no slice comes in meanwhile
		default:
			if !all {
				continue
			}
			select {
			case a.asking <- struct{}{}:
			case <-ctx.Done():
				return
			}
		}
		over := a.takeUnused(now, all)
		for class, old := range over {
			if old.left > 0 {
				// If this fails, they count as spent until they age out.
				_ = b.ledger.Return(ctx, Slot{Key: a.key, Minute: old.minute, Owner: b.opts.Owner, Class: Class(class), Waiting: a.lockedWaiting(now)}, old.left)
			}
		}
		b.putAway(a, now)
		<-a.asking
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for key, r := range b.rested {
		if now.Sub(r.usedAt) > idleLife {
			delete(b.rested, key)
		}
	}
}

// putAway keeps less of a key that is not used. A caller that has its allocation at this
// moment can still spend from it: what it gets comes from the ledger like any other's.
func (b *Budget) putAway(a *allocation, now time.Time) {
	kept, rests := a.rest(now)
	if !rests && a.unused(now) <= idleLife {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.allocations, a.key)
	if rests {
		b.rested[a.key] = kept
	}
}

// all returns the allocations there are.
func (b *Budget) all() []*allocation {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Collect(maps.Values(b.allocations))
}

// used returns the keys that were used lately, in order.
func (b *Budget) used() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	keys := slices.AppendSeq(slices.Collect(maps.Keys(b.allocations)), maps.Keys(b.rested))
	slices.Sort(keys)
	return keys
}

// peek returns what there is of a key for being shown; nil when it was forgotten.
func (b *Budget) peek(key string, now time.Time) *allocation {
	b.mu.Lock()
	defer b.mu.Unlock()
	if a := b.allocations[key]; a != nil {
		return a
	}
	if r, known := b.rested[key]; known {
		return r.wake(key, now)
	}
	return nil
}

// takeUnused removes from the allocation what cannot, or will not, be spent.
func (a *allocation) takeUnused(now time.Time, all bool) (over [Classes]leased) {
	a.mu.Lock()
	defer a.mu.Unlock()
	unused := now.Sub(a.usedAt)
	a.payersAt(now)
	for class := range a.slices {
		if have := &a.slices[class]; all || unused > idle || have.minute != bookingMinute(now) {
			over[class], have.left = *have, 0
		}
	}
	return over
}

// unused is for how long the allocation has not been used.
func (a *allocation) unused(now time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return now.Sub(a.usedAt)
}
