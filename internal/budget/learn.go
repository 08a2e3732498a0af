package budget

import (
	"context"
	"net/http"
	"time"

	"windlass/connector"
)

// raiseAfter is how long a limit is kept before a higher one replaces it.
const raiseAfter = 30 * time.Minute

// The wait after a 429 that does not say for how long: it doubles as long as the
// next request is answered with 429 as well.
const (
	minWait = time.Minute
	maxWait = 15 * time.Minute
)

// Learn updates the budget from the answer to a paid request. Transport calls it; it is
// for callers that send in another way.
func (b *Budget) Learn(ctx context.Context, account Account, resp *http.Response) {
	a := b.allocation(account.Key)
	now, _ := b.clock.read()
	var limit connector.Limit
	known := false
	if b.opts.Limits != nil {
		limit, known = b.opts.Limits(account, resp)
	}
	seen := a.learn(resp, limit, known, now)
	if seen == (Seen{}) {
		return
	}
	// The other processes have to know even if the caller has gone. If this fails, they
	// learn it from the same answer.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = b.ledger.Observe(ctx, account.Key, seen)
}

// learn changes the allocation, and returns what is new to the others.
func (a *allocation) learn(resp *http.Response, limit connector.Limit, known bool, now time.Time) Seen {
	a.mu.Lock()
	defer a.mu.Unlock()
	var seen Seen
	if known && limit.Limit > 0 {
		// Groups of endpoints may have limits of their own: the lowest that was said
		// lately holds, or the answers of two groups would write in turns.
		if limit.Limit <= a.providerLimit || now.Sub(a.providerLimitAt) > raiseAfter {
			if limit.Limit != a.providerLimit {
				seen.Limit = limit.Limit
				a.refusedUntil = [Classes]time.Time{} // what was refused may be allowed now
			}
			a.providerLimit, a.providerLimitAt = limit.Limit, now
		}
	}
	var wait time.Duration
	switch {
	case resp.StatusCode == http.StatusTooManyRequests:
		if wait, _ = connector.RetryAfter(resp.Header, now); wait == 0 && known {
			wait = limit.Reset
		}
		if wait == 0 {
			wait = min(minWait<<min(a.count429, 8), maxWait)
			a.count429++
		}
		wait = max(wait, margin)
	case known && limit.Remaining == 0 && limit.Reset > 0:
		wait = limit.Reset // the next one would be a 429
	default:
		a.count429 = 0
	}
	if until := now.Add(min(wait, 24*time.Hour)); wait > 0 && until.After(a.blockedUntil) {
		a.blockedUntil, seen.Blocked, seen.At = until, until, now
	}
	return seen
}
