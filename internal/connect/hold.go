package connect

import (
	"sync"
	"time"

	"windlass"
)

// After a refresh that failed in a way that may pass, the next one waits as long
// as the provider asks, else minHold and then ever longer, up to maxHold.
const (
	minHold = 5 * time.Second
	maxHold = time.Minute
)

// holds keeps this process from asking a provider again that has just failed. Other
// processes find out on their own, with one request each.
type holds struct {
	mu sync.Mutex
	on map[string]hold // by connection
}

type hold struct {
	until time.Time
	tries int
	why   *windlass.Error
}

// standing returns the failure of a hold, with the remaining time to wait.
func (h *holds) standing(id string, now time.Time) *windlass.Error {
	h.mu.Lock()
	defer h.mu.Unlock()
	held, ok := h.on[id]
	if !ok || !now.Before(held.until) {
		return nil
	}
	failure := *held.why
	failure.RetryAfter = held.until.Sub(now)
	return &failure
}

// failed begins a hold, and returns the failure with the time to wait.
func (h *holds) failed(id string, now time.Time, failure *windlass.Error) *windlass.Error {
	h.mu.Lock()
	defer h.mu.Unlock()
	held := h.on[id]
	delay := failure.RetryAfter
	if delay <= 0 {
		delay = min(minHold<<min(held.tries, 8), maxHold)
	}
	waiting := *failure
	waiting.RetryAfter = delay
	if h.on == nil {
		h.on = map[string]hold{}
	}
	h.on[id] = hold{until: now.Add(delay), tries: held.tries + 1, why: &waiting}
	shown := waiting
	return &shown
}

// clear ends a hold.
func (h *holds) clear(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.on, id)
}

// waits is the status reason of a connection that waits.
func waits(failure *windlass.Error, now time.Time) string {
	return "good, but it could not be refreshed: " + message(failure) +
		"; tried again after " + now.Add(failure.RetryAfter).UTC().Format(time.RFC3339)
}
