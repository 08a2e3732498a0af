package sandbox

import (
	"net/http"
	"sync"
	"time"

	"windlass/bitbucket/sandbox/internal/fault"
	"windlass/bitbucket/sandbox/internal/limit"
)

// Options says how a Server behaves. The zero value of each is useful; a
// negative number of something is none of it, but for projects and members, of
// which there is always one.
type Options struct {
	Seed         uint64 // of all data; 0 means 1. The same seed gives the same bytes.
	Workspace    string // slug of the main workspace; "" means "acme"
	Repositories int    // in the main workspace; 0 means 250
	Projects     int    // 0 means 12
	Members      int    // 0 means 25
	Hooks        int    // 0 means 6
	Variables    int    // 0 means 8
	Snippets     int    // 0 means 15

	Limit         int           // requests per rolling hour and principal; 0 means 1000, negative none
	LimitHeaders  bool          // send both families of rate limit headers
	MaxPagelen    int           // the longest page that may be asked for; 0 means 100, as nearly everywhere
	OmitSize      bool          // leave size, page and pagelen out of envelopes, which Bitbucket may do
	PlainErrors   bool          // 401, 429 and the 404 of an unknown route are plain text
	CallbackURL   string        // of the seeded OAuth consumer; "" means DefaultCallbackURL
	TokenLifetime time.Duration // of OAuth access tokens; 0 means two hours
	// FixedRefresh is how old consumers behave: refresh tokens stay the same, the
	// answer calls the scopes "scopes", and a bad one is an invalid_request.
	FixedRefresh bool
	Latency      time.Duration // before each answer

	// NullMemberships is how many entries of /user/workspaces have no workspace, as
	// those of workspaces that are being deleted.
	NullMemberships int
	// HookSubjects are more subjects that /hook_events names. Their own pages
	// answer 404, as that of "user" and "team" does since those have no webhooks.
	HookSubjects []string

	// ProjectKeysOnly makes a project's UUID in a path a 404. Whether
	// Bitbucket takes one there is unconfirmed.
	ProjectKeysOnly bool
	// ProjectsIgnoreQ makes the list of projects ignore q and sort, which
	// Atlassian's document does not mention for it.
	ProjectsIgnoreQ bool

	Now    func() time.Time // nil means time.Now
	APIURL string           // base of links and next, up to and without "/2.0"; "" means as the request came
}

// DefaultCallbackURL is where the seeded OAuth consumer sends people back to.
const DefaultCallbackURL = "http://localhost:8080/callbacks/v1/oauth"

func (o *Options) withDefaults() Options {
	var d Options
	if o != nil {
		d = *o
	}
	for _, n := range []struct {
		value    *int
		fallback int
	}{
		{&d.Repositories, 250},
		{&d.Projects, 12},
		{&d.Members, 25},
		{&d.Hooks, 6},
		{&d.Variables, 8},
		{&d.Snippets, 15},
		{&d.Limit, 1000},
		{&d.MaxPagelen, 100},
	} {
		if *n.value == 0 {
			*n.value = n.fallback
		}
	}
	d.Repositories, d.Hooks = max(d.Repositories, 0), max(d.Hooks, 0)
	d.Variables, d.Snippets = max(d.Variables, 0), max(d.Snippets, 0)
	d.Projects, d.Members = max(d.Projects, 1), max(d.Members, 1)
	if d.Seed == 0 {
		d.Seed = 1
	}
	if d.Workspace == "" {
		d.Workspace = "acme"
	}
	if d.CallbackURL == "" {
		d.CallbackURL = DefaultCallbackURL
	}
	if d.TokenLifetime <= 0 {
		d.TokenLifetime = 2 * time.Hour
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	return d
}

// A Server looks like Bitbucket Cloud. It is an http.Handler for the API
// (/2.0/…), the OAuth pages (/site/oauth2/…) and its own admin calls
// (/_sandbox/…), and safe for concurrent use.
type Server struct {
	options Options
	routes  []route

	// data guards everything reachable from world: requests that read hold it
	// for reading while they encode their answer, requests that write hold it
	// alone. Bodies are read before and answers written after.
	data  sync.RWMutex
	world *world

	journal journal
	bodies  bodies
	access  *access
	limiter *limit.Limiter
	faults  fault.Set
}

// New makes a server with its data. A nil opts is the zero Options. It takes
// about a second per million repositories.
func New(opts *Options) *Server {
	o := opts.withDefaults()
	s := &Server{options: o, world: newWorld(&o)}
	s.routes = s.table()
	s.access = newAccess(&o, s.world)
	s.limiter = limit.New(o.Now)
	return s
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.serve(w, r) }
