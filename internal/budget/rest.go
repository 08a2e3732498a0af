package budget

import (
	"time"
)

// restsAfter is when a key that one customer alone uses stops costing memory: a
// server may have a hundred thousand of them, each used once an hour.
const restsAfter = 15 * time.Second

// rested is all that is kept of a key between two uses that are far apart. What the
// ledger knows is not in it: the next use reads it again.
type rested struct {
	usedAt    time.Time
	set, said int
	saidAt    time.Time
	payer     string
}

// rest returns what to keep of a purse that is not used; ok is false when more would
// be lost: requests that may be spent, a wait, a block, or customers among whom the
// key is shared.
func (p *purse) rest(now time.Time) (r rested, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	payers := p.payersAt(now)
	switch {
	case now.Sub(p.usedAt) < restsAfter, now.Before(p.usedAt), len(payers) > 1, p.line.shared():
		return rested{}, false
	case p.blocked.After(now), p.strikes > 0:
		return rested{}, false
	}
	for class := range p.slices {
		if p.slices[class].left > 0 || p.refused[class].After(now) || p.scarce[class].After(now) {
			return rested{}, false
		}
	}
	r = rested{usedAt: p.usedAt, set: p.set, said: p.said, saidAt: p.saidAt}
	if len(payers) == 1 {
		r.payer = payers[0]
	}
	return r, true
}

// wake makes a purse of what was kept.
func (r rested) wake(key string, now time.Time) *purse {
	p := newPurse(key, now)
	p.usedAt, p.set, p.said, p.saidAt = r.usedAt, r.set, r.said, r.saidAt
	p.view.limit = limitOf(r.set, r.said)
	if r.payer != "" {
		p.payers[r.payer] = r.usedAt
	}
	return p
}
