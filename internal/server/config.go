package server

import (
	"cmp"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/guard"
	"windlass/internal/sink"
)

// A Role is a part of the work that a process takes.
type Role string

// The roles.
const (
	RoleAPI    Role = "api"    // answers requests
	RoleWorker Role = "worker" // runs jobs and schedules
)

// Roles are all of them.
var Roles = []Role{RoleAPI, RoleWorker}

// Config says how a server runs. The zero value of each field is useful.
type Config struct {
	// Addr is the address to listen on; "" is DefaultAddr. Port 0 takes a free
	// one, which Server.URL tells.
	Addr string
	// MetricsAddr, if set, is where /metrics is served instead of at Addr.
	MetricsAddr string
	// PublicURL is where people and programs reach the server: the callback URL
	// of an OAuth consumer is below it. "" is the address that is listened on.
	PublicURL string
	// ProxyHost is a host name at which every request is a proxied one, whatever its
	// path; "" is none. Elsewhere a header tells them apart.
	ProxyHost string
	// DataDir is the folder for the SQLite file and the keyset's file; it is made
	// when it is missing. "" is DefaultDataDir.
	DataDir string
	// Database is the path of an SQLite file, or the address of a PostgreSQL
	// database. "" is windlass.db in DataDir.
	Database windlass.Secret
	// Keyset is the text of the keyset. When it is zero, KeysetFile is read, and
	// made on the first start; "" is keyset.json in DataDir.
	Keyset     windlass.Secret
	KeysetFile string
	// OperatorKey opens every project of the API: at least MinOperatorKey
	// characters; zero: there is none.
	OperatorKey windlass.Secret
	// Project is the name of the project that the first start makes; "" is
	// "default".
	Project string
	// Roles is what this process does; none is all of them.
	Roles []Role
	// Providers are those that customers are connected to; none is all that are built
	// in.
	Providers connector.Providers
	// Endpoints are where providers that are built in are, by name.
	Endpoints map[string]connector.Endpoints
	// Sinks are types of destinations besides the webhook.
	Sinks []sink.Type
	// AllowHTTPDestinations lets webhooks go to http addresses.
	AllowHTTPDestinations bool
	// AllowPrivateDestinations are the networks that webhooks may go to although
	// they are not public, as in 10.1.0.0/16.
	AllowPrivateDestinations []string
	// HourlyLimit is how many requests an hour a provider allows to a consumer or a
	// token whose own number is not known; 0 is what the provider documents.
	HourlyLimit int
	// Lease is how long what a process was doing is left alone when nothing is heard
	// of it, before another takes it over; 0 is DefaultLease. Reads, writes and jobs
	// go by it, and extend it three times within it. A process whose session with
	// PostgreSQL has ended is taken over after a third of it.
	Lease time.Duration
	// AnswerStall is how long a client may take nothing of an answer before it is cut
	// off; 0 is DefaultAnswerStall. A proxied request gives either side twice as long.
	AnswerStall time.Duration
	// MaxConnections bounds the connections of clients, and MaxConnectionsPerAddress
	// those of one address on which no credential was accepted; 0 is
	// DefaultMaxConnections and DefaultMaxConnectionsPerAddress.
	MaxConnections, MaxConnectionsPerAddress int
	// StopDeadline bounds a graceful stop; 0 is DefaultStopDeadline.
	StopDeadline time.Duration
	// Retention says how long things are kept that are no longer needed.
	Retention Retention
	// OIDC lets people sign in to the dashboard with accounts of their organization.
	OIDC OIDC
	// Logger gets what an operator acts on; nil discards it.
	Logger *slog.Logger
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Base sends the requests to providers; nil is a transport with timeouts.
	Base http.RoundTripper
}

// Retention is how long things are kept. Zero takes the default.
type Retention struct {
	States  time.Duration // consents begun and not finished; an hour
	Uploads time.Duration // uploaded manifests that were not deployed; a day
	// Operations that have ended, with their logs; thirty days.
	Operations time.Duration
	// Deliveries are messages that arrived or were given up, with their attempts
	// and the large records that they point to; seven days.
	Deliveries time.Duration
}

// The defaults.
const (
	DefaultAddr         = "127.0.0.1:8080"
	DefaultDataDir      = "windlass-data"
	DefaultProject      = "default"
	DefaultStopDeadline = 20 * time.Second
	DefaultAnswerStall  = 30 * time.Second

	DefaultMaxConnections           = 8192
	DefaultMaxConnectionsPerAddress = 256

	DefaultKeepStates  = time.Hour
	DefaultKeepUploads = 24 * time.Hour

	// MinOperatorKey is the length, in bytes, below which an operator key could be
	// guessed.
	MinOperatorKey = 32

	DefaultLease          = 30 * time.Second
	DefaultKeepOperations = 30 * 24 * time.Hour
	DefaultKeepDeliveries = 7 * 24 * time.Hour
)

// DatabaseURL is what the store is to open.
func (c *Config) DatabaseURL() string {
	return cmp.Or(c.Database.Reveal(), filepath.Join(cmp.Or(c.DataDir, DefaultDataDir), "windlass.db"))
}

// KeysetPath is the keyset's file, for when there is no text.
func (c *Config) KeysetPath() string {
	return cmp.Or(c.KeysetFile, filepath.Join(cmp.Or(c.DataDir, DefaultDataDir), "keyset.json"))
}

// withDefaults fills in what is zero, and says what cannot be.
func (c Config) withDefaults() (Config, error) {
	c.Addr = cmp.Or(c.Addr, DefaultAddr)
	c.DataDir = cmp.Or(c.DataDir, DefaultDataDir)
	c.Project = cmp.Or(c.Project, DefaultProject)
	c.AnswerStall = cmp.Or(c.AnswerStall, DefaultAnswerStall)
	c.MaxConnections = cmp.Or(c.MaxConnections, DefaultMaxConnections)
	c.MaxConnectionsPerAddress = cmp.Or(c.MaxConnectionsPerAddress, DefaultMaxConnectionsPerAddress)
	c.StopDeadline = cmp.Or(c.StopDeadline, DefaultStopDeadline)
	c.Retention.States = cmp.Or(c.Retention.States, DefaultKeepStates)
	c.Retention.Uploads = cmp.Or(c.Retention.Uploads, DefaultKeepUploads)
	c.Lease = cmp.Or(c.Lease, DefaultLease)
	c.Retention.Operations = cmp.Or(c.Retention.Operations, DefaultKeepOperations)
	c.Retention.Deliveries = cmp.Or(c.Retention.Deliveries, DefaultKeepDeliveries)
	if len(c.Roles) == 0 {
		c.Roles = Roles
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Base == nil {
		c.Base = newBase()
	}
	if len(c.Providers) == 0 {
		c.Providers = builtIn(&c)
	}
	return c, c.check()
}

func (c *Config) check() error {
	for _, role := range c.Roles {
		if !slices.Contains(Roles, role) {
			return invalid("there is no role "+string(role), "the roles are api and worker")
		}
	}
	for _, duration := range []time.Duration{
		c.StopDeadline, c.AnswerStall, c.Lease, c.Retention.States, c.Retention.Uploads, c.Retention.Operations, c.Retention.Deliveries,
	} {
		if duration < 0 {
			return invalid("a time of "+duration.String()+" is negative", "give one above zero")
		}
	}
	if !c.OperatorKey.IsZero() && len(c.OperatorKey.Reveal()) < MinOperatorKey {
		return invalid("the operator key is shorter than "+strconv.Itoa(MinOperatorKey)+" characters", "make one that cannot be guessed, as with: openssl rand -hex 32")
	}
	if c.HourlyLimit < 0 {
		return invalid("a limit of requests is negative", "give one above zero, or none")
	}
	if c.MaxConnections < 0 || c.MaxConnectionsPerAddress < 0 {
		return invalid("a number of connections is negative", "give one above zero, or none")
	}
	if _, err := guard.ParseAllowed(c.AllowPrivateDestinations); err != nil {
		return err
	}
	if err := checkURL("public URL", c.PublicURL, false); err != nil {
		return err
	}
	return c.checkProviders()
}

// checkProviders looks at where the providers are said to be.
func (c *Config) checkProviders() error {
	for name := range c.Endpoints {
		if _, known := c.Providers.Named(name); !known {
			return invalid("there is no provider "+name, "the providers are "+strings.Join(c.Providers.Names(), ", "))
		}
	}
	for _, provider := range c.Providers {
		info := provider.Info()
		at := c.Endpoints[info.Name]
		for _, address := range []struct{ name, url string }{
			{"API URL", at.API}, {"site URL", at.Site}, {"API URL", cmp.Or(info.ProxyURL, info.BaseURL)},
		} {
			if err := checkURL(info.Brand+"'s "+address.name, address.url, true); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkURL refuses what is no address, and to send credentials in the clear to
// another machine's provider.
func checkURL(name, raw string, credentials bool) error {
	if raw == "" {
		return nil
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return invalid("the "+name+" is not one", "give a scheme and a host, as in https://windlass.example.com")
	}
	if u.Scheme == "http" && credentials && !isLoopback(u.Hostname()) {
		return invalid("the "+name+" would send credentials in the clear", "use https; http is for this machine only")
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

func invalid(message, remedy string) error {
	return &windlass.Error{Kind: windlass.Invalid, Op: "start the server", Message: message, Remedy: remedy}
}

func (c *Config) has(role Role) bool { return slices.Contains(c.Roles, role) }

// newBase returns a transport that gives up on a provider which does not pick up
// or does not answer.
func newBase() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   15 * time.Second,
		ResponseHeaderTimeout: time.Minute,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   32, // one host gets nearly everything
		ForceAttemptHTTP2:     true,
	}
}
