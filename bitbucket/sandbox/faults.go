package sandbox

import "net/http"

// pagingFault is what is wrong with the page being written.
type pagingFault struct{}

// Fault is something going wrong on demand.
type Fault struct{}

// ParseFault reads a fault.
func ParseFault(string) (Fault, error) { return Fault{}, nil }

// Inject adds a fault.
func (s *Server) Inject(Fault) {}

// ClearFaults takes all faults away.
func (s *Server) ClearFaults() {}

func (s *Server) interfere(w http.ResponseWriter, _ *http.Request, _ *call) (http.ResponseWriter, bool) {
	return w, false
}

func (c *call) pageWindow(p page) (from, to int)   { return p.from(), p.to() }
func (c *call) nextURL(number int) string          { return c.pageURL(number) }
func (c *call) trimmed(a *answer) (*answer, error) { return a, nil }
