package auth

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const maxForm = 64 << 10

// The error codes of RFC 6749 that the endpoints answer with.
const (
	errInvalidRequest      = "invalid_request"
	errInvalidGrant        = "invalid_grant"
	errUnauthorizedClient  = "unauthorized_client"
	errUnsupportedGrant    = "unsupported_grant_type"
	errUnsupportedResponse = "unsupported_response_type"
	errAccessDenied        = "access_denied"
)

// oauthError is a refusal in the manner of RFC 6749.
type oauthError struct{ code, description string }

// errDisabled stands for a refusal in the manner of the API instead of RFC 6749's.
const errDisabled = "disabled"

// serveToken is POST /site/oauth2/access_token.
func (a *Authority) serveToken(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	a.mu.Lock()
	a.requests++
	a.mu.Unlock()
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		writeOAuthError(w, http.StatusMethodNotAllowed, &oauthError{errInvalidRequest, "Method must be POST"})
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		writeOAuthError(w, http.StatusBadRequest, &oauthError{errInvalidRequest, "The body is not a form"})
		return
	}
	// Parameters in the URL do not count: RFC 6749 wants them in the body.
	grant := r.PostForm.Get("grant_type")
	token, refused := a.grant(r, grant)
	if refused != nil {
		writeOAuthError(w, http.StatusBadRequest, refused)
		return
	}
	a.writeToken(w, token, grant)
}

func (a *Authority) grant(r *http.Request, grant string) (Token, *oauthError) {
	if grant == "urn:bitbucket:oauth2:jwt" {
		return a.grantApp(r)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	c, refused := a.client(r)
	if refused != nil {
		return Token{}, refused
	}
	switch grant {
	case "authorization_code":
		return a.grantCode(c, r.PostForm)
	case "refresh_token":
		if token, ok := a.exchange(c, r.PostForm.Get("refresh_token")); ok {
			return token, nil
		}
		if a.options.OldRefreshError {
			return Token{}, &oauthError{errInvalidRequest, "Invalid refresh_token"}
		}
		return Token{}, &oauthError{errInvalidGrant, "Invalid refresh_token"}
	case "client_credentials":
		if c.AppUser == "" {
			return Token{}, &oauthError{errUnauthorizedClient, "Only private consumers may use client_credentials"}
		}
		return a.issue(c.principal(AppUser, c.AppUser), false), nil
	case "":
		return Token{}, &oauthError{errInvalidRequest, "Missing parameter: grant_type"}
	default:
		return Token{}, &oauthError{errUnsupportedGrant, fmt.Sprintf("Unsupported grant type: %.80s", grant)}
	}
}

func (a *Authority) grantApp(r *http.Request) (Token, *oauthError) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if scheme != "JWT" {
		return Token{}, &oauthError{errUnauthorizedClient, "This grant needs an Authorization header with a JWT"}
	}
	app, err := a.verify(r, strings.TrimSpace(token))
	if err != nil {
		return Token{}, &oauthError{errUnauthorizedClient, err.Error()}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.issue(app.principal(OAuth), false), nil
}

func (a *Authority) grantCode(c Consumer, form url.Values) (Token, *oauthError) {
	key := digestOf(form.Get("code"))
	granted, ok := a.codes[key]
	if !ok || granted.consumer != c.Key || expired(granted.expires, a.options.Now()) {
		return Token{}, &oauthError{errInvalidGrant, "The specified code is not valid"}
	}
	// A code is gone once its own consumer showed it, whatever comes of it. One
	// shown by another consumer stays: a consumer must not use up the code of another.
	delete(a.codes, key)
	// RFC 6749 demands the redirect_uri again if the code was asked for with one.
	// Bitbucket's own example leaves it out, so only a different one is refused.
	if again := form.Get("redirect_uri"); again != "" && again != granted.redirect {
		return Token{}, &oauthError{errInvalidGrant, "redirect_uri differs from the one the code was issued for"}
	}
	if !a.options.NoProofKeys && !granted.proof.proves(form.Get("code_verifier")) {
		return Token{}, &oauthError{errInvalidGrant, "code_verifier does not match the code"}
	}
	return a.issue(c.principal(OAuth, granted.user), true), nil
}

// client authenticates the consumer, by HTTP Basic or in the form. The caller
// holds the lock.
func (a *Authority) client(r *http.Request) (Consumer, *oauthError) {
	key, secret, ok := r.BasicAuth()
	if !ok {
		key, secret = r.PostForm.Get("client_id"), r.PostForm.Get("client_secret")
	}
	if key == "" {
		return Consumer{}, &oauthError{errUnauthorizedClient, "Client credentials missing; this request needs to be authenticated with the OAuth client id and secret"}
	}
	c, known := a.consumers[key]
	if !known {
		c, known = a.consumers[unescaped(key)]
	}
	if !known || c.Secret == "" || secret != c.Secret && unescaped(secret) != c.Secret {
		return Consumer{}, &oauthError{errUnauthorizedClient, "Invalid OAuth client credentials"}
	}
	if c.Disabled {
		return Consumer{}, &oauthError{errDisabled, "This consumer has been disabled"}
	}
	// Reported of consumers whose callback was taken out: they cannot refresh
	// either. client_credentials need none.
	if c.CallbackURL == "" && r.PostForm.Get("grant_type") != "client_credentials" {
		return Consumer{}, &oauthError{errInvalidRequest, "No callback uri defined for the OAuth client"}
	}
	return c, nil
}

// unescaped undoes the form encoding that RFC 6749 prescribes within HTTP Basic
// and that only some clients apply.
func unescaped(s string) string {
	if text, err := url.QueryUnescape(s); err == nil {
		return text
	}
	return s
}

func (a *Authority) writeToken(w http.ResponseWriter, t Token, grant string) {
	answer := map[string]any{
		"access_token":  t.AccessToken,
		"token_type":    "bearer",
		"expires_in":    int(t.ExpiresIn / time.Second),
		a.options.Scope: strings.Join(t.Scopes, " "),
		"state":         grant, // not the state of the authorization: Bitbucket names the grant here
	}
	if t.RefreshToken != "" {
		answer["refresh_token"] = t.RefreshToken
	}
	writeJSON(w, http.StatusOK, answer)
}

func writeOAuthError(w http.ResponseWriter, status int, e *oauthError) {
	if e.code == errDisabled {
		writeJSON(w, status, map[string]any{"type": "error", "error": map[string]any{"message": e.description}})
		return
	}
	writeJSON(w, status, map[string]any{"error": e.code, "error_description": e.description})
}

func writeJSON(w http.ResponseWriter, status int, value map[string]any) {
	body, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", typeJSON)
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
