package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"windlass"
	"windlass/internal/auth"
	"windlass/internal/ids"
	"windlass/internal/logkey"
)

// The keys of what is logged.
const (
	logRequest   = logkey.Request
	logMethod    = logkey.Method
	logRoute     = logkey.Route
	logOperation = logkey.Endpoint
	logStatus    = logkey.Status
	logBytes     = logkey.Bytes
	logDuration  = logkey.Duration
	logCaller    = logkey.Caller
	logProject   = logkey.Project
	logError     = logkey.Error
	logStack     = logkey.Stack
	logWarning   = logkey.Warning
)

// A call is one request on its way through.
type call struct {
	whole     context.Context //nolint:containedctx // of the request, without the time it may take
	w         http.ResponseWriter
	r         *http.Request
	requestID string
	route     *route
	params    map[string]string
	query     url.Values
	who       auth.Caller
	project   windlass.Project // where the path names one
}

func (c *call) ctx() context.Context { return c.r.Context() }

// param returns a value from the path, unescaped.
func (c *call) param(name string) string { return c.params[name] }

// flag returns a parameter of the query that is true or false; absent is false.
func (c *call) flag(name string) bool { return c.query.Get(name) == "true" }

// ServeHTTP answers one request. It never panics: what does is answered and
// logged. (A proxied one may, to cut an answer that cannot be ended.)
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.Proxies(r) {
		a.serveProxied(w, r)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), a.timeout)
	defer cancel()
	counted := &countingWriter{ResponseWriter: w}
	a.answer(&call{whole: r.Context(), w: counted, r: r.WithContext(ctx), requestID: ids.New()}, counted) //nolint:contextcheck // the call carries it, in its request
}

// answer serves a call, whatever happens in it.
func (a *API) answer(c *call, counted *countingWriter) {
	began := a.now()
	ownHeaders(counted.Header(), c.requestID)
	defer a.logAccess(c, counted, began)
	defer func() {
		if recovered := recover(); recovered != nil {
			if recovered == http.ErrAbortHandler { //nolint:errorlint // net/http itself compares it so
				panic(http.ErrAbortHandler)
			}
			a.log.ErrorContext(c.ctx(), "a handler panicked", logRequest, c.requestID, logOperation, c.operation(),
				logError, fmt.Sprint(recovered), logStack, string(debug.Stack()))
			if !counted.wrote {
				a.fail(c, &windlass.Error{Kind: windlass.Internal})
			}
		}
	}()
	a.serve(c)
}

// ownHeaders are on every answer of ours.
func ownHeaders(header http.Header, requestID string) {
	header.Set("X-Request-Id", requestID)
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
}

// serve finds the route, lets the caller in, runs the operation and answers.
func (a *API) serve(c *call) {
	path := c.r.URL.EscapedPath()
	if strings.HasPrefix(path, apiPrefix) && allowOrigins(c.w, c.r) {
		return
	}
	method := c.r.Method
	if method == http.MethodHead && path != callbackPath { // which would use the consent up
		method = http.MethodGet // net/http leaves the body out
	}
	found, params, allowed := a.dispatch.find(method, path)
	if found == nil {
		a.fail(c, noRoute(c, allowed))
		return
	}
	c.route, c.params = found, params
	answer, err := a.run(c)
	if err != nil {
		a.fail(c, err)
		return
	}
	if streamed, isStream := answer.(stream); isStream {
		streamed.send(a, c)
		return
	}
	if err := writeAnswer(c.w, found.status, answer); err != nil {
		a.fail(c, err)
	}
}

func noRoute(c *call, allowed []string) error {
	if len(allowed) == 0 {
		return &windlass.Error{
			Kind: windlass.NotFound, Message: "there is no such operation",
			Remedy: "see /openapi.json for the list",
		}
	}
	c.w.Header().Set("Allow", strings.Join(allowed, ", "))
	return &windlass.Error{
		Kind: methodNotAllowed, Message: "this path does not take " + printableWord(c.r.Method),
		Remedy: "it takes " + strings.Join(allowed, ", "),
	}
}

// run carries an operation out.
func (a *API) run(c *call) (any, error) {
	query, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return nil, &windlass.Error{
			Kind: malformedRequest, Message: "the query cannot be read",
			Remedy: "percent-encode its values, and separate them with &",
		}
	}
	c.query = query
	if err := a.admit(c); err != nil {
		return nil, err
	}
	if err := checkQuery(c.route.query, query); err != nil {
		return nil, err
	}
	if c.r.Method == http.MethodHead {
		for _, p := range c.route.query {
			if value := query.Get(p.name); p.changes && value != "" && value != "false" {
				c.w.Header().Set("Allow", http.MethodGet)
				return nil, &windlass.Error{Kind: methodNotAllowed, Message: "HEAD changes nothing, and " + p.name + " does", Remedy: "send GET"}
			}
		}
	}
	return c.route.op.run(a, c)
}

// fail answers a request that failed, and logs what a person has to look into.
func (a *API) fail(c *call, err error) {
	now := a.now()
	p := problemFor(err, c.requestID, now)
	if isServerError(p.Status) {
		a.logFailure(c, err)
	}
	if errors.Is(err, tooLarge) {
		c.w.Header().Set("Connection", "close") // the rest of the body is not worth reading
	}
	writeProblem(c.w, p, now)
}

func (c *call) operation() string {
	if c.route == nil {
		return ""
	}
	return c.route.id
}

// logAccess writes a line for the request. It holds the route's pattern and no
// path or query: a path may name a key, a query carries codes and states.
func (a *API) logAccess(c *call, w *countingWriter, began time.Time) {
	level := slog.LevelDebug
	if w.status >= http.StatusBadRequest || (c.r.Method != http.MethodGet && c.r.Method != http.MethodHead && c.r.Method != http.MethodOptions) {
		level = slog.LevelInfo // a change, or something that a person may have to fix
	}
	pattern := ""
	if c.route != nil {
		pattern = c.route.path
	}
	took := a.now().Sub(began)
	if a.observe != nil {
		a.observe(c.operation(), w.status, took)
	}
	a.log.Log(context.WithoutCancel(c.ctx()), level, "request",
		logRequest, c.requestID, logMethod, printableWord(c.r.Method), logRoute, pattern, logOperation, c.operation(),
		logStatus, w.status, logBytes, w.bytes, logDuration, took,
		logCaller, c.who.Name, logProject, c.project.ID)
}

// A countingWriter remembers what was answered.
type countingWriter struct {
	http.ResponseWriter
	status, bytes int
	wrote         bool
}

func (w *countingWriter) WriteHeader(status int) {
	if !w.wrote {
		w.status, w.wrote = status, true
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *countingWriter) Write(data []byte) (int, error) {
	if !w.wrote {
		w.WriteHeader(http.StatusOK)
	}
	n, err := w.ResponseWriter.Write(data)
	w.bytes += n
	return n, err
}

// Unwrap lets http.ResponseController through.
func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
