package proxy

import (
	"strconv"
	"sync"
	"time"

	"windlass"
)

// slots are the places for requests that are under way.
type slots struct {
	mu                     sync.Mutex
	taken                  int
	of                     map[string]int // by connection
	limit, connectionLimit int
}

func (s *slots) init(limits Limits) {
	s.of, s.limit, s.connectionLimit = map[string]int{}, limits.Overall, limits.PerConnection
}

// take takes a place for a request of a connection, or says that there is none: who
// comes too often had better hear of it at once than be kept with what they hold.
func (s *slots) take(connection string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.of[connection] >= s.connectionLimit:
		return &windlass.Error{
			Kind: windlass.RateLimited, Message: strconv.Itoa(s.connectionLimit) + " requests of this connection are already in progress",
			Remedy: "wait for one to end", RetryAfter: time.Second,
		}
	case s.taken >= s.limit:
		return &windlass.Error{
			Kind: windlass.Unavailable, Message: "the proxy has reached its limit of concurrent requests",
			Remedy: "try again in a moment", RetryAfter: time.Second,
		}
	}
	s.taken++
	s.of[connection]++
	return nil
}

func (s *slots) free(connection string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken--
	if s.of[connection]--; s.of[connection] == 0 {
		delete(s.of, connection)
	}
}

// Open is how many requests are under way.
func (p *Proxy) Open() int {
	p.slots.mu.Lock()
	defer p.slots.mu.Unlock()
	return p.slots.taken
}
