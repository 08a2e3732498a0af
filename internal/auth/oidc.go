package auth

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"windlass"
)

// OIDCConfig says how people sign in with accounts of their organization.
type OIDCConfig struct {
	Issuer       string // the provider's address, as in https://accounts.example.com
	ClientID     string
	ClientSecret windlass.Secret
	RedirectURL  string // the dashboard's callback
	// Editors and Viewers are allowed to sign in: email addresses, or domains as in
	// @example.com. An address is trusted only when the provider has verified it.
	Editors, Viewers []string
	// Client talks to the provider; nil is one with a timeout.
	Client *http.Client
}

// OIDC signs people in with accounts of an OpenID Connect provider. It is safe for
// concurrent use. The provider is asked for its configuration on first use, and
// again when that failed.
type OIDC struct {
	config OIDCConfig

	mu       sync.Mutex // guards what follows
	provider *oidc.Provider
}

// NewOIDC makes an OIDC. It fails with windlass.Invalid when something is missing.
func NewOIDC(config OIDCConfig) (*OIDC, error) {
	if config.Issuer == "" || config.ClientID == "" || config.ClientSecret.IsZero() || len(config.Editors)+len(config.Viewers) == 0 {
		return nil, &windlass.Error{
			Kind: windlass.Invalid, Op: "set up sign-in with OpenID Connect", Message: "a setting is missing",
			Remedy: "set the issuer, the client id, the client secret, and who may come in as editor or viewer",
		}
	}
	if config.Client == nil {
		config.Client = &http.Client{Timeout: 15 * time.Second}
	}
	return &OIDC{config: config}, nil
}

const opOIDC = "sign in with your organization's account"

func (o *OIDC) discover(ctx context.Context) (*oidc.Provider, *oauth2.Config, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.provider == nil {
		// The provider keeps the context for fetching keys later, so it must outlive
		// the request.
		provider, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), o.config.Client), o.config.Issuer)
		if err != nil {
			return nil, nil, &windlass.Error{
				Kind: windlass.Unavailable, Op: opOIDC, Message: "the identity provider cannot be reached", Err: err,
				Remedy: "try again, or sign in with the administrator's password",
			}
		}
		o.provider = provider
	}
	return o.provider, &oauth2.Config{
		ClientID: o.config.ClientID, ClientSecret: o.config.ClientSecret.Reveal(), RedirectURL: o.config.RedirectURL,
		Endpoint: o.provider.Endpoint(), Scopes: []string{oidc.ScopeOpenID, "email", "profile"},
	}, nil
}

// A Handshake is what a browser carries from the beginning of a sign-in to its end.
type Handshake struct{ State, Nonce, Verifier string }

// Begin returns the URL to send the browser to, and the state that it has to bring back.
func (o *OIDC) Begin(ctx context.Context) (address string, carried Handshake, err error) {
	_, config, err := o.discover(ctx)
	if err != nil {
		return "", carried, err
	}
	carried = Handshake{State: newToken().Reveal(), Nonce: newToken().Reveal(), Verifier: oauth2.GenerateVerifier()}
	return config.AuthCodeURL(carried.State, oidc.Nonce(carried.Nonce), oauth2.S256ChallengeOption(carried.Verifier)), carried, nil
}

// Finish signs a person in with the provider's answer. It fails with
// windlass.Unauthorized when that does not belong to carried, and with
// windlass.Forbidden for people who may not sign in.
func (o *OIDC) Finish(ctx context.Context, people *People, carried Handshake, state, code string) (windlass.Secret, windlass.Session, error) {
	refuse := func(kind windlass.Kind, message, remedy string, err error) (windlass.Secret, windlass.Session, error) {
		return windlass.Secret{}, windlass.Session{}, &windlass.Error{Kind: kind, Op: opOIDC, Message: message, Remedy: remedy, Err: err}
	}
	if carried.State == "" || state != carried.State {
		return refuse(windlass.Unauthorized, "this sign-in did not begin in this browser", "begin again", nil)
	}
	provider, config, err := o.discover(ctx)
	if err != nil {
		return windlass.Secret{}, windlass.Session{}, err
	}
	ctx = oidc.ClientContext(ctx, o.config.Client)
	tokens, err := config.Exchange(ctx, code, oauth2.VerifierOption(carried.Verifier))
	if err != nil {
		return refuse(windlass.Unauthorized, "the identity provider refused the sign-in", "begin again", err)
	}
	raw, _ := tokens.Extra("id_token").(string)
	verified, err := provider.Verifier(&oidc.Config{ClientID: o.config.ClientID}).Verify(ctx, raw)
	if err == nil && verified.Nonce != carried.Nonce {
		err = errors.New("the nonce does not match")
	}
	if err != nil {
		return refuse(windlass.Unauthorized, "the identity provider's answer cannot be trusted", "begin again", err)
	}
	var claims struct {
		Email    string `json:"email"`
		Verified bool   `json:"email_verified"`
		Name     string `json:"name"`
	}
	if err := verified.Claims(&claims); err != nil {
		return refuse(windlass.Unauthorized, "the identity provider's answer cannot be read", "begin again", err)
	}
	role := o.role(claims.Email)
	if role == "" || !claims.Verified {
		return refuse(windlass.Forbidden, "your account may not sign in here", "ask the operator to add your verified email address to the editors or viewers", nil)
	}
	var token windlass.Secret
	var session windlass.Session
	err = people.store.In(ctx, func(ctx context.Context) error {
		token, session, err = people.begin(ctx, verified.Issuer+"|"+verified.Subject, cmp.Or(claims.Name, claims.Email), role)
		return err
	})
	return token, session, err
}

// role is the role of an address; empty: it may not sign in.
func (o *OIDC) role(email string) windlass.Role {
	email = strings.ToLower(email)
	_, domain, ok := strings.Cut(email, "@")
	listed := func(names []string) bool {
		return slices.ContainsFunc(names, func(name string) bool {
			name = strings.ToLower(strings.TrimSpace(name))
			return name == email || name == "@"+domain
		})
	}
	switch {
	case !ok || strings.Contains(domain, "@"):
		return ""
	case listed(o.config.Editors):
		return windlass.Editor
	case listed(o.config.Viewers):
		return windlass.Viewer
	default:
		return ""
	}
}
