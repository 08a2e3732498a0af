package proxy

import (
	"cmp"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"windlass"
	"windlass/connector"
)

// Config has the dependencies and settings of a Proxy. Directory, Credentials,
// Providers and Budget are required.
type Config struct {
	Directory   Directory
	Credentials Credentials
	Providers   connector.Providers
	Budget      Budget
	// Base sends the requests to a provider; nil is Unaltered(http.DefaultTransport).
	// It must not ask for compression by itself, nor unpack.
	Base   func(provider string) http.RoundTripper
	Limits Limits
	// Remember is how long an installation and its credential are cached; 0 is a
	// second, and less than 0 turns it off. For that long, an installation that was
	// switched off may still be used.
	Remember time.Duration
	// Logger gets a line for each request: info for changes and failures, debug for
	// what was only read; nil observes nothing.
	Logger *slog.Logger
	// Observe is told of each request, for metrics; nil is not called.
	Observe func(Seen)
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Limits bound what requests may take. The zero value of each takes its default.
type Limits struct {
	// Overall and PerConnection bound the concurrent requests; 0 is 4,096 and 256. More
	// are refused at once.
	Overall, PerConnection int
	// Body is the longest body of a request, in bytes; 0 is any.
	Body int64
	// Answer is how long the provider may take to begin its answer, counted from
	// the last that it was sent; 0 is a minute.
	Answer time.Duration
	// Stall is how long either side may send or read nothing during its turn; 0 is a
	// minute. A caller has to send a kibibyte within that time.
	Stall time.Duration
}

func (l Limits) withDefaults() Limits {
	l.Overall = cmp.Or(l.Overall, 4096)
	l.PerConnection = cmp.Or(l.PerConnection, 256)
	l.Answer = cmp.Or(l.Answer, time.Minute)
	l.Stall = cmp.Or(l.Stall, time.Minute)
	return l
}

// Proxy passes requests on. It is safe for concurrent use.
type Proxy struct {
	config    Config
	upstreams map[string]upstream // by provider
	log       *slog.Logger
	now       func() time.Time
	slots     slots
	throttled throttle
	found     recent[windlass.Installation]
	usable    recent[windlass.Credentials] // by connection
	enabled   sync.Map                     // by the id of a revision, which never changes: what it says of the proxy
	buffers   buffers
}

// New makes a Proxy.
func New(config Config) (*Proxy, error) {
	const op = "set up the proxy"
	if config.Directory == nil || config.Credentials == nil || len(config.Providers) == 0 || config.Budget == nil {
		return nil, &windlass.Error{Kind: windlass.Internal, Op: op, Message: "Directory, Credentials, Providers and Budget are required"}
	}
	p := &Proxy{config: config, upstreams: map[string]upstream{}, log: config.Logger, now: config.Now}
	for _, provider := range config.Providers {
		info := provider.Info()
		base, err := url.Parse(strings.TrimRight(cmp.Or(info.ProxyURL, info.BaseURL), "/"))
		if err != nil || (base.Scheme != "https" && base.Scheme != "http") || base.Host == "" ||
			base.User != nil || base.RawQuery != "" || base.Fragment != "" {
			return nil, &windlass.Error{
				Kind: windlass.Invalid, Op: op, Message: "the base URL of " + info.DisplayName + " is not one", Remedy: "it looks like https://api.example.com",
			}
		}
		through := Unaltered(http.DefaultTransport)
		if config.Base != nil {
			through = config.Base(info.Name)
		}
		p.upstreams[info.Name] = upstream{provider, base, through}
	}
	p.config.Limits = config.Limits.withDefaults()
	p.config.Remember = cmp.Or(config.Remember, time.Second)
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	if p.now == nil {
		p.now = time.Now
	}
	p.slots.init(p.config.Limits)
	return p, nil
}

// upstream is a provider as a target of requests.
type upstream struct {
	provider connector.Provider
	base     *url.URL // what stands before the path of every request
	through  http.RoundTripper
}

// upstream finds the provider of a connection.
func (p *Proxy) upstream(provider string) (upstream, error) {
	if found, known := p.upstreams[provider]; known {
		return found, nil
	}
	return upstream{}, &windlass.Error{
		Kind: windlass.Invalid, Message: "there is no provider " + quote(provider), Remedy: "use a server that supports it",
	}
}

// Unaltered returns a transport like base that passes bodies as they are: it
// neither asks for compression by itself nor unpacks. It waits for a provider that
// was asked whether it wants a body (Expect: 100-continue), keeps enough
// connections for many callers at once, and leaves it to the Proxy how long an
// answer may take. What is no *http.Transport is returned as it is.
func Unaltered(base http.RoundTripper) http.RoundTripper {
	known, ok := base.(*http.Transport)
	if !ok {
		return base
	}
	const idle = 256
	plain := known.Clone()
	plain.DisableCompression = true
	plain.MaxIdleConns = 0
	plain.MaxIdleConnsPerHost = idle
	plain.ResponseHeaderTimeout = 0
	plain.ExpectContinueTimeout = 2 * time.Second
	return plain
}

// Call is the context of a request.
type Call struct {
	// ProjectID is the project that the caller was let into.
	ProjectID string
	// Caller and RequestID are for the log.
	Caller, RequestID string
	// Fail answers a request with an error. It is called at most once, and
	// only when nothing was answered.
	Fail func(w http.ResponseWriter, err error)
}

// Serve answers one request. Its path is the provider's, its headers name the
// installation. The caller has been let into the project with a credential for
// servers: neither a front end nor a customer's browser may speak for a customer
// to the provider.
//
// Serve panics with http.ErrAbortHandler, as net/http wants it, to cut an answer
// that cannot be ended.
func (p *Proxy) Serve(w http.ResponseWriter, r *http.Request, call Call) {
	x := newExchange(p, w, r, call)
	defer x.finish()
	if err := x.run(); err != nil {
		call.Fail(x.answer, x.refusal(err))
	}
}
