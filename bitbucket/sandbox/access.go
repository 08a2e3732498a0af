package sandbox

import (
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
)

// A principal is who asks.
type principal struct {
	name      string // for the log
	user      *user  // nil when anonymous
	scopes    []string
	all       bool // every scope
	limitKey  string
	app       bool // a Connect app's own JWT
	anonymous bool
}

func (p principal) missing(need []string) []string {
	if p.all {
		return nil
	}
	var missing []string
	for _, n := range need {
		ok := false
		for _, s := range p.scopes {
			ok = ok || s == n
		}
		if !ok {
			missing = append(missing, n)
		}
	}
	return missing
}

type access struct {
	server *Server
	mu     sync.Mutex
	tokens map[string][]string
}

func newAccess(s *Server) *access { return &access{server: s, tokens: map[string][]string{}} }

func (a *access) secret(n uint64) string {
	return hex.EncodeToString([]byte(uuidOf(a.server.options.Seed, kindToken, n)))[2:42]
}

func (a *access) authenticate(r *http.Request, route *route) (principal, error) {
	header := r.Header.Get("Authorization")
	if header == "" && route.anonymous {
		return principal{anonymous: true, limitKey: "anonymous"}, nil
	}
	token, ok := strings.CutPrefix(header, "Bearer ")
	if ok && token == a.secret(1) {
		return principal{name: "token", user: a.server.world.me, all: true}, nil
	}
	if email, key, ok := r.BasicAuth(); ok && email == a.server.world.me.address() && key == a.secret(2) {
		return principal{name: "user", user: a.server.world.me, all: true}, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if scopes, ok := a.tokens[token]; ok {
		return principal{name: "token", user: a.server.world.me, scopes: scopes}, nil
	}
	return principal{}, failText(http.StatusUnauthorized, "Unauthorized")
}

func (a *access) take(principal, http.Header) error { return nil }

func (a *access) serveSite(w http.ResponseWriter, r *http.Request) {
	write(w, r, answerTo(noRoute()))
}

// Credentials returns every credential the sandbox was seeded with.
func (s *Server) Credentials() Credentials {
	main := s.world.workspaces[0]
	return Credentials{
		Workspace: main.slug, WorkspaceUUID: main.uuid, AccessToken: s.access.secret(1),
		Email: s.world.me.address(), APIToken: s.access.secret(2),
		ConsumerKey: s.access.secret(3), ConsumerSecret: s.access.secret(4),
		ConnectAppKey: "windlass-sandbox-app", ConnectClientKey: s.access.secret(5), ConnectSharedSecret: s.access.secret(6),
		OtherWorkspace: s.world.workspaces[1].slug,
	}
}

// NewAccessToken returns a bearer token with just these scopes.
func (s *Server) NewAccessToken(scopes ...string) string {
	s.access.mu.Lock()
	defer s.access.mu.Unlock()
	token := s.access.secret(uint64(100 + len(s.access.tokens)))
	s.access.tokens[token] = scopes
	return token
}

func (a *access) uninstall() {}
