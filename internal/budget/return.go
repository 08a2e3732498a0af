package budget

import (
	"context"
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
		over, unused := p.over(now, all)
		for class, old := range over {
			if old.left > 0 {
				// Should this fail they count as spent until they age out, no more.
				_ = b.ledger.Return(ctx, Slot{Key: p.key, Minute: old.minute, Holder: b.opts.Holder, Class: Class(class), Waiting: p.tell(now)}, old.left)
			}
		}
		<-p.flight
		if unused > forgotten {
			b.mu.Lock()
			delete(b.purses, p.key)
			b.mu.Unlock()
		}
	}
}

// all returns the purses there are.
func (b *Budget) all() []*purse {
	b.mu.Lock()
	defer b.mu.Unlock()
	purses := make([]*purse, 0, len(b.purses))
	for _, p := range b.purses {
		purses = append(purses, p)
	}
	return purses
}

// over takes out of the purse what cannot, or is not going to, be spent.
func (p *purse) over(now time.Time, all bool) (over [Classes]leased, unused time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	unused = now.Sub(p.usedAt)
	p.payersAt(now)
	for class := range p.slices {
		if have := &p.slices[class]; all || unused > idle || have.minute != bookingMinute(now) {
			over[class], have.left = *have, 0
		}
	}
	return over, unused
}
