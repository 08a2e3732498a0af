package deliver

import (
	"sync"
	"time"

	"windlass"
)

const (
	// circuitAfter so many failures in a row, only probes go out.
	circuitAfter = 5
	// A probe waits a tenth of the time that a destination has been failing for,
	// within these bounds: what was down for a while is noticed after a tenth of it
	// that it is back. The longer is no longer than the second wait of the schedule,
	// so that a lone batch keeps to it.
	holdShare    = 10
	shortestHold = 5 * time.Second
	maxHold      = 5 * time.Minute
)

// A circuit decides whether an attempt may begin, from how the destination has
// fared. Only the owner of the destination's lease has one, so what it knows is
// all there is to know.
type circuit struct {
	mu      sync.Mutex
	health  windlass.Health
	leased  time.Time // until when
	probing bool      // the one attempt that may be under way is
	// delivered is when the last batch was. A failure of an attempt that began
	// before says nothing of the destination as it is since.
	delivered time.Time
}

// enter reports whether an attempt may begin. If so, leave or abandon follows.
func (c *circuit) enter(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.passable(now) {
		return false
	}
	c.probing = c.health.Failures >= circuitAfter
	return true
}

// open reports whether enter would let an attempt begin.
func (c *circuit) open(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.passable(now)
}

func (c *circuit) passable(now time.Time) bool {
	// An attempt must have ended before another process can have the lease.
	if c.leased.Sub(now) <= Timeout || c.health.HoldUntil.After(now) {
		return false
	}
	return c.health.Failures < circuitAfter || !c.probing
}

// abandon takes an attempt back that nothing is known of.
func (c *circuit) abandon() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.probing = false
}

// leave says how an attempt ended that began at the given time.
func (c *circuit) leave(began, now time.Time, delivered bool, retryAfter time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.probing = false
	if delivered {
		// What a receiver asked for with Retry-After stands, though others that were
		// under way at that time arrive.
		if c.health.Failures >= circuitAfter || !c.health.HoldUntil.After(now) {
			c.health.HoldUntil = time.Time{}
		}
		c.health.Failures, c.health.FailingSince, c.delivered = 0, time.Time{}, now
		return
	}
	if !began.Before(c.delivered) {
		c.health.Failures++
		if c.health.FailingSince.IsZero() {
			c.health.FailingSince = began
		}
	}
	hold := retryAfter
	if c.health.Failures >= circuitAfter {
		hold = max(hold, min(max(now.Sub(c.health.FailingSince)/holdShare, shortestHold), maxHold))
	}
	if until := now.Add(hold); hold > 0 && until.After(c.health.HoldUntil) {
		c.health.HoldUntil = until
	}
}

// state is what is to be remembered.
func (c *circuit) state() windlass.Health {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.health
}

// extend says until when the lease is held.
func (c *circuit) extend(until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leased = until
}
