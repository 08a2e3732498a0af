package auth

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// code is what an authorization code stands for.
type code struct {
	consumer, user string
	redirect       string // the redirect_uri given; "" if none was
	proof          proofKey
	expires        time.Time
}

// authorization is a checked request for a user's consent.
type authorization struct {
	consumer Consumer
	target   *url.URL // where the answer goes
	redirect string   // the redirect_uri given
	state    string
	proof    proofKey
}

// ServeSite serves /site/oauth2/authorize and /site/oauth2/access_token.
func (a *Authority) ServeSite(w http.ResponseWriter, r *http.Request) {
	switch strings.TrimSuffix(r.URL.Path, "/") {
	case "/site/oauth2/authorize":
		a.serveAuthorize(w, r)
	case "/site/oauth2/access_token":
		a.serveToken(w, r)
	default:
		a.showProblem(w, http.StatusNotFound, "There is no page at this address.")
	}
}

func (a *Authority) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, HEAD, POST")
		a.showProblem(w, http.StatusMethodNotAllowed, "This page can only be opened or submitted.")
		return
	}
	q := r.URL.Query()
	req, problem := a.authorization(q)
	if problem != "" {
		// The site that sent the browser here must not be trusted with an answer.
		a.showProblem(w, http.StatusBadRequest, problem)
		return
	}
	if refused := a.unsupported(q); refused != nil {
		redirect(w, r, req.refusal(refused))
		return
	}
	if r.Method == http.MethodPost {
		a.submitted(w, r, req)
		return
	}
	a.show(w, r, req)
}

// authorization checks who asks and where the answer may go, or says in a
// sentence for the user what is wrong.
func (a *Authority) authorization(q url.Values) (authorization, string) {
	a.mu.Lock()
	c, ok := a.consumers[q.Get("client_id")]
	a.mu.Unlock()
	if !ok {
		return authorization{}, "The application that sent you here is not known (client_id)."
	}
	if c.Disabled {
		return authorization{}, "The application that sent you here has been disabled."
	}
	given := q.Get("redirect_uri")
	target, err := url.Parse(c.CallbackURL)
	if err != nil || c.CallbackURL == "" || target.Host == "" {
		return authorization{}, "The application that sent you here has no callback URL."
	}
	if given != "" {
		asked, err := url.Parse(given)
		if err != nil || !extends(asked, target) {
			return authorization{}, "The address to return to (redirect_uri) does not belong to the application that sent you here."
		}
		target = asked
	}
	return authorization{
		consumer: c, target: target, redirect: given, state: q.Get("state"),
		proof: proofKey{q.Get("code_challenge"), q.Get("code_challenge_method")},
	}, ""
}

// extends reports whether asked is the callback URL or lies beneath it. Whole
// path segments are compared, so that /callback does not vouch for
// /callback-of-another.
func extends(asked, callback *url.URL) bool {
	if asked.Scheme != callback.Scheme || !strings.EqualFold(asked.Host, callback.Host) ||
		asked.User != nil || asked.Fragment != "" || strings.Contains(asked.Path, "\\") ||
		slices.Contains(strings.Split(asked.Path, "/"), "..") {
		return false
	}
	base := strings.TrimSuffix(callback.Path, "/")
	samePath := strings.TrimSuffix(asked.Path, "/") == base
	if callback.RawQuery != "" {
		return samePath && (asked.RawQuery == callback.RawQuery || strings.HasPrefix(asked.RawQuery, callback.RawQuery+"&"))
	}
	return samePath || strings.HasPrefix(asked.Path, base+"/")
}

func (a *Authority) unsupported(q url.Values) *oauthError {
	switch q.Get("response_type") {
	case "code":
		method := q.Get("code_challenge_method")
		if a.options.NoProofKeys || method == "" || method == "plain" || method == "S256" {
			return nil
		}
		return &oauthError{errInvalidRequest, "transform algorithm not supported"} // RFC 7636, section 4.4.1
	case "":
		return &oauthError{errInvalidRequest, "Missing parameter: response_type"}
	default:
		return &oauthError{errUnsupportedResponse, "Only the response type code is supported"}
	}
}

func (req authorization) refusal(e *oauthError) string {
	return req.answer(url.Values{"error": {e.code}, "error_description": {e.description}})
}

// answer is the address that brings the outcome back to the application.
func (req authorization) answer(values url.Values) string {
	if req.state != "" {
		values.Set("state", req.state)
	}
	target := *req.target
	if target.RawQuery != "" {
		target.RawQuery += "&"
	}
	target.RawQuery += values.Encode()
	return target.String()
}

func (a *Authority) consent(req authorization, user string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.options.Now()
	a.sweep(now)
	secret := a.newSecret("code", 18)
	a.codes[digestOf(secret)] = code{
		consumer: req.consumer.Key, user: user, redirect: req.redirect, proof: req.proof, expires: now.Add(a.options.CodeLifetime),
	}
	return req.answer(url.Values{"code": {secret}})
}

// Consent plays the user: it grants what the authorize address asks for and
// returns the address that the browser would be sent to, with its code.
func (a *Authority) Consent(authorize, userUUID string) (callback string, err error) {
	u, err := url.Parse(authorize)
	if err != nil {
		return "", fmt.Errorf("authorize address: %w", err)
	}
	req, problem := a.authorization(u.Query())
	if problem != "" {
		return "", fmt.Errorf("authorize address: %s", problem)
	}
	a.mu.Lock()
	_, ok := a.users[userUUID]
	a.mu.Unlock()
	if !ok {
		return "", fmt.Errorf("no user %q", userUUID)
	}
	if refused := a.unsupported(u.Query()); refused != nil {
		return req.refusal(refused), nil
	}
	return a.consent(req, userUUID), nil
}

func redirect(w http.ResponseWriter, r *http.Request, target string) {
	// See Other: the browser must fetch the target, not submit the form to it.
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, target, http.StatusSeeOther)
}
