package budget

import (
	"context"
	"slices"
	"sync"
	"time"
)

const (
	// groupSize bounds how many keys one transaction pays from.
	groupSize = 32
	// gatherTime is how long a reservation that can wait is held until others join its
	// transaction.
	gatherTime = 5 * time.Millisecond
	// groupTimeout bounds one transaction.
	groupTimeout = 10 * time.Second
)

// group combines the reservations of several keys into one transaction: a round of
// checks pays from hundreds of keys, one request each. Interactive requests are not
// kept waiting for others.
type group struct {
	ledger Ledger

	mu      sync.Mutex
	waiting []*request
	running bool
	stop    chan struct{} // tells run to stop gathering
}

// request is the reservation of one caller.
type request struct {
	Reservation
	done chan error
}

func newGroup(ledger Ledger) *group {
	return &group{ledger: ledger, stop: make(chan struct{}, 1)}
}

// reserve is Ledger.Reserve of one key. No caller may want two things of a key at a
// time, unless the context of the former is over. What is granted to a caller whose
// context ends meanwhile counts as spent.
func (g *group) reserve(ctx context.Context, r Reservation) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	a := &request{r, make(chan error, 1)}
	g.mu.Lock()
	g.waiting = append(g.waiting, a)
	g.stopGathering()
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

// leave removes a waiting caller, if its transaction has not begun.
func (g *group) leave(a *request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = slices.DeleteFunc(g.waiting, func(other *request) bool { return other == a })
	g.stopGathering()
}

// stopGathering ends the gathering where there is no reason for it: a person waits, there are
// enough, or there is no one left.
func (g *group) stopGathering() {
	interactive := func(a *request) bool { return a.Class == Interactive }
	if len(g.waiting) == 0 || len(g.waiting) >= groupSize || slices.ContainsFunc(g.waiting, interactive) {
		select {
		case g.stop <- struct{}{}:
		default: // already told
		}
	}
}

// run pays until no one waits.
func (g *group) run() {
	timer := time.NewTimer(gatherTime)
	defer timer.Stop()
	for g.more() {
		timer.Reset(gatherTime)
		select {
		case <-timer.C:
		case <-g.stop:
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
func (g *group) take() []*request {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := min(groupSize, len(g.waiting))
	all := slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n)
	if len(g.waiting) > 0 {
		g.stopGathering()
	}
	return all
}

// pay makes one transaction.
func (g *group) pay(all []*request) {
	if len(all) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
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
