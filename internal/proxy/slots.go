package proxy

import (
	"strconv"
	"sync"
	"time"

	"windlass"
)

// slots bounds the concurrent requests.
type slots struct {
	mu                     sync.Mutex
	taken                  int
	of                     map[string]int // by connection
	limit, connectionLimit int
}

func (s *slots) init(limits Limits) {
	s.of, s.limit, s.connectionLimit = map[string]int{}, limits.Overall, limits.PerConnection
}

// take takes a slot for a request of a connection, or fails: it is better to refuse at
// once than to keep a request waiting with its resources.
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

// Open is the number of requests in progress.
func (p *Proxy) Open() int {
	p.slots.mu.Lock()
	defer p.slots.mu.Unlock()
	return p.slots.taken
}
