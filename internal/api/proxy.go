package api

import (
	"context"
	"net"
	"net/http"
	"strings"

	"windlass"
	"windlass/internal/auth"
	"windlass/internal/ids"
	"windlass/internal/proxy"
)

// Proxying passes requests on to a provider: *proxy.Proxy.
type Proxying interface {
	Serve(w http.ResponseWriter, r *http.Request, call proxy.Call)
}

// The headers that mark a proxied request, and name its project.
const (
	proxyVersion = "X-Amp-Proxy-Version"
	proxyProject = "X-Amp-Project-Id"
)

// proxied is what a proxied request that is not let in is counted and logged as.
var proxied = &route{id: "proxy"}

// Proxies reports whether a request is for the provider and not for us: by a header
// of the published contract, or by the proxy's own host name. Its path is then the
// provider's, whatever it looks like.
func (a *API) Proxies(r *http.Request) bool {
	if a.proxy == nil {
		return false
	}
	if _, said := r.Header[proxyVersion]; said {
		return true
	}
	if a.proxyHost == "" {
		return false
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.EqualFold(strings.TrimSuffix(host, "."), a.proxyHost)
}

// serveProxied authenticates a request and passes it to the proxy. Nothing is added to
// the proxy's answer, and it may take as long as data flows.
func (a *API) serveProxied(w http.ResponseWriter, r *http.Request) {
	began := a.now()
	c := &call{r: r, requestID: ids.New(), route: proxied}
	if err := a.admitProxied(c); err != nil { //nolint:contextcheck // the call carries it, in its request
		counted := &countingWriter{ResponseWriter: w}
		a.failProxied(c, counted, err) //nolint:contextcheck // the call carries it, in its request
		a.logAccess(c, counted, began) //nolint:contextcheck // the call carries it, in its request
		return
	}
	a.proxy.Serve(w, r, proxy.Call{
		ProjectID: c.project.ID, Caller: c.who.Name, RequestID: c.requestID,
		Fail: func(w http.ResponseWriter, err error) { a.failProxied(c, w, err) }, //nolint:contextcheck // the call carries it, in its request
	})
}

func (a *API) failProxied(c *call, w http.ResponseWriter, err error) {
	c.w = w
	ownHeaders(w.Header(), c.requestID)
	a.fail(c, err)
}

// admitProxied finds out who sent a request. It has to be a server of the product's:
// a caller that may use any endpoint with a customer's credential is not a page in a browser.
func (a *API) admitProxied(c *call) error {
	whole := c.r
	defer func() { c.r = whole }()
	ctx, cancel := context.WithTimeout(whole.Context(), a.timeout)
	defer cancel()
	c.r = whole.WithContext(ctx)

	// Authorization may hold what the caller's client believes to be the provider's.
	key := whole.Header.Get("X-Api-Key")
	if key == "" {
		return auth.Refused("a proxied request needs an API key", "send a key of scope full in the header X-Api-Key, from a server")
	}
	who, err := a.gate.Key(ctx, key, addressOf(c.r))
	if err != nil {
		return err
	}
	c.who = who
	a.admitted(ctx)
	if who.Access < auth.Server {
		return auth.Closed(auth.Server)
	}
	name := whole.Header.Get(proxyProject)
	switch {
	case name == "" && who.Everywhere:
		const message = "the operator's key belongs to no project"
		return &windlass.Error{
			Kind: windlass.Invalid, Message: message, Remedy: "name the project in the header " + proxyProject,
			Issues: []windlass.Issue{{In: "header", Name: proxyProject, Message: message}},
		}
	case name == "", name == who.ProjectID:
		c.project = windlass.Project{ID: who.ProjectID}
		return nil
	}
	c.project, err = a.projectOf(c, name)
	return err
}
