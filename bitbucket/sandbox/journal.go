package sandbox

import (
	"slices"
	"strings"
	"sync"
)

// A Request is one API request as the server saw it.
type Request struct {
	Method    string `json:"method"`
	Path      string `json:"path"` // as sent, escapes and "/2.0" included
	Query     string `json:"query,omitempty"`
	Status    int    `json:"status"`              // 0 when a fault left it without an answer
	Principal string `json:"principal,omitempty"` // whose limit it counted against
}

// keptRequests bounds the log; counting goes on beyond it.
const keptRequests = 100_000

// journal is the log of requests. Its lock guards both fields.
type journal struct {
	mu      sync.Mutex
	entries []Request
	count   int
}

func (j *journal) add(c *call, status int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.count++
	if len(j.entries) >= keptRequests {
		j.entries = slices.Delete(j.entries, 0, keptRequests/2)
	}
	j.entries = append(j.entries, Request{
		Method: c.request.Method, Path: apiPrefix + c.path, Query: c.request.URL.RawQuery,
		Status: status, Principal: c.who.LimitKey,
	})
}

// Requests is how many API requests were made since New or ResetLog, refused
// ones included. OAuth pages and admin calls do not count.
func (s *Server) Requests() int {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	return s.journal.count
}

// Log returns the API requests since New or ResetLog, the oldest first; of
// very many only the latest 50,000 or more.
func (s *Server) Log() []Request {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	return slices.Clone(s.journal.entries)
}

// ResetLog forgets the requests so far.
func (s *Server) ResetLog() {
	s.journal.mu.Lock()
	defer s.journal.mu.Unlock()
	s.journal.entries, s.journal.count = nil, 0
}

// bodies are the answers given from outside. Its lock guards the map.
type bodies struct {
	mu      sync.RWMutex
	answers map[string]*answer
}

func (b *bodies) get(method, path string) *answer {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.answers[method+" "+path]
}

// ServeBody makes the server answer a method and path, whatever the query and
// credential, with exactly this body: recorded ones, or ones no seed produces.
// The path may be given with or without "/2.0", escaped as it is sent. A nil
// body takes the answer away again.
func (s *Server) ServeBody(method, path string, status int, body []byte) {
	s.bodies.mu.Lock()
	defer s.bodies.mu.Unlock()
	key := method + " " + strings.TrimPrefix(path, apiPrefix)
	if body == nil {
		delete(s.bodies.answers, key)
		return
	}
	if s.bodies.answers == nil {
		s.bodies.answers = map[string]*answer{}
	}
	s.bodies.answers[key] = &answer{status: status, body: slices.Clone(body)}
}
