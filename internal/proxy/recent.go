package proxy

import (
	"sync"
	"time"
)

// A recent is a short-lived cache of look-ups, so that a product's many calls for a
// customer do not each cost a look-up.
type recent[T any] struct {
	mu      sync.Mutex
	entries map[string]entry[T]
}

type entry[T any] struct {
	value T
	until time.Time
}

// maxEntries is the size at which expired entries are removed: credentials among them
// are not to be kept longer than needed.
const maxEntries = 64

func (r *recent[T]) get(name string, now time.Time) (T, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, known := r.entries[name]
	if known && !now.Before(found.until) {
		delete(r.entries, name)
		known = false
	}
	if !known {
		var none T
		return none, false
	}
	return found.value, true
}

func (r *recent[T]) put(name string, value T, now time.Time, long time.Duration) {
	if long <= 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.entries == nil {
		r.entries = map[string]entry[T]{}
	}
	if len(r.entries) >= maxEntries {
		for other, e := range r.entries {
			if !now.Before(e.until) {
				delete(r.entries, other)
			}
		}
	}
	r.entries[name] = entry[T]{value, now.Add(long)}
}

func (r *recent[T]) forget(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.entries, name)
}
