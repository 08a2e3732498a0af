package server

import (
	"context"
	"net/http"
	"strings"

	"windlass"
	"windlass/internal/auth"
	"windlass/internal/ui"
)

// OIDC says how people sign in to the dashboard with accounts of their
// organization. The zero value: they do not.
type OIDC struct {
	Issuer, ClientID string
	ClientSecret     windlass.Secret
	// Editors and Viewers are email addresses, or domains as in @example.com.
	Editors, Viewers []string
}

// newDashboard makes the pages that people see.
func (s *Server) newDashboard() error {
	s.people = auth.New(s.store, &auth.Options{Now: s.config.Now})
	var organization *auth.OIDC
	if s.config.OIDC.Issuer != "" {
		var err error
		organization, err = auth.NewOIDC(auth.OIDCConfig{
			Issuer: s.config.OIDC.Issuer, ClientID: s.config.OIDC.ClientID, ClientSecret: s.config.OIDC.ClientSecret,
			Editors: s.config.OIDC.Editors, Viewers: s.config.OIDC.Viewers, RedirectURL: s.config.PublicURL + ui.OIDCCallback,
		})
		if err != nil {
			return err
		}
	}
	var err error
	s.ui, err = ui.New(ui.Config{
		People: s.people, Setup: s.setup, Deploy: s.deploy, Install: s.install, Connect: s.connect, Reads: s.reads, Deliver: s.deliver,
		Destinations: s.sinks, Notify: s.notify, Budgets: s.budgets,
		Lookup: s.store, PublicURL: s.config.PublicURL, CallbackURL: s.CallbackURL(), OIDC: organization, Admitted: s.clients.admit,
		Logger: s.log, Now: s.config.Now,
	})
	return err
}

// pages serves the dashboard, once it has been made.
func (s *Server) pages(w http.ResponseWriter, r *http.Request) {
	if s.ui == nil {
		http.NotFound(w, r)
		return
	}
	s.ui.ServeHTTP(w, r)
}

// stopPages ends the pages' streams, which would hold up the server's end.
func (s *Server) stopPages() {
	if s.ui != nil {
		s.ui.Stop()
	}
}

// SignInURL makes the address of a page that signs the administrator of the
// dashboard in, once, within a day. The one before ends.
func (s *Server) SignInURL(ctx context.Context) (windlass.Secret, error) {
	token, err := s.people.Invite(ctx)
	return signInURL(s.config.PublicURL, token), err
}

func signInURL(public string, token windlass.Secret) windlass.Secret {
	return windlass.NewSecret(public + ui.Prefix + "sign-in/" + token.Reveal())
}

// ResetAdmin takes the dashboard's administrator's password and sessions away, and
// returns the address of a page that signs in once. Servers may run on the same
// PostgreSQL database meanwhile; an SQLite file has to be free.
func ResetAdmin(ctx context.Context, config Config) (windlass.Secret, error) {
	config, err := config.withDefaults()
	if err != nil {
		return windlass.Secret{}, err
	}
	opened, err := config.openStore(ctx)
	if err != nil {
		return windlass.Secret{}, err
	}
	token, err := auth.New(opened, &auth.Options{Now: config.Now}).Reset(ctx)
	if closed := opened.Close(); err == nil {
		err = closed
	}
	public := config.PublicURL
	if public == "" {
		public = "http://" + config.Addr
	}
	return signInURL(strings.TrimRight(public, "/"), token), err
}
