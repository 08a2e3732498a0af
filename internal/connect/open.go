package connect

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/url"
	"strings"

	"windlass"
	"windlass/connector"
)

// The paths of a consent below the callback URL: the page that says what is asked for,
// and the redirect from there to the provider.
const (
	BeginPath    = "/begin"
	ContinuePath = "/continue"
	// TicketParam and ConfirmParam are their parameters.
	TicketParam  = "consent"
	ConfirmParam = "confirm"
)

// Opening is what the first page of a consent shows.
type Opening struct {
	Origin    string // of the page that asks; set on failure, too, where it can be told
	Product   string
	Provider  string // its name, as manifests have it
	Workspace string
	GroupRef  string
	GroupName string // empty without one
	// Browser is what the person's browser has to show again, on going on and at
	// the callback: a secret for a cookie that scripts cannot read.
	Browser windlass.Secret
	// Continue is the address that goes on from here, in this browser alone.
	Continue string
}

// Open reads a consent without binding it to a browser, since programs open URLs, too.
// kept is the browser's cookie of an earlier visit, if any.
func (s *Service) Open(ctx context.Context, ticket string, kept windlass.Secret) (Opening, error) {
	const op = "open the consent"
	opening := Opening{Origin: originOf(ticket)}
	remembered, err := s.readConsent(ctx, op, hashed(ticket), ticket)
	if err != nil {
		return opening, err
	}
	opening.Origin = remembered.Origin
	connection, err := s.target(ctx, remembered)
	if err != nil {
		return opening, explain(op, err)
	}
	project, err := s.store.Project(ctx, connection.ProjectID)
	if err != nil {
		return opening, explain(op, err)
	}
	own := browserFor(ticket, kept)
	opening.Product, opening.Provider, opening.Workspace = project.AppName, connection.Provider, connection.Workspace
	if opening.Product == "" {
		opening.Product = project.Name
	}
	opening.GroupRef, opening.GroupName = connection.Group.Ref, connection.Group.Name
	opening.Browser = own.keep()
	opening.Continue = s.callback + ContinuePath + "?" + url.Values{TicketParam: {ticket}, ConfirmParam: {own.confirmation()}}.Encode()
	return opening, nil
}

// Continue returns the provider's page for a consent that the person has seen
// ([Service.Open]) in this browser. Without that it fails: another site cannot skip
// the page that says what is asked for. It may be repeated.
func (s *Service) Continue(ctx context.Context, ticket string, kept windlass.Secret, confirmation string) (Opening, error) {
	const op = "go on with the consent"
	opening := Opening{Origin: originOf(ticket)}
	remembered, err := s.readConsent(ctx, op, hashed(ticket), ticket)
	if err != nil {
		return opening, err
	}
	opening.Origin = remembered.Origin
	own, ok := readBrowser(kept)
	if !ok || own.ticket != ticket || subtle.ConstantTimeCompare([]byte(own.confirmation()), []byte(confirmation)) != 1 {
		return opening, &windlass.Error{
			Kind: windlass.Forbidden, Op: op, Message: "this consent was opened in another browser, or the browser keeps no cookies",
			Remedy: startAgain,
		}
	}
	connection, err := s.target(ctx, remembered)
	if err != nil {
		return opening, explain(op, err)
	}
	provider, err := s.provider(op, connection.Provider)
	if err != nil {
		return opening, err
	}
	oauth, err := s.oauth(op, provider)
	if err != nil {
		return opening, err
	}
	app, err := s.app(ctx, connection.ProjectID, connection.Provider, connection.ProviderAppID)
	if err != nil {
		return opening, explain(op, err)
	}
	opening.Continue, err = oauth.AuthorizeURL(app, connector.Consent{
		State: own.state(), Callback: remembered.Callback, Verifier: own.verifier(),
	})
	if err != nil {
		return opening, explain(op, err)
	}
	opening.Browser = own.keep()
	return opening, nil
}

const startAgain = "start again from the product"

// readConsent reads a consent without using it up. text is its ticket or state, which has the
// expiry.
func (s *Service) readConsent(ctx context.Context, op, hash, text string) (asked, error) {
	data, err := s.store.State(ctx, hash, s.now())
	return s.read(op, text, data, err)
}

// read decodes a stored consent, or explains the store's error.
func (s *Service) read(op, text string, data json.RawMessage, err error) (asked, error) {
	fail := func(kind windlass.Kind, message string) (asked, error) {
		return asked{}, &windlass.Error{Kind: kind, Op: op, Message: message, Remedy: startAgain}
	}
	ends := endOf(text)
	switch {
	case errors.Is(err, windlass.Gone), errors.Is(err, windlass.NotFound) && !ends.IsZero() && !s.now().Before(ends):
		return fail(windlass.Gone, "this consent took too long: it was good for "+StateLife.String())
	case errors.Is(err, windlass.NotFound):
		return fail(windlass.NotFound, "this consent was used already, or was not started here")
	case err != nil:
		return asked{}, explain(op, err)
	}
	var remembered asked
	if err := json.Unmarshal(data, &remembered); err != nil {
		return asked{}, explain(op, err)
	}
	return remembered, nil
}

// takeConsent reads a consent and removes it, for the browser that continued it. No one else
// can use it up.
func (s *Service) takeConsent(ctx context.Context, op string, answer Answer) (asked, browser, error) {
	if answer.State == "" {
		return asked{}, browser{}, &windlass.Error{
			Kind: windlass.Invalid, Op: op, Message: "this page was not opened by a consent: its URL has no state", Remedy: startAgain,
		}
	}
	hash, ok := hashOf(answer.State)
	if !ok {
		remembered, err := s.read(op, "", nil, windlass.NotFound)
		return remembered, browser{}, err
	}
	own, ok := readBrowser(answer.Browser)
	if !ok || subtle.ConstantTimeCompare([]byte(own.state()), []byte(answer.State)) != 1 {
		remembered, err := s.readConsent(ctx, op, hash, answer.State)
		if err == nil {
			err = &windlass.Error{
				Kind: windlass.Forbidden, Op: op, Message: "this consent was started in another browser, or the browser keeps no cookies",
				Remedy: startAgain,
			}
		}
		return asked{Origin: remembered.Origin}, browser{}, err
	}
	data, err := s.store.TakeState(ctx, hash, s.now())
	remembered, err := s.read(op, answer.State, data, err)
	return remembered, own, err
}

// beginURL is the address of our own page, which the browser opens first.
func (s *Service) beginURL(ticket string) string {
	return strings.TrimSuffix(s.callback, "/") + BeginPath + "?" + url.Values{TicketParam: {ticket}}.Encode()
}
