package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
)

const (
	cookieName      = "sandbox_session"
	sessionLifetime = time.Hour
)

// session is a browser, logged in or about to.
type session struct {
	user    string // uuid; "" until it logs in
	expires time.Time
}

// visitor is a session with the secret that names it.
type visitor struct {
	session
	secret string
}

// csrf is the token that a page of this session has and that no other site can
// know.
func (v visitor) csrf() string {
	mac := hmac.New(sha256.New, []byte(v.secret))
	_, _ = mac.Write([]byte("csrf"))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (a *Authority) visitor(r *http.Request) (visitor, bool) {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return visitor{}, false
	}
	now, key := a.options.Now(), digestOf(cookie.Value)
	a.mu.Lock()
	defer a.mu.Unlock()
	s, ok := a.sessions[key]
	if !ok || expired(s.expires, now) {
		return visitor{}, false
	}
	return visitor{session: s, secret: cookie.Value}, true
}

// begin starts a session and sets its cookie. Logging in and out both start a
// new one, so that a cookie planted before is worth nothing after.
func (a *Authority) begin(w http.ResponseWriter, r *http.Request, user string) visitor {
	now := a.options.Now()
	a.mu.Lock()
	a.sweep(now)
	v := visitor{session{user: user, expires: now.Add(sessionLifetime)}, a.newSecret("session", 43)}
	a.sessions[digestOf(v.secret)] = v.session
	a.mu.Unlock()
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: v.secret, Path: "/site/oauth2", MaxAge: int(sessionLifetime / time.Second),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil,
	})
	return v
}

func (a *Authority) end(v visitor) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.sessions, digestOf(v.secret))
}

// show gives the page that the visitor needs: to log in or to consent.
func (a *Authority) show(w http.ResponseWriter, r *http.Request, req authorization) {
	v, ok := a.visitor(r)
	if !ok {
		v = a.begin(w, r, "")
	}
	if v.user == "" {
		a.showLogin(w, r, http.StatusOK, v, req, "")
		return
	}
	a.showConsent(w, r, v, req)
}

// submitted handles the forms of both pages.
func (a *Authority) submitted(w http.ResponseWriter, r *http.Request, req authorization) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		a.showProblem(w, http.StatusBadRequest, "The form could not be read.")
		return
	}
	v, ok := a.visitor(r)
	if !ok || !hmac.Equal([]byte(r.PostForm.Get("csrf")), []byte(v.csrf())) {
		a.showProblem(w, http.StatusForbidden, "This form has expired. Please go back to the application and begin again.")
		return
	}
	switch action := r.PostForm.Get("action"); {
	case action == "log in":
		a.logIn(w, r, v, req)
	case action == "switch":
		a.end(v)
		a.begin(w, r, "")
		redirect(w, r, r.URL.RequestURI())
	case v.user == "":
		redirect(w, r, r.URL.RequestURI())
	case action == "grant":
		redirect(w, r, a.consent(req, v.user))
	case action == "deny":
		redirect(w, r, req.refusal(&oauthError{errAccessDenied, "The user denied access"}))
	default:
		a.showProblem(w, http.StatusBadRequest, "The form could not be understood.")
	}
}

func (a *Authority) logIn(w http.ResponseWriter, r *http.Request, v visitor, req authorization) {
	name, password := strings.TrimSpace(r.PostForm.Get("email")), r.PostForm.Get("password")
	user, ok := a.passwordUser(name, password)
	if !ok {
		a.showLogin(w, r, http.StatusUnauthorized, v, req, name)
		return
	}
	a.end(v)
	a.begin(w, r, user)
	redirect(w, r, r.URL.RequestURI())
}

func (a *Authority) passwordUser(name, password string) (uuid string, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, u := range a.users {
		if u.Password != "" && (strings.EqualFold(u.Email, name) || u.Username == name) && u.Password == password {
			return u.UUID, true
		}
	}
	return "", false
}
