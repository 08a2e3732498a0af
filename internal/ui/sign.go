package ui

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"windlass"
	"windlass/internal/auth"
)

// signInView is the page on which people sign in.
type signInView struct {
	Problem *Problem
	Next    string
	OIDC    bool
	Token   string // of the link that was followed
}

func (r *request) signInPage() error {
	if r.Session != nil {
		r.redirect(next(r.URL.Query().Get("next")))
		return nil
	}
	return r.ok("sign-in", "Sign in", signInView{Next: next(r.URL.Query().Get("next")), OIDC: r.ui.config.OIDC != nil})
}

func (r *request) signIn() error {
	token, session, err := r.ui.config.People.SignIn(r.Context(), windlass.NewSecret(r.PostFormValue("password")), r.address())
	return r.signedIn(token, session, err, signInView{Next: next(r.field("next")), OIDC: r.ui.config.OIDC != nil})
}

// linkPage asks for a click: a link that is looked at by a mail filter or a chat
// would otherwise be used up.
func (r *request) linkPage() error {
	return r.ok("sign-in", "Sign in", signInView{Token: r.PathValue("token"), Next: Prefix})
}

func (r *request) signInByLink() error {
	token, session, err := r.ui.config.People.Redeem(r.Context(), windlass.NewSecret(r.PathValue("token")), r.address())
	v := signInView{Next: Prefix, OIDC: r.ui.config.OIDC != nil}
	if has, known := r.ui.config.People.HasPassword(r.Context()); known == nil && !has {
		v.Next = Prefix + "account" // to set one
	}
	return r.signedIn(token, session, err, v)
}

// signedIn hands out the cookie, or shows the page again with what was wrong.
func (r *request) signedIn(token windlass.Secret, session windlass.Session, err error, v signInView) error {
	if errors.Is(err, windlass.Unauthorized) || errors.Is(err, windlass.RateLimited) || errors.Is(err, windlass.Forbidden) {
		problem := problemOf(err)
		v.Problem = &problem
		return r.page(statusOf(err), "sign-in", "Sign in", v)
	}
	if err != nil {
		return err
	}
	r.ui.setCookie(r.w, token, session.Expires)
	r.redirect(v.Next)
	return nil
}

func (r *request) signOut() error {
	if err := r.ui.config.People.SignOut(r.Context(), *r.Session); err != nil {
		return err
	}
	r.ui.setCookie(r.w, windlass.Secret{}, r.ui.config.Now())
	r.redirect(Prefix + "sign-in?done=signed-out")
	return nil
}

// accountView is the page about oneself.
type accountView struct {
	Problem     *Problem
	HasPassword bool
	IsAdmin     bool
	MinPassword int
}

func (r *request) accountPage() error { return r.account(http.StatusOK, nil) }

func (r *request) account(status int, problem *Problem) error {
	has, err := r.ui.config.People.HasPassword(r.Context())
	if err != nil {
		return err
	}
	return r.page(status, "account", "Account", accountView{
		Problem: problem, HasPassword: has, IsAdmin: r.Session.Subject == auth.Admin, MinPassword: auth.MinPassword,
	})
}

func (r *request) setPassword() error {
	err := r.ui.config.People.SetPassword(r.Context(), *r.Session,
		windlass.NewSecret(r.PostFormValue("current")), windlass.NewSecret(r.PostFormValue("password")))
	if errors.Is(err, windlass.Invalid) || errors.Is(err, windlass.Unauthorized) || errors.Is(err, windlass.Conflict) {
		problem := problemOf(err)
		return r.account(statusOf(err), &problem)
	}
	if err != nil {
		return err
	}
	return r.done(Prefix+"account", "password")
}

// next is where to go after signing in: a page of ours, whatever was asked for.
func next(asked string) string {
	if strings.HasPrefix(asked, Prefix) && !strings.HasPrefix(asked, Prefix+"sign-") && !strings.Contains(asked, "\\") {
		return asked
	}
	return Prefix
}

// address is where a request comes from, for counting failed attempts.
func (r *request) address() string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// The cookie that carries a sign-in with an organization's account to its end. It
// has to come along with a visit from the provider, which Lax allows.
const (
	handshakeCookie = "__Host-windlass-oidc"
	handshakeLife   = 10 * time.Minute
)

// OIDCCallback is where an OpenID Connect provider sends people back to.
const OIDCCallback = Prefix + "oidc/callback"

func (r *request) beginOIDC() error {
	if r.ui.config.OIDC == nil {
		return &windlass.Error{Kind: windlass.NotFound, Message: "signing in with an organization's account is not set up", Remedy: "sign in with the administrator's password"}
	}
	address, carried, err := r.ui.config.OIDC.Begin(r.Context())
	if err != nil {
		return err
	}
	http.SetCookie(r.w, &http.Cookie{
		Name: handshakeCookie, Path: "/", MaxAge: int(handshakeLife / time.Second), Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Value: url.Values{"state": {carried.State}, "nonce": {carried.Nonce}, "verifier": {carried.Verifier}, "next": {next(r.URL.Query().Get("next"))}}.Encode(),
	})
	r.redirect(address)
	return nil
}

func (r *request) finishOIDC() error {
	if r.ui.config.OIDC == nil {
		return r.beginOIDC()
	}
	var kept url.Values
	if cookie, err := r.Cookie(handshakeCookie); err == nil {
		kept, _ = url.ParseQuery(cookie.Value) // what cannot be read has no state, which is refused
	}
	http.SetCookie(r.w, &http.Cookie{Name: handshakeCookie, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	query := r.URL.Query()
	carried := auth.Handshake{State: kept.Get("state"), Nonce: kept.Get("nonce"), Verifier: kept.Get("verifier")}
	token, session, err := r.ui.config.OIDC.Finish(r.Context(), r.ui.config.People, carried, query.Get("state"), query.Get("code"))
	return r.signedIn(token, session, err, signInView{Next: next(kept.Get("next")), OIDC: true})
}
