package server

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"windlass"
	"windlass/internal/api"
	"windlass/internal/auth"
	"windlass/internal/budget"
	"windlass/internal/connect"
	"windlass/internal/deliver"
	"windlass/internal/deploy"
	"windlass/internal/install"
	"windlass/internal/notify"
	"windlass/internal/read"
	"windlass/internal/seal"
	"windlass/internal/setup"
	"windlass/internal/sink"
	"windlass/internal/sink/webhook"
	"windlass/internal/store"
	"windlass/internal/ui"
	"windlass/internal/write"
)

// callbackPath is where a provider sends people back to, below the public URL.
const callbackPath = "/callbacks/v1/oauth"

// Server is a server that has been put together. It is run once.
type Server struct {
	config    Config
	log       *slog.Logger
	metrics   *metrics
	clients   *connections
	store     *store.Store
	database  pinger
	connect   *connect.Service
	setup     *setup.Flow
	deploy    *deploy.Flow
	install   *install.Flow
	budgets   *budgets
	outbox    *outbox
	notify    *notify.Service
	sinks     *sink.Table   // the types of destinations
	webhooks  *webhook.Sink // of these, the one that records are fetched from
	deliver   *deliver.Service
	reads     *read.Flow
	writes    *write.Flow
	api       *api.API
	people    *auth.People
	ui        *ui.UI
	listeners []*listener
	work      *work
	presence  *presence
	reading   context.Context    //nolint:containedctx // it is what the reads of this process share
	endReads  context.CancelFunc // breaks them off
	owner     string             // this process, which its leases begin with

	first struct {
		project windlass.Project
		key     windlass.Secret
		signIn  windlass.Secret
	}
	working, stopping atomic.Bool

	spent       sync.WaitGroup // the upkeep of budgets
	endSpending context.CancelFunc
}

// New puts a server together: it takes its addresses, opens the database and brings
// it up to date, and makes a project and a key if there are none. When it fails,
// nothing is left open. A caller that does not call Run calls Close.
func New(ctx context.Context, config Config) (*Server, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{config: config, log: config.Logger, metrics: newMetrics(config.Providers), owner: rand.Text()}
	s.clients = newConnections(config.MaxConnections, config.MaxConnectionsPerAddress, s.metrics.registry, s.log)
	s.presence = newPresence(s)
	s.reading, s.endReads = context.WithCancel(context.WithoutCancel(ctx))
	if err := s.build(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// build takes first what fails most often and costs least.
func (s *Server) build(ctx context.Context) error {
	if err := s.listen(ctx); err != nil {
		return err
	}
	if err := s.open(ctx); err != nil {
		return err
	}
	budgetKey, err := s.store.SharedKey(ctx, "budgets")
	if err != nil {
		return err
	}
	if err := s.assemble(budgetKey); err != nil { //nolint:contextcheck // it makes tables: no request is under way
		return err
	}
	if s.work, err = s.newWork(ctx); err != nil {
		return err
	}
	s.metrics.watch(s.store, s.work.engine)
	s.metrics.registry.MustRegister(&spentFigures{s.budgets})
	return s.firstStart(ctx)
}

// listen takes the addresses. Nothing is answered before Run.
func (s *Server) listen(ctx context.Context) error {
	own := map[string]http.Handler{
		"/healthz": http.HandlerFunc(s.handleHealth),
		"/readyz":  http.HandlerFunc(s.handleReady),
	}
	measured := own
	if s.config.MetricsAddr != "" {
		measured = map[string]http.Handler{}
	}
	measured["/metrics"] = s.metrics.handler()
	main, err := listen(ctx, s.config.Addr, s.serving(s.route(own)))
	if err != nil {
		return err
	}
	s.listeners = append(s.listeners, main)
	if s.config.PublicURL == "" {
		s.config.PublicURL = s.URL()
	}
	s.config.PublicURL = strings.TrimRight(s.config.PublicURL, "/")
	if s.config.MetricsAddr != "" {
		other, err := listen(ctx, s.config.MetricsAddr, s.serving(only(measured)))
		if err != nil {
			return err
		}
		s.listeners = append(s.listeners, other)
	}
	return nil
}

// serving answers what arrives at an address.
func (s *Server) serving(handler http.Handler) func(net.Listener) *listener {
	return func(l net.Listener) *listener {
		server := newHTTPServer(handler, s.config.AnswerStall, s.proxies, s.log)
		s.clients.watch(server)
		return &listener{&counted{l, s.clients}, server}
	}
}

// proxies reports whether a request is passed on to a provider.
func (s *Server) proxies(r *http.Request) bool { return s.api != nil && s.api.Proxies(r) }

// open opens the database with the keyset that its secrets are sealed with.
func (s *Server) open(ctx context.Context) error {
	opened, err := s.config.openStore(ctx)
	if err != nil {
		return err
	}
	s.store, s.database = opened, opened
	return nil
}

// openStore opens the database that a config describes.
func (c *Config) openStore(ctx context.Context) (*store.Store, error) {
	if c.Keyset.IsZero() || c.Database.IsZero() { // something is kept in it
		if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
			return nil, &windlass.Error{Kind: windlass.Internal, Op: "make the data folder", Err: err, Remedy: "name a folder that may be written"}
		}
	}
	for {
		keyset, err := c.openKeyset()
		if err != nil {
			return nil, err
		}
		absent := keyset.Absent()
		opened, err := store.Open(ctx, store.Options{
			URL: c.DatabaseURL(), Keyset: keyset, Logger: c.Logger, Now: c.Now, Migrations: migrations(),
		})
		if err == nil || !absent {
			return opened, err
		}
		// Another process that starts at the same time may have made it meanwhile.
		if _, missing := os.Stat(c.KeysetPath()); missing != nil {
			return nil, err
		}
	}
}

func (c *Config) openKeyset() (*seal.Keyset, error) {
	if !c.Keyset.IsZero() {
		return seal.FromText("WINDLASS_KEYSET", c.Keyset.Reveal())
	}
	return seal.FromFile(c.KeysetPath())
}

// assemble makes the flows and hands each what it needs.
func (s *Server) assemble(budgetKey windlass.Secret) error {
	s.budgets = newBudgets(&s.config, s.store, s.store, budgetKey)
	if err := s.newDeliveries(); err != nil {
		return err
	}
	if err := s.newReads(); err != nil {
		return err
	}
	if err := s.newWrites(); err != nil {
		return err
	}
	var err error
	s.connect, err = connect.New(connect.Config{
		Store: s.store, Providers: s.config.Providers,
		CallbackURL: s.config.PublicURL + callbackPath,
		Notifier:    &connected{s},
		Base:        s.paying(&spending{class: budget.Interactive}), // a caller waits for what is checked
		Tokens: func(provider string) http.RoundTripper {
			return s.metrics.transport(s.config.Base, provider, "token")
		},
		Logger: s.log, Now: s.config.Now, Owner: s.owner,
	})
	if err != nil {
		return err
	}
	s.setup = setup.New(s.store, s.config.Providers, &setup.Options{Now: s.config.Now, Destinations: s.sinks})
	s.deploy = deploy.New(s.store, s.config.Providers, &deploy.Options{Now: s.config.Now, Started: s.reads.Started, Notifier: s.notify})
	s.install = install.New(s.store, s.config.Providers, &install.Options{
		Now: s.config.Now, Sampler: s.reads, Started: s.reads.Started, Notifier: s.notify,
	})
	if s.config.has(RoleAPI) {
		passing, err := s.newProxy()
		if err != nil {
			return err
		}
		s.api, err = api.New(api.Config{
			Proxy: passing, ProxyHost: s.config.ProxyHost,
			Setup: s.setup, Deploy: s.deploy, Install: s.install, Connect: s.connect, Lookup: s.store, PublicURL: s.config.PublicURL,
			Reads: s.reads, Destinations: s.sinks, Downloads: s.webhooks, Writes: s.writes, Deliver: s.deliver, Notify: s.notify, Budgets: s.budgets,
			OperatorKey: s.config.OperatorKey, Logger: s.log, Now: s.config.Now, Observe: s.metrics.request, Admitted: s.clients.admit,
		})
		if err != nil {
			return err
		}
		return s.newDashboard()
	}
	return nil
}

// firstStart makes a project and a key for it, where there is none. Of several
// processes that start at once on one database, one does.
func (s *Server) firstStart(ctx context.Context) error {
	project, key, err := s.setup.FirstStart(ctx, s.config.Project)
	if errors.Is(err, windlass.Conflict) {
		project, key, err = s.setup.FirstStart(ctx, s.config.Project)
	}
	s.first.project, s.first.key = project, key.Key
	if err == nil && !key.Key.IsZero() && s.people != nil {
		s.first.signIn, err = s.SignInURL(ctx)
	}
	return err
}

// FirstSignIn returns the address of a page that signs the dashboard's administrator
// in once, when New has made the project; else the zero value.
func (s *Server) FirstSignIn() windlass.Secret { return s.first.signIn }

// FirstKey returns the project that New has made and the key to it, which can
// never be shown again. The key is zero when there was a project already.
func (s *Server) FirstKey() (windlass.Project, windlass.Secret) { return s.first.project, s.first.key }

// URL is where the server listens, as in http://127.0.0.1:8080.
func (s *Server) URL() string { return s.listeners[0].url() }

// MetricsURL is where /metrics is served.
func (s *Server) MetricsURL() string { return s.listeners[len(s.listeners)-1].url() }

func (l *listener) url() string {
	addr := l.Addr().String()
	if host, port, err := net.SplitHostPort(addr); err == nil {
		if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
			addr = net.JoinHostPort("127.0.0.1", port)
		}
	}
	return "http://" + addr
}

// PublicURL is where people and programs reach the server.
func (s *Server) PublicURL() string { return s.config.PublicURL }

// CallbackURL is what to register as the callback URL of an OAuth consumer.
func (s *Server) CallbackURL() string { return s.config.PublicURL + callbackPath }

// Close lets go of everything, for a server that is not run. Closing again does
// nothing.
func (s *Server) Close() error {
	var errs []error
	for _, l := range s.listeners {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	return errors.Join(errs...)
}

// Run serves until ctx ends, and then shuts down gracefully. It returns nil when it
// was told to stop and everything ended in time.
func (s *Server) Run(ctx context.Context) error {
	began := time.Now()
	failed := make(chan error, len(s.listeners))
	if err := s.begin(ctx); err != nil {
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			return s.Close() // it is stopped before it began
		}
		return errors.Join(err, s.Close())
	}
	for _, l := range s.listeners {
		go func() { failed <- l.serve() }()
	}
	spending, endSpending := context.WithCancel(context.WithoutCancel(ctx))
	s.spent.Go(func() { _ = s.budgets.Run(spending) }) // nil: it ends when it is told to
	s.endSpending = endSpending
	s.log.InfoContext(ctx, "serving", logAddr, s.listeners[0].Addr().String(), logURL, s.config.PublicURL,
		logDatabase, s.store.Driver(), logRoles, s.config.Roles, logTook, time.Since(began))
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	return errors.Join(err, s.stop(context.WithoutCancel(ctx)))
}

// begin shows that this process lives, and begins to work.
func (s *Server) begin(ctx context.Context) error {
	if s.store.Driver() == store.SQLite {
		// The lock on the file says that no other process works: leases that are held
		// belong to a process that died.
		if err := s.takeOver(ctx, ""); err != nil {
			return err
		}
	}
	if err := s.presence.begin(ctx); err != nil {
		return err
	}
	return s.startWork(ctx)
}

// stop takes no new work, waits for what is under way, and lets go of everything.
func (s *Server) stop(ctx context.Context) error {
	began := time.Now()
	s.stopping.Store(true)
	s.endReads()
	s.stopPages()
	defer s.breakOffRefreshes()()
	s.log.InfoContext(ctx, "stopping", logDeadline, s.config.StopDeadline)
	ctx, cancel := context.WithTimeout(ctx, s.config.StopDeadline)
	defer cancel()
	var errs []error
	// Together: a request may wait for a job's transaction, and the other way round.
	done := make(chan error, len(s.listeners)+1)
	for _, l := range s.listeners {
		go func() { done <- l.stop(ctx) }()
	}
	go func() { done <- s.stopWork(ctx) }()
	for range len(s.listeners) + 1 {
		errs = append(errs, <-done)
	}
	// Last, when no more requests are paid for: what is left goes back to the others.
	s.endSpending()
	s.spent.Wait()
	errs = append(errs, s.waitForRefreshes(ctx), s.presence.stop(ctx), s.store.Close())
	err := errors.Join(errs...)
	if errors.Is(err, context.DeadlineExceeded) {
		err = &windlass.Error{
			Kind: windlass.Unavailable, Op: "stop", Err: err,
			Message: "not everything ended within " + s.config.StopDeadline.String() + ": the rest was broken off",
			Remedy:  "nothing is lost; a longer deadline gives it more time",
		}
	}
	s.log.InfoContext(ctx, "stopped", logTook, time.Since(began))
	return err
}

// refreshPatience is how long a stop waits for the answer to a refresh: a refresh token
// that is lost on the way has to be asked for again (invariant 4), which another process
// does within the time for which a provider takes the old token.
const refreshPatience = 5 * time.Second

// breakOffRefreshes ends refreshes that take longer than a stop waits for them, and with
// them the requests and jobs that wait for one.
func (s *Server) breakOffRefreshes() (stop func() bool) {
	return time.AfterFunc(min(refreshPatience, s.config.StopDeadline), func() {
		if n := s.connect.BreakOff(); n > 0 {
			s.log.Warn("refreshes that take long are broken off: they are made again by the next process", logRequests, n)
		}
	}).Stop
}

// waitForRefreshes lets those be saved whose answers arrive in time.
func (s *Server) waitForRefreshes(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		s.connect.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
