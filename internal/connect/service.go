package connect

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/google/uuid"

	"windlass"
	"windlass/connector"
	"windlass/internal/logkey"
)

// Config has the dependencies and settings of a Service. Store, Providers and
// CallbackURL are required.
type Config struct {
	Store Store
	// Providers are the known ones.
	Providers connector.Providers
	// CallbackURL is where a provider sends people back to, as it is registered
	// there.
	CallbackURL string
	// Notifier is told of what happens to connections; nil notifies no one.
	Notifier Notifier
	// Base sends the requests that a person waits for, such as those that check new
	// credentials; nil means http.DefaultTransport.
	Base Base
	// Tokens sends the requests to the token endpoint of a provider; nil means
	// http.DefaultTransport.
	Tokens func(provider string) http.RoundTripper
	// Logger gets what a person has to act on; nil logs nothing.
	Logger *slog.Logger
	// Owner names this process, so that others find its leases when it is gone; empty
	// is a random name.
	Owner string
	// Now is the clock; nil means time.Now. It should agree with the clocks of
	// the other processes to within seconds: leases are compared by it.
	Now func() time.Time
}

// Base sends a connection's API requests with the credentials that are spent, which may
// not be stored yet; it is where they are paid for (invariant 7). Nil, or a nil answer,
// means http.DefaultTransport.
type Base func(windlass.Connection, windlass.Credentials) http.RoundTripper

// of is what sends a connection's requests.
func (b Base) of(connection windlass.Connection, credentials windlass.Credentials) http.RoundTripper {
	if b != nil {
		if base := b(connection, credentials); base != nil {
			return base
		}
	}
	return http.DefaultTransport
}

// Service connects customers and keeps their credentials. It is safe for
// concurrent use; any number may share one store.
type Service struct {
	store     Store
	providers connector.Providers
	callback  string
	notifier  Notifier
	base      Base
	tokens    func(provider string) http.RoundTripper
	log       *slog.Logger
	now       func() time.Time

	name    string // of this process among those that share the store
	flights singleflight
	holds   holds
	apps    appTroubles
	sweeps  sweeper
	warned  sync.Map // projects whose consents may begin from anywhere

	ending context.Context //nolint:containedctx // background context: it ends with the process, not with a request
	end    context.CancelFunc
}

// The keys of what is logged.
const (
	logProject    = logkey.Project
	logConnection = logkey.Connection
	logApp        = logkey.ProviderApp
	logReason     = logkey.Error
	logUntil      = logkey.Until
)

// New returns a Service.
func New(config Config) (*Service, error) {
	callback, err := url.Parse(config.CallbackURL)
	if config.Store == nil || len(config.Providers) == 0 || err != nil || callback.Host == "" {
		return nil, &windlass.Error{
			Kind: windlass.Invalid, Op: "set up connections",
			Message: "a store, a provider and an absolute callback URL are required",
		}
	}
	s := &Service{
		store: config.Store, providers: config.Providers, callback: config.CallbackURL,
		notifier: config.Notifier, base: config.Base, tokens: config.Tokens, log: config.Logger, now: config.Now,
		name: cmp.Or(config.Owner, uuid.NewString()),
	}
	s.ending, s.end = context.WithCancel(context.Background())
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	return s, nil
}

// Wait waits for the refreshes that are under way, so that no answer of the
// provider is lost when a process stops. Nothing else may be called meanwhile.
func (s *Service) Wait() {
	s.endSweeps()
	s.flights.running.Wait()
}

// BreakOff ends the requests for a refresh that are under way, and says how many there
// are: callers that wait for one get an error that says to try again, and another
// process may make it at once. Those that begin later end as well.
func (s *Service) BreakOff() int {
	s.end()
	s.flights.mu.Lock()
	defer s.flights.mu.Unlock()
	return len(s.flights.under)
}

// provider returns a provider by its name.
func (s *Service) provider(op, name string) (connector.Provider, error) {
	if provider, ok := s.providers.Named(name); ok {
		return provider, nil
	}
	return nil, &windlass.Error{
		Kind: windlass.Invalid, Op: op, Message: "there is no provider " + quote(name),
		Issues: []windlass.Issue{{In: "body", Name: "provider", Message: "not a known provider"}},
	}
}

// oauth returns a provider's side of a consent.
func (s *Service) oauth(op string, provider connector.Provider) (connector.OAuth, error) {
	info := provider.Info()
	var base http.RoundTripper
	if s.tokens != nil {
		base = s.tokens(info.Name)
	}
	if oauth := provider.OAuth(base); oauth != nil {
		return oauth, nil
	}
	return nil, &windlass.Error{
		Kind: windlass.Invalid, Op: op, Message: info.DisplayName + " has no consent page",
		Remedy: "import the customer's credentials instead",
		Issues: []windlass.Issue{{In: "body", Name: "provider", Message: "customers do not connect to it by OAuth"}},
	}
}

// load reads a connection and its credentials: these first, because within a
// transaction both stay locked, and the store locks them in this order.
func (s *Service) load(ctx context.Context, projectID, id string) (windlass.Connection, windlass.Credentials, error) {
	credentials, err := s.store.Credentials(ctx, id)
	if err != nil {
		return windlass.Connection{}, windlass.Credentials{}, err
	}
	connection, err := s.store.Connection(ctx, projectID, id)
	if err != nil {
		return windlass.Connection{}, windlass.Credentials{}, err // another project's: its credentials are not shown
	}
	return connection, credentials, nil
}

// notify tells the product, within the transaction of ctx.
func (s *Service) notify(ctx context.Context, event Event) error {
	if s.notifier == nil {
		return nil
	}
	return s.notifier.Notify(ctx, event)
}

// about returns the log attributes of a connection.
func about(c windlass.Connection) []any {
	about := []any{logProject, c.ProjectID, logConnection, c.ID}
	if c.ProviderAppID != "" {
		about = append(about, logApp, c.ProviderAppID)
	}
	return about
}

// logEvent logs an event of a connection, once it is committed.
func (s *Service) logEvent(ctx context.Context, what string, c windlass.Connection) {
	s.store.Afterwards(ctx, func() { s.log.InfoContext(ctx, what, about(c)...) }) //nolint:sloglint // the callers name the constants below
}

// The log messages about good events of connections.
const (
	msgCreated      = "a connection was made"
	msgReauthorized = "a connection is authorized again"
	msgWorks        = "a connection works"
	msgDeleted      = "a connection was deleted"
)
