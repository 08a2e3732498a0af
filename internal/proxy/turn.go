package proxy

import (
	"sync"
	"time"
)

// A side is whose turn it is in an exchange.
type side int

const (
	neither side = iota
	caller
	provider
)

// A turn watches one direction of an exchange: the side that has the turn is late
// when the time passes. It is one timer that is moved, so that watching every read and
// every write costs little.
type turn struct {
	late func(side) // is called at most once; must not call back

	mu    sync.Mutex
	timer *time.Timer
	whose side
	until time.Time
	// settled means that the provider owes nothing more in this direction. It is kept
	// here, under the lock, because a read that just ended would otherwise give it the
	// turn again.
	settled bool
	over    bool
}

// give gives the turn to a side for some time.
func (t *turn) give(whose side, within time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return
	}
	if t.settled && whose == provider {
		t.whose = neither
		return
	}
	t.whose, t.until = whose, time.Now().Add(within)
	if t.timer == nil {
		t.timer = time.AfterFunc(within, t.expire)
		return
	}
	t.timer.Reset(within)
}

// release gives the turn to neither side.
func (t *turn) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.whose = neither // the timer stays as it is: most often it is moved soon
}

// settle notes that the provider has begun to answer.
func (t *turn) settle() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.settled = true
	if t.whose == provider {
		t.whose = neither
	}
}

func (t *turn) expire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over || t.whose == neither || time.Now().Before(t.until) {
		return // it rang for a turn that has passed
	}
	t.over = true
	t.late(t.whose)
}

// end stops watching. When it has returned, late is not running and is not called.
func (t *turn) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	if t.timer != nil {
		t.timer.Stop()
	}
}
