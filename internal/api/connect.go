package api

import (
	"errors"
	"net/http"
	"strings"

	"windlass"
	"windlass/internal/connect"
	"windlass/internal/ui"
)

// Where a consent begins, for a new connection or for one that there is, and where
// a provider sends people back to.
const (
	consentPath  = "/v1/oauth-connect"
	consentVerb  = ":oauth-update"
	callbackPath = "/callbacks/v1/oauth"
)

// consentCookie ties a consent to the browser that began it, where that was
// asked for.
const consentCookie = "windlass_consent"

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
	EnableCSRFProtection bool                     `json:"enableCSRFProtection,omitempty"`
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
	if err := c.who.mustBe(r.GroupRef, r.ConsumerRef); err != nil {
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
	}, connect.Opener{Origin: openerOf(c.r), Bind: r.EnableCSRFProtection})
	return a.sendOff(c, consent), err
}

func (a *API) restartConsent(c *call) (text, error) {
	id := c.param("connectionId")
	if err := a.ownConnection(c, id); err != nil {
		return "", err
	}
	consent, err := a.connect.Reconnect(c.ctx(), c.project.ID, id, connect.Opener{Origin: openerOf(c.r)})
	return a.sendOff(c, consent), err
}

// openerOf returns the origin of the page that sent a request. A page without one
// of its own, such as a file, says "null" and cannot be told anything later.
func openerOf(r *http.Request) string {
	if origin := r.Header.Get("Origin"); origin != "null" {
		return origin
	}
	return ""
}

// sendOff gives the browser what it has to show again at the callback, if
// anything, and returns the address to go to.
func (a *API) sendOff(c *call, consent connect.Consent) text {
	if !consent.Browser.IsZero() {
		cookie := a.consentCookie(consent.Browser.Reveal()) //nolint:gosec // Secure where there is TLS
		cookie.Expires = consent.Expires
		http.SetCookie(c.w, cookie)
	}
	return text(consent.URL)
}

// consentCookie is set by an answer to a page of another site, and so has to be
// allowed to be: browsers want that over TLS only.
func (a *API) consentCookie(value string) *http.Cookie {
	secure := a.publicURL.Scheme == "https"
	sameSite := http.SameSiteNoneMode
	if !secure {
		sameSite = http.SameSiteLaxMode // for trials on one machine
	}
	return &http.Cookie{ //nolint:gosec // Secure where there is TLS; SameSite=None is what it is for
		Name: consentCookie, Value: value, Path: a.publicURL.Path + callbackPath,
		HttpOnly: true, Secure: secure, SameSite: sameSite,
	}
}

// A consentMessage is what the callback page tells the page that opened it.
type consentMessage struct {
	EventType string         `json:"eventType"`
	Data      map[string]any `json:"data"`
	Message   string         `json:"message,omitempty"`
}

// finishConsent is where the provider sends a person back to. It answers with a
// page, whatever came of it.
func (a *API) finishConsent(c *call) (page, error) {
	answer := connect.Answer{
		State: c.query.Get("state"), Code: c.query.Get("code"),
		Error: c.query.Get("error"), Description: c.query.Get("error_description"),
	}
	if cookie, err := c.r.Cookie(consentCookie); err == nil {
		answer.Browser = windlass.NewSecret(cookie.Value)
		spent := a.consentCookie("") //nolint:gosec // the same cookie, to be forgotten
		spent.MaxAge = -1
		http.SetCookie(c.w, spent)
	}
	outcome, err := a.connect.Callback(c.ctx(), answer)
	shown := a.consentPage(c, outcome, err)
	return page{write: func(w http.ResponseWriter) {
		if err := shown.Write(w); err != nil {
			a.fail(c, err)
		}
	}}, nil
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
			shown.Done = false // or nobody would read it
		}
		return shown
	}
	p := problemFor(err, c.requestID, a.now())
	if isOurFault(p.Status) {
		a.logFailure(c, err)
	}
	shown := ui.Consent{
		Status: p.Status, Title: "Not connected", Text: sentence(p.Detail), Remedy: sentence(p.Remedy),
		Origin: outcome.Origin, Reference: c.requestID,
		Message: consentMessage{EventType: "AUTHORIZATION_FAILED", Message: p.Detail, Data: map[string]any{
			"error": strings.TrimPrefix(p.Type, problemType),
		}},
	}
	if errors.Is(err, windlass.Internal) {
		shown.Remedy = "Try again, and quote the reference below if that does not help."
	}
	return shown
}

// sentence makes a sentence of a clause.
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
