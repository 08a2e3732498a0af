package budget

import (
	"sync"
	"time"
)

// clock is a clock for counting the last hour: within a process it never goes back, and
// it reports when the system's clock was set forward, because then an hour has not
// really passed.
type clock struct {
	now     func() time.Time
	elapsed func() time.Duration // monotonic

	mu       sync.Mutex
	base     time.Time // what the clock shows when elapsed is 0
	jumped   time.Duration
	jumpedAt time.Duration // in elapsed time
}

// clockJump is the smallest difference that counts as setting the clock rather than
// adjusting it.
const clockJump = time.Minute

// bookSpan is how long a request is counted: an hour, and the minute in which it began,
// since the ledger counts by the minute.
const bookSpan = 61 * time.Minute

func newClock(now func() time.Time, elapsed func() time.Duration) *clock {
	return &clock{now: now, elapsed: elapsed, base: now().Add(-elapsed())}
}

// read returns the time, and how far back grants may be dated that count: an
// hour, or more for as long as the clock was set forward within it.
func (c *clock) read() (now time.Time, back time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	elapsed := c.elapsed()
	now = c.base.Add(elapsed)
	if ahead := c.now().Sub(now); ahead > clockJump {
		c.base, now = c.base.Add(ahead), now.Add(ahead)
		c.jumped, c.jumpedAt = c.jumped+ahead, elapsed
	}
	if c.jumped > 0 && elapsed-c.jumpedAt > bookSpan {
		c.jumped = 0
	}
	return now, time.Hour + c.jumped
}

func minuteOf(t time.Time) int64 { return t.Unix() / 60 }

// blockEnd is when the block of a book ends. A block that was seen later than now was
// seen before the clock was set back, which a process does not notice that was started
// since: then it lasts at most as long as it did when it was seen. A minute is left to
// the clocks of several machines, which need not agree.
func (b *Book) blockEnd(now time.Time) (end time.Time, setBack bool) {
	if b.BlockedAt.IsZero() || b.BlockedAt.Sub(now) <= clockJump {
		return b.Blocked, false
	}
	return now.Add(b.Blocked.Sub(b.BlockedAt)), true
}
