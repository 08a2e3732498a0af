package fault

import (
	"net/http"
	"slices"
	"sync"
)

// Set holds the faults in force and counts the requests each has met. The zero
// Set is empty; all methods may be called at once.
type Set struct {
	mu     sync.Mutex
	active []*active
}

type active struct {
	Fault
	matcher
	met int // matching requests so far
}

// Add puts a fault in force. Faults are struck in the order they were added.
func (s *Set) Add(f Fault) {
	a := &active{Fault: f, matcher: newMatcher(f)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active = append(s.active, a)
}

// Clear removes every fault.
func (s *Set) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active = nil
}

// List returns the faults that can still strike, as they were added.
func (s *Set) List() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]Fault, 0, len(s.active))
	for _, a := range s.active {
		list = append(list, a.Fault)
	}
	return list
}

// Take returns the faults that strike this request and counts it, as one step:
// of requests arriving together exactly Fault.Times are struck. Call it once a
// request. A fault that is used up leaves the set.
func (s *Set) Take(r *http.Request) []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	var struck []Fault
	for _, a := range s.active {
		if !a.matches(r) {
			continue
		}
		if a.met++; a.met > a.After {
			struck = append(struck, a.Fault)
		}
	}
	s.active = slices.DeleteFunc(s.active, func(a *active) bool { return a.Times > 0 && a.met-a.After >= a.Times })
	return struck
}

// Find returns the first fault of a kind among those that [Set.Take] returned.
func Find(faults []Fault, kind Kind) (Fault, bool) {
	for _, f := range faults {
		if f.Kind == kind {
			return f, true
		}
	}
	return Fault{}, false
}
