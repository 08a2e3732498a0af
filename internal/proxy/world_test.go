package proxy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"windlass"
	"windlass/bitbucket"
	"windlass/bitbucket/sandbox"
	"windlass/connector"
	"windlass/internal/proxy"
)

const (
	projectID      = "project-1"
	integrationID  = "integration-1"
	installationID = "installation-1"
	connectionID   = "connection-1"
)

// world is a proxy on a socket, the provider behind it on another, and the rest of
// Windlass in memory.
type world struct {
	testing.TB
	provider *httptest.Server
	proxy    *proxy.Proxy
	front    *httptest.Server
	keeper   *keeper
	budget   *budget
	entries  *entries
	logs     *logs
	seen     chan proxy.Seen
}

// elsewhere is Bitbucket, whose proxied paths stand behind a base URL of a test's.
type elsewhere struct {
	bitbucket.Provider
	base string
}

func at(api, base string) *elsewhere {
	return &elsewhere{bitbucket.Provider{Endpoints: connector.Endpoints{API: api}}, base}
}

func (e *elsewhere) Info() connector.Info {
	info := e.Provider.Info()
	info.ProxyURL = e.base
	return info
}

// baseOf is the base URL of a config's only provider.
func baseOf(tb testing.TB, c *proxy.Config) *string {
	tb.Helper()
	provider, ok := c.Providers[0].(*elsewhere)
	if !ok {
		tb.Fatalf("the provider is a %T", c.Providers[0])
	}
	return &provider.base
}

// newWorld starts a proxy before a provider. change may be nil.
func newWorld(tb testing.TB, provider http.Handler, change func(*proxy.Config)) *world {
	tb.Helper()
	w := &world{
		TB: tb, provider: httptest.NewServer(provider), keeper: &keeper{token: "token-1", version: 1}, budget: &budget{},
		entries: newEntries(), logs: &logs{}, seen: make(chan proxy.Seen, 10_000),
	}
	tb.Cleanup(w.provider.Close)
	transport := &http.Transport{}
	tb.Cleanup(transport.CloseIdleConnections)
	base := proxy.Unaltered(transport)
	config := proxy.Config{
		Directory: w.entries, Credentials: w.keeper, Budget: w.budget,
		Providers: connector.Providers{at(w.provider.URL+"/2.0", w.provider.URL)}, Base: func(string) http.RoundTripper { return base },
		Logger:  slog.New(slog.NewTextHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Observe: func(s proxy.Seen) { w.seen <- s },
	}
	if change != nil {
		change(&config)
	}
	var err error
	if w.proxy, err = proxy.New(config); err != nil {
		tb.Fatal(err)
	}
	w.front = httptest.NewUnstartedServer(http.HandlerFunc(w.serve))
	w.front.Config.Protocols = new(http.Protocols)
	w.front.Config.Protocols.SetHTTP1(true)
	w.front.Config.Protocols.SetUnencryptedHTTP2(true)
	w.front.Config.ReadHeaderTimeout = time.Second
	w.front.Config.ReadTimeout = 10 * time.Second
	w.front.Start()
	tb.Cleanup(func() {
		w.front.Close()
		if transport, ok := base.(*http.Transport); ok {
			transport.CloseIdleConnections()
		}
	})
	return w
}

// serve stands for the API, which lets callers in and writes what fails.
func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	w.proxy.Serve(rw, r, proxy.Call{ProjectID: projectID, Caller: "key-1", RequestID: "request-1", Fail: fail})
}

// fail is a small form of how the API tells what went wrong.
func fail(rw http.ResponseWriter, err error) {
	kind, _ := errors.AsType[windlass.Kind](err)
	status, known := map[windlass.Kind]int{
		windlass.Invalid: 400, windlass.Forbidden: 403, windlass.NotFound: 404, proxy.TooSlow: 408, proxy.TooLarge: 413,
		windlass.NeedsReconnect: 422, windlass.RateLimited: 429, windlass.Canceled: 499, windlass.Unavailable: 503, proxy.TimedOut: 504,
	}[kind]
	if !known {
		status = 500
	}
	rw.Header().Set("Content-Type", "application/problem+json")
	rw.WriteHeader(status)
	_ = json.NewEncoder(rw).Encode(map[string]string{"detail": err.Error()})
}

// request makes a request to the proxy that names the installation.
func (w *world) request(method, path string, body any) *http.Request {
	w.Helper()
	var reader io.Reader
	switch body := body.(type) {
	case nil:
	case string:
		reader = strings.NewReader(body)
	case []byte:
		reader = bytes.NewReader(body)
	case io.Reader:
		reader = body
	}
	req, err := http.NewRequestWithContext(w.Context(), method, w.front.URL+path, reader)
	if err != nil {
		w.Fatal(err)
	}
	req.Header.Set("X-Amp-Proxy-Version", "1")
	req.Header.Set("X-Amp-Project-Id", projectID)
	req.Header.Set("X-Amp-Installation-Id", installationID)
	req.Header.Set("X-Api-Key", "the-products-key")
	return req
}

// do sends a request as it is: no redirects, no unpacking, a connection of its own.
func (w *world) do(req *http.Request) (*http.Response, string) {
	w.Helper()
	transport := &http.Transport{DisableCompression: true}
	w.Cleanup(transport.CloseIdleConnections)
	resp, err := transport.RoundTrip(req)
	if err != nil {
		w.Fatal(err)
	}
	defer resp.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(resp.Body); err != nil {
		w.Fatal(err)
	}
	return resp, text.String()
}

// raw sends bytes over a connection of its own, and returns it.
func (w *world) raw(text string) net.Conn {
	w.Helper()
	conn, err := (&net.Dialer{}).DialContext(w.Context(), "tcp", w.front.Listener.Addr().String())
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = conn.Close() })
	if _, err := conn.Write([]byte(text)); err != nil {
		w.Fatal(err)
	}
	return conn
}

// told waits until a request is over, and returns what was seen of it.
func (w *world) told() proxy.Seen {
	w.Helper()
	select {
	case s := <-w.seen:
		return s
	case <-time.After(20 * time.Second):
		w.Fatal("a request never ended")
		return proxy.Seen{}
	}
}

// keeper keeps the credential of the connection.
type keeper struct {
	mu       sync.Mutex
	token    string
	version  int64
	bad      error // Credential fails with it
	dead     error // Refused fails with it
	refusals int
}

func (k *keeper) Credential(_ context.Context, c windlass.Connection) (windlass.Credentials, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if c.ID != connectionID || k.bad != nil {
		return windlass.Credentials{}, k.bad
	}
	return windlass.Credentials{AccessToken: windlass.NewSecret(k.token), Version: k.version}, nil
}

func (k *keeper) Refused(_ context.Context, _ windlass.Connection, version int64) (windlass.Credentials, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.refusals++
	if k.dead != nil {
		return windlass.Credentials{}, k.dead
	}
	if version == k.version {
		k.version++
		k.token = fmt.Sprintf("token-%d", k.version)
	}
	return windlass.Credentials{AccessToken: windlass.NewSecret(k.token), Version: k.version}, nil
}

// budget counts.
type budget struct {
	paid, learnt atomic.Int64
	refuse       atomic.Pointer[error]
}

func (b *budget) Pay(context.Context, windlass.Connection, windlass.Credentials) error {
	if err := b.refuse.Load(); err != nil {
		return *err
	}
	b.paid.Add(1)
	return nil
}

func (b *budget) Learn(context.Context, windlass.Connection, windlass.Credentials, *http.Response) {
	b.learnt.Add(1)
}

// entries are one integration and its installations.
type entries struct {
	installations map[string]windlass.Installation
	revisions     map[string]windlass.Revision
	asked         atomic.Int64
}

func newEntries() *entries {
	e := &entries{installations: map[string]windlass.Installation{}, revisions: map[string]windlass.Revision{
		"with":    {ID: "with", Content: json.RawMessage(`{"name":"acme","provider":"bitbucket","proxy":{"enabled":true}}`)},
		"without": {ID: "without", Content: json.RawMessage(`{"name":"acme","provider":"bitbucket","read":{"objects":[]}}`)},
	}}
	e.add(installationID, "group-1", "with", `{"provider":"bitbucket","proxy":{"enabled":true}}`)
	e.add("installation-off", "group-off", "with", `{"provider":"bitbucket","proxy":{"enabled":false}}`)
	e.add("installation-old", "group-old", "without", `{"provider":"bitbucket"}`)
	return e
}

func (e *entries) add(id, group, revision, config string) {
	e.installations[id] = windlass.Installation{
		ID: id, ProjectID: projectID, IntegrationID: integrationID, Group: windlass.Group{ProjectID: projectID, Ref: group},
		Connection: windlass.Connection{ID: connectionID, ProjectID: projectID, Provider: "bitbucket", Scheme: windlass.AuthOAuth, Workspace: "acme"},
		Config:     windlass.Config{RevisionID: revision, Content: json.RawMessage(config)},
	}
}

func missing(what string) error {
	return &windlass.Error{Kind: windlass.NotFound, Message: "there is no such " + what}
}

func (e *entries) Installation(_ context.Context, project, id string) (windlass.Installation, error) {
	if in, ok := e.installations[id]; ok && in.ProjectID == project {
		return in, nil
	}
	return windlass.Installation{}, missing("installation")
}

func (e *entries) Installations(_ context.Context, want windlass.InstallationFilter) ([]windlass.Installation, error) {
	for _, in := range e.installations {
		if in.ProjectID == want.ProjectID && in.IntegrationID == want.IntegrationID && in.Group.Ref == want.GroupRef {
			return []windlass.Installation{in}, nil
		}
	}
	return nil, nil
}

func (e *entries) Integration(_ context.Context, project, idOrName string) (windlass.Integration, error) {
	if project == projectID && (idOrName == integrationID || idOrName == "acme") {
		return windlass.Integration{ID: integrationID, ProjectID: project, Name: "acme"}, nil
	}
	return windlass.Integration{}, missing("integration")
}

func (e *entries) Revision(_ context.Context, _, id string) (windlass.Revision, error) {
	e.asked.Add(1)
	if r, ok := e.revisions[id]; ok {
		return r, nil
	}
	return windlass.Revision{}, missing("revision")
}

// logs keep what is logged.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// inSandbox is a world whose provider is the sandbox, to which the connection's
// token is known.
func inSandbox(tb testing.TB, options *sandbox.Options, change func(*proxy.Config)) (*world, *sandbox.Server) {
	tb.Helper()
	server := sandbox.New(options)
	w := newWorld(tb, server, change)
	w.keeper.token = server.Credentials().AccessToken
	return w, server
}
