package budget

import (
	"time"
)

// restsAfter is when a key that one customer alone uses stops costing memory: a
// server may have a hundred thousand of them, each used once an hour.
const restsAfter = 3 * time.Second

// putAwayEvery is how often keys are looked through for what can go back or rest.
const putAwayEvery = 2 * time.Second

// restedKey is the state that is kept of a key between two uses that are far apart.
// What the ledger knows is not in it: the next use reads it again.
type restedKey struct {
	usedAt           time.Time
	set, usual, said int
	saidAt           time.Time
	payer            string
}

// rest returns what to keep of an allocation that is not used; ok is false when more would
// be lost: requests that may be spent, a wait, a block, or customers among whom the
// key is shared.
func (a *allocation) rest(now time.Time) (r restedKey, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	payers := a.payersAt(now)
	switch {
	case now.Sub(a.usedAt) < restsAfter, now.Before(a.usedAt), len(payers) > 1, a.queue.shared():
		return restedKey{}, false
	case a.blockedUntil.After(now), a.count429 > 0:
		return restedKey{}, false
	}
	for class := range a.slices {
		if a.slices[class].left > 0 || a.refusedUntil[class].After(now) || a.scarceUntil[class].After(now) {
			return restedKey{}, false
		}
	}
	r = restedKey{usedAt: a.usedAt, set: a.operatorLimit, usual: a.usualLimit, said: a.providerLimit, saidAt: a.providerLimitAt}
	if len(payers) == 1 {
		r.payer = payers[0]
	}
	return r, true
}

// wake restores an allocation.
func (r restedKey) wake(key string, now time.Time) *allocation {
	a := newAllocation(key, now)
	a.usedAt, a.operatorLimit, a.usualLimit, a.providerLimit, a.providerLimitAt = r.usedAt, r.set, r.usual, r.said, r.saidAt
	a.view.limit = limitOf(r.set, r.usual, r.said)
	if r.payer != "" {
		a.payers[r.payer] = r.usedAt
	}
	return a
}
