package api

import (
	"errors"
	"net/http"
	"strings"

	"windlass"
	"windlass/internal/connect"
	"windlass/internal/ui"
)

// The paths at which a consent begins, for a new or an existing connection, and to
// which the provider redirects.
const (
	consentPath  = "/v1/oauth-connect"
	consentVerb  = ":oauth-update"
	callbackPath = "/callbacks/v1/oauth"
)

// consentCookie ties a consent to the browser that went on with it. Each consent has
// one of its own, so that several may go on at a time.
const consentCookie = "windlass-consent-"

// consentRequest is the body of POST /oauth-connect. Clients differ in how they
// name the project.
type consentRequest struct {
	ProjectIDOrName      string                   `json:"projectIdOrName,omitempty"`
	ProjectID            string                   `json:"projectId,omitempty"`
	Provider             string                   `json:"provider" minLength:"1"`
	GroupRef             string                   `json:"groupRef" minLength:"1"`
	GroupName            string                   `json:"groupName,omitempty"`
	ConsumerRef          string                   `json:"consumerRef" minLength:"1"`
	ConsumerName         string                   `json:"consumerName,omitempty"`
	ProviderWorkspaceRef string                   `json:"providerWorkspaceRef,omitempty"`
	ProviderMetadata     map[string]metadataValue `json:"providerMetadata,omitempty"`
	ProviderAppID        string                   `json:"providerAppId,omitempty"`
	// EnableCSRFProtection is sent by published clients. Every consent is protected.
	EnableCSRFProtection bool `json:"enableCSRFProtection,omitempty"`
}

// metadataValue is one value that a provider or a person gave for a connection.
type metadataValue struct {
	Value       string `json:"value"`
	Source      string `json:"source" enum:"input,token,provider"`
	DisplayName string `json:"displayName,omitempty"`
}

func (a *API) startConsent(c *call, r consentRequest) (text, error) {
	named := r.ProjectIDOrName
	if named == "" {
		named = r.ProjectID
	}
	if named == "" {
		return "", invalid([]windlass.Issue{{In: "body", Name: "projectIdOrName", Message: "it is required"}})
	}
	if err := c.who.MustBe(r.GroupRef, r.ConsumerRef); err != nil {
		return "", err
	}
	found, err := a.projectOf(c, named)
	if err != nil {
		return "", err
	}
	c.project = found
	consent, err := a.connect.Start(c.ctx(), connect.Ask{
		Project: found.ID, Provider: r.Provider, ProviderApp: r.ProviderAppID,
		GroupRef: r.GroupRef, GroupName: r.GroupName, ConsumerRef: r.ConsumerRef, ConsumerName: r.ConsumerName,
		Workspace: r.ProviderWorkspaceRef, Metadata: fromMetadata(r.ProviderMetadata),
	}, connect.Opener{Origin: openerOf(c.r)})
	return text(consent.URL), err
}

func (a *API) restartConsent(c *call) (text, error) {
	id := c.param("connectionId")
	if err := a.ownConnection(c, id); err != nil {
		return "", err
	}
	consent, err := a.connect.Reconnect(c.ctx(), c.project.ID, id, connect.Opener{Origin: openerOf(c.r)})
	return text(consent.URL), err
}

// openerOf returns the origin of the page that sent a request. A page without one
// of its own, such as a file, says "null" and cannot be told anything later.
func openerOf(r *http.Request) string {
	if origin := r.Header.Get("Origin"); origin != "null" {
		return origin
	}
	return ""
}

// cookieOf is the cookie of a consent. It is set by a page of our own, which the
// person has opened, and comes back on the way back from the provider; no page of
// another host can set it where there is TLS.
func (a *API) cookieOf(key, value string) *http.Cookie {
	cookie := &http.Cookie{ //nolint:gosec // Secure where there is TLS
		Name: consentCookie + key, Value: value, Path: "/", MaxAge: int(connect.StateLife.Seconds()),
		HttpOnly: true, Secure: a.publicURL.Scheme == "https", SameSite: http.SameSiteLaxMode,
	}
	if cookie.Secure { // otherwise a trial on one machine
		cookie.Name = "__Host-" + cookie.Name
	}
	return cookie
}

// keptFor returns what the browser keeps for a consent.
func (a *API) keptFor(c *call, key string) windlass.Secret {
	if key == "" {
		return windlass.Secret{}
	}
	cookie, err := c.r.Cookie(a.cookieOf(key, "").Name)
	if err != nil {
		return windlass.Secret{} // there is none
	}
	return windlass.NewSecret(cookie.Value)
}

// openConsent is the page that a consent begins on.
func (a *API) openConsent(c *call) (page, error) {
	ticket := c.query.Get(connect.TicketParam)
	key := connect.KeyOfTicket(ticket)
	opening, err := a.connect.Open(c.ctx(), ticket, a.keptFor(c, key))
	if err != nil {
		return a.shown(c, a.consentPage(c, connect.Outcome{Origin: opening.Origin}, err)), nil
	}
	http.SetCookie(c.w, a.cookieOf(key, opening.Browser.Reveal()))
	return a.shown(c, ui.Opening{
		Product: opening.Product, Provider: a.providerName(opening.Provider), Workspace: opening.Workspace,
		GroupRef: opening.GroupRef, GroupName: opening.GroupName, Origin: opening.Origin, Continue: opening.Continue,
		Canceled: consentFailed("forbidden", "The connection was canceled."),
	}), nil
}

// continueConsent sends a person who has seen that page on to the provider.
func (a *API) continueConsent(c *call) (page, error) {
	ticket := c.query.Get(connect.TicketParam)
	opening, err := a.connect.Continue(c.ctx(), ticket, a.keptFor(c, connect.KeyOfTicket(ticket)), c.query.Get(connect.ConfirmParam))
	if err != nil {
		return a.shown(c, a.consentPage(c, connect.Outcome{Origin: opening.Origin}, err)), nil
	}
	return page{write: func(w http.ResponseWriter) {
		w.Header().Set("Referrer-Policy", "no-referrer")
		http.Redirect(w, c.r, opening.Continue, http.StatusSeeOther)
	}}, nil
}

// providerName is what people call a provider.
func (a *API) providerName(name string) string {
	for _, info := range a.setup.Catalog() {
		if info.Name == name {
			return info.DisplayName
		}
	}
	return name
}

// shown is the answer that a page of package ui is.
func (a *API) shown(c *call, shown interface {
	Write(w http.ResponseWriter) error
},
) page {
	return page{write: func(w http.ResponseWriter) {
		if err := shown.Write(w); err != nil {
			a.fail(c, err)
		}
	}}
}

// A consentMessage is the message of the callback page to the page that opened it.
type consentMessage struct {
	EventType string         `json:"eventType"`
	Data      map[string]any `json:"data"`
	Message   string         `json:"message,omitempty"`
}

// finishConsent is the provider's callback. It answers with a page, also after a failure.
func (a *API) finishConsent(c *call) (page, error) {
	answer := connect.Answer{
		State: c.query.Get("state"), Code: c.query.Get("code"),
		Error: c.query.Get("error"), Description: c.query.Get("error_description"),
	}
	key := connect.KeyOfState(answer.State)
	if answer.Browser = a.keptFor(c, key); !answer.Browser.IsZero() {
		spent := a.cookieOf(key, "") //nolint:gosec // the same cookie, to be forgotten
		spent.MaxAge = -1
		http.SetCookie(c.w, spent)
	}
	outcome, err := a.connect.Callback(c.ctx(), answer)
	return a.shown(c, a.consentPage(c, outcome, err)), nil
}

// consentFailed is the message to the opener about a failure. Published components show
// people what stands in data.error or in message; code is for programs.
func consentFailed(code, words string) consentMessage {
	return consentMessage{EventType: "AUTHORIZATION_FAILED", Message: words, Data: map[string]any{"error": words, "code": code}}
}

func (a *API) consentPage(c *call, outcome connect.Outcome, err error) ui.Consent {
	if err == nil {
		shown := ui.Consent{
			Status: http.StatusOK, Title: "Connected", Done: true,
			Text:   "Your workspace " + outcome.Connection.Workspace + " is connected.",
			Origin: outcome.Origin,
			Message: consentMessage{EventType: "AUTHORIZATION_SUCCEEDED", Data: map[string]any{
				"connection": asConnection(outcome.Connection),
			}},
		}
		if len(outcome.Missing) > 0 {
			shown.Text += " Some of it cannot be used, because these permissions were not given: " +
				strings.Join(outcome.Missing, ", ") + "."
			shown.Done = false // or the message would not be read
		}
		return shown
	}
	p := problemFor(err, c.requestID, a.now())
	if isServerError(p.Status) {
		a.logFailure(c, err)
	}
	shown := ui.Consent{
		Status: p.Status, Title: "Not connected", Text: sentence(p.Detail), Remedy: sentence(p.Remedy),
		Origin: outcome.Origin, Reference: c.requestID, Done: true,
		Message: consentFailed(strings.TrimPrefix(p.Type, problemType), sentence(p.Detail)),
	}
	if errors.Is(err, windlass.Internal) {
		shown.Remedy = "Try again, and quote the reference below if that does not help."
	}
	return shown
}

// sentence turns a clause into a sentence.
func sentence(clause string) string {
	if clause == "" {
		return ""
	}
	first := strings.ToUpper(clause[:1])
	if last := clause[len(clause)-1]; last == '.' || last == '!' || last == '?' {
		return first + clause[1:]
	}
	return first + clause[1:] + "."
}
