package connect

import (
	"cmp"
	"context"
	"time"

	"windlass"
	"windlass/connector"
)

// patience bounds one request to the provider: for a code, a refresh or a check. It is
// well below leaseLife, so that there is time left to save the answer.
const patience = 20 * time.Second

// Answer has the parameters of the provider's redirect.
type Answer struct {
	State string
	Code  string
	// Error and Description are set instead of Code when there is no consent.
	Error, Description string
	// Browser is the secret that the browser has kept for this consent, if any
	// (Opening.Browser; KeyOfState names it).
	Browser windlass.Secret
}

// Outcome is the result of a consent or an import.
type Outcome struct {
	// Origin is whom the callback page may tell: that of the page which started
	// this. On failure it is set, too, where it can be told; it is certain only when
	// the state was good, so that a failure may say nothing but what went wrong.
	Origin string
	// Connection is the connection as it is now; zero on failure.
	Connection windlass.Connection
	// Created reports that the connection is new.
	Created bool
	// Missing are the scopes that the project's integrations ask for and that
	// were not granted.
	Missing []string
}

// Callback ends a consent. It may be called once for each state: after a failure the
// person has to start again. Its errors are *windlass.Error, fit to be shown to the
// person.
func (s *Service) Callback(ctx context.Context, answer Answer) (Outcome, error) {
	const op = "connect"
	// From here on the code is used up. A person who closes the window must not
	// leave tokens behind that are stored nowhere.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*patience)
	defer cancel()
	remembered, own, err := s.takeConsent(ctx, op, answer)
	if err != nil {
		return Outcome{Origin: cmp.Or(remembered.Origin, originOf(answer.State))}, err
	}
	outcome, err := s.finish(ctx, op, remembered, own, answer)
	outcome.Origin = remembered.Origin
	if err != nil {
		return outcome, explain(op, err)
	}
	return outcome, nil
}

// finish turns the answer of the provider's page into a connection.
func (s *Service) finish(ctx context.Context, op string, remembered asked, own browser, answer Answer) (Outcome, error) {
	if answer.Error != "" || answer.Code == "" {
		return Outcome{}, notConsented(answer)
	}
	connection, err := s.target(ctx, remembered)
	if err != nil {
		return Outcome{}, err
	}
	provider, err := s.provider(op, connection.Provider)
	if err != nil {
		return Outcome{}, err
	}
	oauth, err := s.oauth(op, provider)
	if err != nil {
		return Outcome{}, err
	}
	app, err := s.app(ctx, connection.ProjectID, connection.Provider, connection.ProviderAppID)
	if err != nil {
		return Outcome{}, err
	}
	asking := s.now()
	grant, err := oauth.Exchange(ctx, app, answer.Code, connector.Consent{
		State: answer.State, Callback: remembered.Callback, Verifier: own.verifier(),
	})
	if err != nil {
		return Outcome{}, err
	}
	s.restoreApp(ctx, windlass.Connection{}, app)
	connection.Scheme = windlass.AuthOAuth
	connection.Scopes = grant.Scopes
	credentials := granted(windlass.Credentials{}, grant, asking)
	account, err := s.verify(ctx, provider, connection, credentials)
	switch {
	case err == nil:
		identify(&connection, account)
		connection.Status = windlass.ConnectionWorking
	case explain(op, err).Kind.Temporary():
		// The consent was given and the tokens are good. Whether the workspace is
		// reachable cannot be said now, perhaps because the hour's requests are
		// spent; a person cannot be asked to come back for that.
		connection.Status = windlass.ConnectionCreated
		connection.StatusReason = "the workspace could not be checked yet: " + message(explain(op, err))
	default:
		return Outcome{}, err
	}
	return s.save(ctx, connection, credentials)
}

// notConsented says why the provider's page sent no code.
func notConsented(answer Answer) *windlass.Error {
	switch answer.Error {
	case "access_denied":
		return &windlass.Error{
			Kind: windlass.Forbidden, Message: "access was denied on the provider's page",
			Remedy: "start again and allow it, if that was a mistake",
		}
	case "server_error", "temporarily_unavailable":
		return &windlass.Error{Kind: windlass.Unavailable, Message: "the provider has a problem (" + answer.Error + ")", Remedy: "try again later"}
	case "":
		return &windlass.Error{Kind: windlass.Invalid, Message: "the provider sent no code", Remedy: "start again from the product"}
	default:
		return &windlass.Error{
			Kind:    windlass.Invalid,
			Message: "the provider refused the request: " + quote(answer.Error) + " " + quote(answer.Description),
			Remedy:  "check the provider app against the OAuth consumer: its callback URL above all",
		}
	}
}
