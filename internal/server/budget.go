package server

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/budget"
)

// A spending is what the requests of a client are for, and how many were sent.
type spending struct {
	class budget.Class
	sent  atomic.Int64
}

// classOf is which work is served first: requests that a client waits for, then what
// is due, then backfills.
func classOf(purpose string) budget.Class {
	switch purpose {
	case windlass.TriggerBackfill:
		return budget.Backfill
	case windlass.TriggerSchedule, windlass.TriggerAsked:
		return budget.Scheduled
	default: // read.PurposeSample: a client waits for the installation
		return budget.Interactive
	}
}

// budgets pay for the requests of connections.
type budgets struct {
	*budget.Budget

	apps      apps
	providers connector.Providers
	limit     int // where no other is known
	now       func() time.Time
	known     sync.Map
	// secret is the same in all processes: they have to find one key for one credential.
	secret windlass.Secret
}

// apps are where provider apps are kept.
type apps interface {
	ProviderApp(ctx context.Context, projectID, id string) (windlass.ProviderApp, error)
	ProviderApps(ctx context.Context, projectID string, page windlass.Page) ([]windlass.ProviderApp, error)
}

// A knownLimit is a provider app's, as it was a moment ago.
type knownLimit struct {
	limit int
	until time.Time
}

func newBudgets(config *Config, ledger budget.Ledger, apps apps, secret windlass.Secret) *budgets {
	b := &budgets{apps: apps, providers: config.Providers, limit: config.HourlyLimit, now: config.Now, secret: secret}
	b.Budget = budget.New(ledger, &budget.Options{Limits: b.limits, Now: config.Now})
	return b
}

// limits reads what a provider says of a limit.
func (b *budgets) limits(account budget.Account, resp *http.Response) (connector.Limit, bool) {
	provider, known := b.providers.Named(account.Provider)
	if !known {
		return connector.Limit{}, false
	}
	return provider.Limit(resp)
}

// usual is how many requests an hour a provider documents.
func (b *budgets) usual(name string) int {
	provider, known := b.providers.Named(name)
	if !known {
		return 0
	}
	return provider.Info().HourlyLimit
}

// account is whom the provider counts the requests of a connection for: all of a
// provider app's together, and each other credential by itself, whether it is being
// checked for a new connection or belongs to one, or to several.
func (b *budgets) account(ctx context.Context, c windlass.Connection, credentials windlass.Credentials) (budget.Account, error) {
	account := budget.Account{Provider: c.Provider, Usual: b.usual(c.Provider), Limit: b.limit, Customer: c.ProjectID + "/" + c.Group.Ref}
	if c.ProviderAppID == "" {
		account.Key, account.Payer = b.ofCredential(credentials), c.ProjectID+"/"+c.ID
		return account, nil
	}
	account.Key = "app:" + c.ProviderAppID
	if found, ok := b.known.Load(c.ProviderAppID); ok {
		if known, _ := found.(knownLimit); b.now().Before(known.until) {
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
	b.known.Store(c.ProviderAppID, knownLimit{account.Limit, b.now().Add(time.Minute)})
	return account, nil
}

// ofCredential is the key of a credential. The hash is keyed, so that no one can find
// out by it which credential was used. What was chosen by a person beside the token
// (the user name of an API token, which may be the address or a fixed word) is left
// out: the provider counts the token.
func (b *budgets) ofCredential(c windlass.Credentials) string {
	kind, spent := "token", cmp.Or(c.Password.Reveal(), c.APIKey.Reveal(), c.AccessToken.Reveal())
	if c.ClientKey != "" { // a Connect app signs each request anew
		kind, spent = "app", c.AppKey+"\x00"+c.ClientKey
	}
	hash := hmac.New(sha256.New, []byte(b.secret.Reveal()))
	_, _ = hash.Write([]byte(kind + "\x00" + spent)) // it never fails
	return "credential:" + hex.EncodeToString(hash.Sum(nil)[:16])
}

// Budgets returns those of a project that this process has paid from lately. A
// credential that another project uses as well is shown to both, each with its own
// connections.
func (b *budgets) Budgets(ctx context.Context, projectID string) ([]budget.State, error) {
	apps, err := b.apps.ProviderApps(ctx, projectID, windlass.Page{})
	if err != nil {
		return nil, err
	}
	own := map[string]bool{}
	for i := range apps {
		own["app:"+apps[i].ID] = true
	}
	all, err := b.State(ctx)
	mine := []budget.State{}
	for _, s := range all {
		if paidBy(&s, projectID) || own[s.Key] {
			mine = append(mine, s)
		}
	}
	return mine, err
}

// paidBy leaves the connections of a project as a budget's payers, and reports whether
// the project has paid from it.
func paidBy(s *budget.State, projectID string) bool {
	var connections []string
	pays := false
	for _, payer := range s.Payers {
		if connection, own := strings.CutPrefix(payer, projectID+"/"); own {
			pays = true
			if connection != "" { // it was checked, and is not connected yet
				connections = append(connections, connection)
			}
		}
	}
	s.Payers = connections
	return pays
}

// payer sends a connection's requests: each is paid first (invariant 7).
type payer struct {
	budgets     *budgets
	connection  windlass.Connection
	credentials windlass.Credentials
	spending    *spending
	through     http.RoundTripper
}

// RoundTrip pays for a request and sends it.
func (p *payer) RoundTrip(req *http.Request) (*http.Response, error) {
	account, err := p.budgets.account(req.Context(), p.connection, p.credentials)
	if err != nil {
		if req.Body != nil {
			_ = req.Body.Close() // a RoundTripper promises it; nothing was read from it
		}
		return nil, err
	}
	counted := &counts{&p.spending.sent, p.through}
	return p.budgets.Transport(counted, account, p.spending.class).RoundTrip(req)
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
