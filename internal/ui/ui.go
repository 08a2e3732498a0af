package ui

import (
	"context"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"windlass"
	"windlass/internal/auth"
	"windlass/internal/connect"
	"windlass/internal/deliver"
	"windlass/internal/deploy"
	"windlass/internal/install"
	"windlass/internal/logkey"
	"windlass/internal/notify"
	"windlass/internal/read"
	"windlass/internal/setup"
	"windlass/internal/sink"
)

// Config has the dependencies and settings of the dashboard. Everything down to
// PublicURL is required.
type Config struct {
	People  *auth.People
	Setup   *setup.Flow
	Deploy  *deploy.Flow
	Install *install.Flow
	Connect *connect.Service
	Reads   *read.Flow
	Deliver *deliver.Service
	// Destinations are the types of destinations; the pages make those of the first.
	Destinations *sink.Table
	Notify       *notify.Service
	Budgets      Budgets
	Lookup       Lookup
	// PublicURL is where people reach this server.
	PublicURL string
	// CallbackURL is what to register in the OAuth consumer.
	CallbackURL string
	// OIDC signs people in with accounts of their organization; nil turns it off.
	OIDC *auth.OIDC
	// Admitted is called for a request with a valid session, whose connection then
	// counts as authenticated; nil is not called.
	Admitted func(context.Context)
	// Logger gets what is wrong on our side; nil discards it.
	Logger *slog.Logger
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Lookup is what pages ask the store directly: what no flow has an answer to.
type Lookup interface {
	In(ctx context.Context, do func(ctx context.Context) error) error
	InstallationLookup
	ConnectionLookup
	IntegrationLookup
}

// UI answers the dashboard's requests. It is safe for concurrent use.
type UI struct {
	config Config
	mux    http.Handler
	pages  map[string]*template.Template
	live   streams
}

// Prefix is where the dashboard lives.
const Prefix = "/dashboard/"

// New makes the dashboard's handler.
func New(config Config) (*UI, error) {
	if config.People == nil || config.Setup == nil || config.Deploy == nil || config.Install == nil || config.Connect == nil || config.Reads == nil ||
		config.Deliver == nil || config.Notify == nil || config.Budgets == nil || config.Lookup == nil {
		return nil, &windlass.Error{Kind: windlass.Internal, Op: "set up the dashboard", Message: "every service is required"}
	}
	public, err := url.Parse(config.PublicURL)
	if err != nil || public.Host == "" {
		return nil, &windlass.Error{
			Kind: windlass.Invalid, Op: "set up the dashboard", Message: "the public URL is not a URL",
			Remedy: "give a scheme and a host, as in https://windlass.example.com",
		}
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	u := &UI{config: config, live: newStreams()}
	if u.pages, err = parsePages(); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", http.RedirectHandler(Prefix, http.StatusSeeOther))
	mux.Handle("GET "+assetPrefix, assetHandler())
	for _, route := range routes() {
		mux.Handle(route.method+" "+route.path, u.handler(route))
	}
	mux.HandleFunc(Prefix, func(w http.ResponseWriter, r *http.Request) {
		u.fail(&request{ui: u, w: w, Request: r}, &windlass.Error{Kind: windlass.NotFound, Message: "there is no such page", Remedy: "choose one from the menu"})
	})
	sameSite := http.NewCrossOriginProtection()
	if err := sameSite.AddTrustedOrigin(public.Scheme + "://" + public.Host); err != nil {
		return nil, err
	}
	u.mux = sameSite.Handler(mux)
	return u, nil
}

// ServeHTTP answers one request.
func (u *UI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "+
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("X-Frame-Options", "DENY")
	header.Set("Referrer-Policy", "same-origin")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	u.mux.ServeHTTP(w, r)
}

// maxForm bounds a form, in bytes: a manifest may be in it.
const maxForm = 1 << 20

// handler authenticates a request, checks its role, and answers.
func (u *UI) handler(route route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, raw *http.Request) {
		raw.Body = http.MaxBytesReader(w, raw.Body, maxForm)
		r := &request{ui: u, w: w, Request: raw}
		w.Header().Set("Cache-Control", "no-store")
		if err := u.admit(r, route); err != nil {
			u.fail(r, err)
			return
		}
		if r.answered {
			return
		}
		if err := route.handle(r); err != nil {
			u.fail(r, err)
		}
	})
}

// admit finds the session and the project that a request is about, and refuses
// what the session's role does not allow.
func (u *UI) admit(r *request, route route) error {
	session, err := u.config.People.Session(r.Context(), u.cookie(r.Request))
	switch {
	case err == nil:
		r.Session = &session
		if u.config.Admitted != nil {
			u.config.Admitted(r.Context())
		}
	case !errors.Is(err, windlass.Unauthorized):
		return err
	}
	if route.needs == "" {
		return nil
	}
	if r.Session == nil {
		if r.Method == http.MethodGet {
			r.redirect(Prefix + "sign-in?" + url.Values{"next": {r.URL.RequestURI()}}.Encode())
			return nil
		}
		return &windlass.Error{Kind: windlass.Unauthorized, Message: "your session has ended", Remedy: "sign in again, then repeat what you did"}
	}
	if !r.Session.Role.Allows(route.needs) {
		return &windlass.Error{Kind: windlass.Forbidden, Message: "you may view everything here, but change nothing", Remedy: "ask an editor to do it"}
	}
	if id := r.PathValue("project"); id != "" {
		project, err := u.config.Setup.Project(r.Context(), id)
		if err != nil {
			return err
		}
		r.Project = &project
	}
	return nil
}

// The cookie of a session. Its prefix lets a browser take it only from this host,
// over https or on this machine.
const cookieName = "__Host-windlass"

func (u *UI) cookie(r *http.Request) windlass.Secret {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return windlass.Secret{}
	}
	return windlass.NewSecret(cookie.Value)
}

func (u *UI) setCookie(w http.ResponseWriter, token windlass.Secret, expires time.Time) {
	cookie := &http.Cookie{
		Name: cookieName, Value: token.Reveal(), Path: "/", Expires: expires,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	if token.IsZero() {
		cookie.MaxAge = -1
	}
	http.SetCookie(w, cookie)
}

// statusOf is the HTTP status of a kind of failure.
func statusOf(err error) int {
	for kind, status := range map[windlass.Kind]int{
		windlass.Invalid: 422, windlass.Unauthorized: 401, windlass.Forbidden: 403, windlass.NotFound: 404, windlass.Gone: 410,
		windlass.Conflict: 409, windlass.RateLimited: 429, windlass.Unavailable: 503, windlass.NeedsReconnect: 409,
	} {
		if errors.Is(err, kind) {
			return status
		}
	}
	return http.StatusInternalServerError
}

// fail answers with the page that says what went wrong, and what to do.
func (u *UI) fail(r *request, err error) {
	status := statusOf(err)
	problem := problemOf(err)
	if status == http.StatusInternalServerError {
		u.config.Logger.ErrorContext(r.Context(), "a page failed", slog.String(logPath, r.URL.Path), slog.Any(logError, err))
		problem = Problem{Message: "Something went wrong on our side.", Remedy: "Try again; the server's log says more."}
	}
	if rendered := r.page(status, "problem", "That did not work", problem); rendered != nil {
		u.config.Logger.ErrorContext(r.Context(), "a page failed", slog.String(logPath, r.URL.Path), slog.Any(logError, rendered))
	}
}

const (
	logPath  = logkey.Path
	logError = logkey.Error
)

// Problem is an error, for a person.
type Problem struct {
	Message string // a sentence
	Remedy  string // a sentence, or empty
	Issues  []windlass.Issue
}

// problemOf turns an error into sentences.
func problemOf(err error) Problem {
	failure, ok := windlass.Own(err)
	if !ok {
		return Problem{Message: sentence(err.Error())}
	}
	text := failure.Message
	if text == "" && failure.Err != nil {
		text = failure.Err.Error()
	}
	return Problem{Message: sentence(text), Remedy: sentence(failure.Remedy), Issues: failure.Issues}
}

// sentence begins with a capital and ends with a full stop.
func sentence(text string) string {
	text = strings.TrimRight(strings.TrimSpace(text), ".")
	if text == "" {
		return ""
	}
	first := []rune(text)
	return strings.ToUpper(string(first[:1])) + string(first[1:]) + "."
}
