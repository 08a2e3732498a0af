package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"windlass"
	"windlass/internal/auth"
	"windlass/internal/deploy"
	"windlass/internal/install"
	"windlass/internal/setup"
	"windlass/internal/sink"
)

// Config has the dependencies and settings of the API. All fields down to PublicURL are
// required, except Writes.
type Config struct {
	Setup   *setup.Flow
	Deploy  *deploy.Flow
	Install *install.Flow
	Connect Connecting
	Reads   Reading
	Writes  Writing // nil: nothing is written
	// Destinations are the types of destinations, and Downloads gives out what one of
	// them has set aside.
	Destinations *sink.Table
	Downloads    Downloading

	Deliver Delivering
	Notify  Notifying
	Budgets Budgeting
	Lookup  Lookup
	// Proxy serves the requests for the provider; nil means that there is no proxy.
	Proxy Proxying
	// ProxyHost is a host name of the proxy's own; empty means there is none.
	ProxyHost string
	// PublicURL is where people and programs reach this server, as in
	// https://windlass.example.com: upload URLs begin with it.
	PublicURL string
	// OperatorKey, sent as X-Api-Key, opens every project and may make new ones.
	// The zero value turns it off.
	OperatorKey windlass.Secret
	// Logger gets a line per request; nil logs nothing. Changes and failures
	// are info, what was only read is debug, what is wrong on our side is error.
	Logger *slog.Logger
	// Observe is told of each request, for metrics: the id of the operation, ""
	// where there was none, the status of the answer, and how long it took. Nil is
	// not called.
	Observe func(operation string, status int, took time.Duration)
	// Admitted is told of each request whose credential was accepted, by its context;
	// nil is not called.
	Admitted func(context.Context)
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Timeout bounds one request; 0 is a minute.
	Timeout time.Duration
	// BodyLimit and UploadLimit bound, in bytes, what is read of a request; 0 is
	// 1 MiB and 16 MiB.
	BodyLimit, UploadLimit int64
}

// API answers the operations of the published contract. It is safe for
// concurrent use.
type API struct {
	setup       *setup.Flow
	deploy      *deploy.Flow
	install     *install.Flow
	connect     Connecting
	reads       Reading
	downloads   Downloading
	writes      Writing
	deliver     Delivering
	notify      Notifying
	budgets     Budgeting
	lookup      Lookup
	proxy       Proxying
	proxyHost   string
	publicURL   *url.URL
	log         *slog.Logger
	observe     func(operation string, status int, took time.Duration)
	admitted    func(context.Context)
	now         func() time.Time
	timeout     time.Duration
	bodyLimit   int64
	uploadLimit int64

	gate *auth.Gate

	dispatch *dispatcher
	schemas  *schemaSet
	document json.RawMessage
}

// New makes the handler of the API: /v1/…, the callback page and /openapi.json. It
// answers other paths with 404.
func New(config Config) (*API, error) {
	if config.Setup == nil || config.Deploy == nil || config.Install == nil || config.Connect == nil || config.Lookup == nil ||
		config.Reads == nil || config.Destinations == nil || config.Downloads == nil || config.Deliver == nil || config.Notify == nil || config.Budgets == nil {
		return nil, &windlass.Error{Kind: windlass.Internal, Op: "set up the API", Message: "every service is required"}
	}
	public, err := url.Parse(strings.TrimRight(config.PublicURL, "/"))
	if err != nil || public.Host == "" || (public.Scheme != "https" && public.Scheme != "http") {
		return nil, &windlass.Error{
			Kind: windlass.Invalid, Op: "set up the API", Message: "the public URL is not a URL",
			Remedy: "give a scheme and a host, as in https://windlass.example.com",
		}
	}
	a := &API{
		setup: config.Setup, deploy: config.Deploy, install: config.Install, connect: config.Connect, lookup: config.Lookup,
		reads: config.Reads, downloads: config.Downloads, writes: config.Writes, deliver: config.Deliver, notify: config.Notify, budgets: config.Budgets,
		proxy: config.Proxy, proxyHost: config.ProxyHost,
		publicURL: public, log: config.Logger, observe: config.Observe, admitted: config.Admitted, now: config.Now,
		timeout: config.Timeout, bodyLimit: config.BodyLimit, uploadLimit: config.UploadLimit,
	}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if a.admitted == nil {
		a.admitted = func(context.Context) {}
	}
	if a.now == nil {
		a.now = time.Now
	}
	a.gate = auth.NewGate(config.Setup, config.Lookup, config.OperatorKey, a.now)
	if a.timeout == 0 {
		a.timeout = time.Minute
	}
	if a.bodyLimit == 0 {
		a.bodyLimit = 1 << 20
	}
	if a.uploadLimit == 0 {
		a.uploadLimit = 16 << 20
	}
	table := routes()
	a.dispatch = newDispatcher(table)
	a.schemas = newSchemaSet(table, config.Destinations)
	if a.document, err = a.describe(table); err != nil {
		return nil, err
	}
	return a, nil
}

// logFailure logs a failure that a person has to look into.
func (a *API) logFailure(c *call, err error) {
	a.log.ErrorContext(c.ctx(), "a request failed", logRequest, c.requestID, logOperation, c.operation(), logError, err)
}

// bodyError turns the error of a body that was cut off into one for the caller.
func bodyError(err error, limit int64) error {
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		return overLimit(limit)
	}
	return err
}
