package budget

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	// groupSize bounds how many keys one transaction pays of.
	groupSize = 32
	// gathering is how long a request that can wait is held until others join its transaction.
	gathering = 5 * time.Millisecond
	// groupPatience bounds one transaction.
	groupPatience = 10 * time.Second
)

// group takes what callers of several keys want of the ledger there in one
// transaction: a round of checks pays of hundreds of keys, one request each.
// Interactive requests are not kept waiting for others.
type group struct {
	ledger Ledger

	mu      sync.Mutex
	waiting []*asking
	running bool
	now     chan struct{} // there is no reason to gather any longer
}

// asking is what one caller wants.
type asking struct {
	Reservation
	done chan error
}

func newGroup(ledger Ledger) *group {
	return &group{ledger: ledger, now: make(chan struct{}, 1)}
}

// reserve is Ledger.Reserve of one key. No caller may want two things of a key at a
// time, unless the context of the former is over. What is granted to a caller whose
// context ends meanwhile counts as spent.
func (g *group) reserve(ctx context.Context, r Reservation) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	a := &asking{r, make(chan error, 1)}
	g.mu.Lock()
	g.waiting = append(g.waiting, a)
	g.hurry()
	if !g.running {
		g.running = true
		go g.run() //nolint:contextcheck // it works for all who have come, not for the first
	}
	g.mu.Unlock()
	select {
	case err := <-a.done:
		return err
	case <-ctx.Done():
		g.leave(a)
		return ctx.Err()
	}
}

// leave takes a caller out of those who wait, if its transaction has not begun.
func (g *group) leave(a *asking) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = slices.DeleteFunc(g.waiting, func(other *asking) bool { return other == a })
	g.hurry()
}

// hurry ends the gathering where there is no reason for it: a person waits, there are
// enough, or there is no one left.
func (g *group) hurry() {
	interactive := func(a *asking) bool { return a.Class == Interactive }
	if len(g.waiting) == 0 || len(g.waiting) >= groupSize || slices.ContainsFunc(g.waiting, interactive) {
		select {
		case g.now <- struct{}{}:
		default: // it has been said
		}
	}
}

// run pays until no one waits.
func (g *group) run() {
	timer := time.NewTimer(gathering)
	defer timer.Stop()
	for g.more() {
		timer.Reset(gathering)
		select {
		case <-timer.C:
		case <-g.now:
		}
		g.pay(g.take())
	}
}

// more reports whether anyone waits; if not, the next who comes has to begin.
func (g *group) more() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.running = len(g.waiting) > 0
	return g.running
}

// take returns those who are paid next.
func (g *group) take() []*asking {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := min(groupSize, len(g.waiting))
	all := slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n)
	if len(g.waiting) > 0 {
		g.hurry()
	}
	return all
}

// pay makes one transaction.
func (g *group) pay(all []*asking) {
	if len(all) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), groupPatience)
	defer cancel()
	reservations := make([]Reservation, 0, len(all))
	for _, a := range all {
		reservations = append(reservations, a.Reservation)
	}
	err := g.ledger.Reserve(ctx, reservations)
	for _, a := range all {
		a.done <- err
	}
}
