// Package limit counts requests per rolling hour as Bitbucket does, and says so
// in Bitbucket's headers.
//
// A [Limiter] keeps the exact time of every request it allowed within the last
// hour, per key, so that the window truly rolls: a request becomes free exactly
// an hour after the one it replaces, not at the turn of a fixed hour. Requests
// that were refused are not counted.
//
// Who shares a key is the caller's decision: a user, an access token, an OAuth
// consumer, an address. Memory is bounded by [MaxKeys] keys and, for each, as
// many times as its limit allows.
package limit

import (
	"sync"
	"time"
)

const (
	// Window is the time over which requests are counted.
	Window = time.Hour
	// MaxKeys is how many keys are remembered at once. When more are in use, those
	// used least recently are forgotten.
	MaxKeys = 100_000
)

// Limiter counts requests. Its methods may be called at once.
type Limiter struct {
	now  func() time.Time
	mu   sync.Mutex
	keys map[string]*ring
	last time.Time // the clock, which may not go backwards
}

// New returns a Limiter that reads the time from now.
func New(now func() time.Time) *Limiter {
	return &Limiter{now: now, keys: make(map[string]*ring)}
}

// Decision is what became of one request.
type Decision struct {
	Allowed bool
	// Limit is the requests per hour, 0 when there is no limit.
	Limit int
	// Remaining is how many more requests would be allowed now.
	Remaining int
	// Reset is the time until one more request is free: 0 when nothing was counted.
	Reset time.Duration
}

// Take counts one request for key if fewer than perHour were allowed within the
// last hour. A perHour of 0 or less is no limit, and nothing is counted.
func (l *Limiter) Take(key string, perHour int) Decision {
	if perHour <= 0 {
		return Decision{Allowed: true}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock()
	times := l.ring(key, now)
	times.drop(now.Add(-Window))
	allowed := times.n < perHour
	if allowed {
		times.push(now)
	}
	return decide(times, perHour, now, allowed)
}

// Peek is what Take would find, without counting a request. Its Allowed says
// whether a request would be allowed.
func (l *Limiter) Peek(key string, perHour int) Decision {
	if perHour <= 0 {
		return Decision{Allowed: true}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock()
	times := l.keys[key]
	if times == nil {
		times = &ring{}
	}
	times.drop(now.Add(-Window))
	return decide(times, perHour, now, times.n < perHour)
}

// Forget starts every key afresh.
func (l *Limiter) Forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.keys)
}

func decide(times *ring, perHour int, now time.Time, allowed bool) Decision {
	d := Decision{Allowed: allowed, Limit: perHour, Remaining: max(0, perHour-times.n)}
	if times.n > 0 {
		// When a limit was lowered, more than the oldest request must pass first.
		d.Reset = times.at(max(0, times.n-perHour)).Add(Window).Sub(now)
	}
	return d
}

func (l *Limiter) clock() time.Time {
	if now := l.now(); now.After(l.last) {
		l.last = now
	}
	return l.last
}

func (l *Limiter) ring(key string, now time.Time) *ring {
	times := l.keys[key]
	if times == nil {
		if len(l.keys) >= MaxKeys {
			l.evict(now)
		}
		times = &ring{}
		l.keys[key] = times
	}
	return times
}

// evict forgets the keys without a request in the window, and if that is too few
// the least recently used, a tenth at a time so that it is seldom done.
func (l *Limiter) evict(now time.Time) {
	oldest := now
	for key, times := range l.keys {
		times.drop(now.Add(-Window))
		if times.n == 0 {
			delete(l.keys, key)
		} else if last := times.at(times.n - 1); last.Before(oldest) {
			oldest = last
		}
	}
	for step := now.Sub(oldest)/10 + 1; len(l.keys) > MaxKeys*9/10; {
		oldest = oldest.Add(step)
		for key, times := range l.keys {
			if len(l.keys) > MaxKeys*9/10 && times.at(times.n-1).Before(oldest) {
				delete(l.keys, key)
			}
		}
	}
}
