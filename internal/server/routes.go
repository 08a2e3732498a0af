package server

import (
	"net/http"
	"strings"

	"windlass/internal/ui"
)

// A mount says who answers the requests to a path, or to all paths below it.
type mount struct {
	path    string // as it is sent
	below   bool   // what begins with it, too
	handler http.Handler
}

func (m *mount) has(path string) bool {
	return path == m.path || m.below && strings.HasPrefix(path, m.path)
}

// mounts is the table of who answers what; the first that has a path does. What comes
// beside pages and the API gets a line here. own are paths of the server itself.
func (s *Server) mounts(own map[string]http.Handler) []mount {
	table := []mount{
		{path: "/", handler: http.HandlerFunc(s.pages)},
		{path: ui.Prefix, below: true, handler: http.HandlerFunc(s.pages)},
	}
	for path := range own {
		table = append(table, mount{path: path, handler: only(own)})
	}
	return append(table, mount{path: "/", below: true, handler: http.HandlerFunc(s.operations)})
}

// route hands requests to who is mounted for their paths. It is no http.ServeMux,
// which would clean paths: to the API, an escaped slash is a part of a name. What is
// passed on to a provider is the API's, whatever its path.
func (s *Server) route(own map[string]http.Handler) http.Handler {
	table := s.mounts(own)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.proxies(r) {
			s.operations(w, r)
			return
		}
		path := r.URL.EscapedPath()
		for i := range table {
			if table[i].has(path) {
				table[i].handler.ServeHTTP(w, r)
				return
			}
		}
		http.NotFound(w, r)
	})
}

// operations serves the API, once it has been made.
func (s *Server) operations(w http.ResponseWriter, r *http.Request) {
	if s.api == nil {
		http.NotFound(w, r)
		return
	}
	s.api.ServeHTTP(w, r)
}

// only answers a few paths, to GET and HEAD. They are compared as they were sent:
// what stands in front of us and forbids /metrics compares them so, too.
func only(handlers map[string]http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler, found := handlers[r.URL.EscapedPath()]
		switch {
		case !found:
			http.NotFound(w, r)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			w.WriteHeader(http.StatusMethodNotAllowed)
		default:
			handler.ServeHTTP(w, r)
		}
	})
}
