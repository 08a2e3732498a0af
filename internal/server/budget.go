package server

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"windlass"
	"windlass/bitbucket"
	"windlass/internal/budget"
)

// A spending says what the requests of a context are for, and counts them.
type spending struct {
	class budget.Class
	sent  atomic.Int64
}

type spendingKey struct{}

// spends is a transport whose requests are for something. It stands around the
// one of a connection, which pays at its innermost: what is sent twice is paid twice.
type spends struct {
	*spending
	base http.RoundTripper
}

// RoundTrip sends a request that says what it is for.
func (s *spends) RoundTrip(req *http.Request) (*http.Response, error) {
	return s.base.RoundTrip(req.WithContext(context.WithValue(req.Context(), spendingKey{}, s.spending)))
}

// classOf is who is served first: whoever waits for an answer, then what is due,
// then the past.
func classOf(purpose string) budget.Class {
	switch purpose {
	case windlass.TriggerBackfill:
		return budget.Backfill
	case windlass.TriggerSchedule, windlass.TriggerAsked:
		return budget.Scheduled
	default: // read.PurposeSample: somebody waits for the installation
		return budget.Interactive
	}
}

// budgets pay for the requests of connections.
type budgets struct {
	*budget.Budget

	apps  apps
	limit int // where nobody said another
	known sync.Map
	// secret is the same in all processes, and kept nowhere else.
	secret []byte
}

// apps are where provider apps and connections are kept.
type apps interface {
	ProviderApp(ctx context.Context, projectID, id string) (windlass.ProviderApp, error)
	ProviderApps(ctx context.Context, projectID string, page windlass.Page) ([]windlass.ProviderApp, error)
	Connections(ctx context.Context, filter windlass.ConnectionFilter) ([]windlass.Connection, error)
}

// A knownLimit is a provider app's, as it was a moment ago.
type knownLimit struct {
	limit int
	until time.Time
}

func newBudgets(config *Config, ledger budget.Ledger, apps apps, secret []byte) *budgets {
	return &budgets{
		Budget: budget.New(ledger, &budget.Options{Limits: limits, Now: config.Now}), apps: apps, limit: config.HourlyLimit, secret: secret,
	}
}

// limits reads what Bitbucket says of a limit.
func limits(header http.Header) (budget.Reading, bool) {
	said, ok := bitbucket.ParseLimit(header)
	return budget.Reading{Limit: said.Limit, Remaining: said.Remaining, Reset: said.Reset}, ok
}

// account is whom Bitbucket counts the requests of a connection for: all of a
// provider app's together, and each other credential by itself.
func (b *budgets) account(ctx context.Context, c windlass.Connection) (budget.Account, error) {
	account := budget.Account{Key: "connection:" + c.ID, Limit: b.limit, Customer: c.ProjectID + "/" + c.Group.Ref}
	if c.ProviderAppID == "" {
		return account, nil
	}
	account.Key = "app:" + c.ProviderAppID
	if found, ok := b.known.Load(c.ProviderAppID); ok {
		if known, _ := found.(knownLimit); time.Now().Before(known.until) {
			account.Limit = known.limit
			return account, nil
		}
	}
	app, err := b.apps.ProviderApp(ctx, c.ProjectID, c.ProviderAppID)
	if err != nil {
		return account, err
	}
	if app.HourlyLimit > 0 {
		account.Limit = app.HourlyLimit
	}
	b.known.Store(c.ProviderAppID, knownLimit{account.Limit, time.Now().Add(time.Minute)})
	return account, nil
}

// ofCredential is the key of a credential that belongs to no connection yet, because
// it is being checked: each has a budget of its own. The hash is keyed, so that no
// one can find out by it which credential was used.
func (b *budgets) ofCredential(credential string) string {
	hash := hmac.New(sha256.New, b.secret)
	_, _ = hash.Write([]byte(credential)) // it never fails
	return "credential:" + hex.EncodeToString(hash.Sum(nil)[:16])
}

// Budgets returns those of a project that this process has paid from lately.
func (b *budgets) Budgets(ctx context.Context, projectID string) ([]budget.State, error) {
	apps, err := b.apps.ProviderApps(ctx, projectID, windlass.Page{})
	if err != nil {
		return nil, err
	}
	connections, err := b.apps.Connections(ctx, windlass.ConnectionFilter{ProjectID: projectID})
	if err != nil {
		return nil, err
	}
	own := map[string]bool{}
	for i := range apps {
		own["app:"+apps[i].ID] = true
	}
	for i := range connections {
		own["connection:"+connections[i].ID] = true
	}
	all, err := b.State(ctx)
	return slices.DeleteFunc(all, func(s budget.State) bool { return !own[s.Key] }), err
}

// base is what sends a connection's requests: each is paid first (invariant 7).
func (b *budgets) base(c windlass.Connection, through http.RoundTripper) http.RoundTripper {
	return &payer{b, c, through}
}

type payer struct {
	budgets    *budgets
	connection windlass.Connection
	through    http.RoundTripper
}

// RoundTrip pays for a request and sends it.
func (p *payer) RoundTrip(req *http.Request) (*http.Response, error) {
	account, err := p.budgets.account(req.Context(), p.connection)
	if p.connection.ID == "" && p.connection.ProviderAppID == "" {
		account.Key = p.budgets.ofCredential(req.Header.Get("Authorization"))
	}
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close() // a RoundTripper promises it; nothing was read from it
		}
		return nil, err
	}
	class, through := budget.Interactive, p.through
	if spending, ok := req.Context().Value(spendingKey{}).(*spending); ok {
		class, through = spending.class, &counts{&spending.sent, through}
	}
	return p.budgets.Transport(through, account, class).RoundTrip(req)
}

// counts tells how many requests were paid and sent.
type counts struct {
	sent *atomic.Int64
	base http.RoundTripper
}

// RoundTrip counts a request and sends it.
func (c *counts) RoundTrip(req *http.Request) (*http.Response, error) {
	c.sent.Add(1)
	return c.base.RoundTrip(req)
}
