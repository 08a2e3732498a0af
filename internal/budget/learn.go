package budget

import (
	"context"
	"net/http"
	"time"

	"windlass/connector"
)

// Reading is what the limit headers of an answer say.
type Reading struct {
	Limit     int           // requests an hour; 0 or less when not said
	Remaining int           // how many are left; less than 0 when not said
	Reset     time.Duration // until there are more; 0 when not said
}

// raiseAfter is for how long a limit holds against a higher one.
const raiseAfter = 30 * time.Minute

// The wait after a 429 that does not say for how long: it doubles as long as the
// next request is answered with 429 as well.
const (
	shortestWait = time.Minute
	longestWait  = 15 * time.Minute
)

// Learn takes in an answer to a request that was paid. Transport does so by
// itself; it is for callers that send in another way.
func (b *Budget) Learn(ctx context.Context, account Account, status int, header http.Header) {
	p := b.purse(account.Key)
	now, _ := b.clock.read()
	var reading Reading
	known := false
	if b.opts.Limits != nil {
		reading, known = b.opts.Limits(header)
	}
	seen := p.learn(status, header, reading, known, now)
	if seen == (Seen{}) {
		return
	}
	// The others have to know even if the caller has gone. Should it fail they
	// will find out by themselves, by the same answer.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = b.ledger.Observe(ctx, account.Key, seen)
}

// learn changes the purse, and returns what is new to the others.
func (p *purse) learn(status int, header http.Header, reading Reading, known bool, now time.Time) Seen {
	p.mu.Lock()
	defer p.mu.Unlock()
	var seen Seen
	if known && reading.Limit > 0 {
		// Groups of endpoints may have limits of their own: the lowest that was said
		// lately holds, or the answers of two groups would write in turns.
		if reading.Limit <= p.said || now.Sub(p.saidAt) > raiseAfter {
			if reading.Limit != p.said {
				seen.Limit = reading.Limit
				p.refused = [Classes]time.Time{} // what was refused may be allowed now
			}
			p.said, p.saidAt = reading.Limit, now
		}
	}
	var wait time.Duration
	switch {
	case status == http.StatusTooManyRequests:
		if wait, _ = connector.RetryAfter(header, now); wait == 0 && known {
			wait = reading.Reset
		}
		if wait == 0 {
			wait = min(shortestWait<<min(p.strikes, 8), longestWait)
			p.strikes++
		}
		wait = max(wait, margin)
	case known && reading.Remaining == 0 && reading.Reset > 0:
		wait = reading.Reset // the next one would be a 429
	default:
		p.strikes = 0
	}
	if until := now.Add(min(wait, 24*time.Hour)); wait > 0 && until.After(p.blocked) {
		p.blocked, seen.Blocked, seen.At = until, until, now
	}
	return seen
}
