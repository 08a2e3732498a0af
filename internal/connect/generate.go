package connect

import (
	"context"
	"errors"

	"windlass"
)

// Import has existing credentials, and the customer they belong to. They are of one
// type: tokens of OAuth, with the provider app that they were granted to, or without a
// refresh token and then good until the access token ends; Username and Password, which
// may be an email address and an API token; APIKey, an access token; or AppKey,
// ClientKey and SharedSecret of a Connect app.
type Import struct {
	Ask
	Credentials windlass.Credentials
	Scopes      []string // granted, where known
}

// Generate makes a connection of credentials that exist already, after checking
// that they reach the workspace, or replaces those of the one that the same
// person has to it; those of a Connect app replace only a Connect app's.
// Outcome.Origin is empty.
//
// When an OAuth access token is missing, over or refused, the refresh token is
// used, and ends within minutes: other programs that hold it lose it. If the
// import fails after that it can be repeated for as long.
func (s *Service) Generate(ctx context.Context, given Import) (Outcome, error) {
	const op = "import credentials"
	scheme, issues := schemeOf(given.Credentials)
	if len(issues) > 0 {
		return Outcome{}, &windlass.Error{Kind: windlass.Invalid, Op: op, Message: "the credentials are not complete", Issues: issues}
	}
	checked, err := s.check(ctx, op, given.Ask, !given.Credentials.RefreshToken.IsZero())
	if err != nil {
		return Outcome{}, err
	}
	checked.connection.Scheme, checked.connection.Scopes = scheme, given.Scopes
	given.Credentials.Version = 0
	outcome, err := s.adopt(ctx, checked, given.Credentials)
	if err != nil {
		return Outcome{}, explain(op, err)
	}
	return outcome, nil
}

// adopt checks imported credentials and saves them.
func (s *Service) adopt(ctx context.Context, checked subject, credentials windlass.Credentials) (Outcome, error) {
	connection := checked.connection
	renew := func() error {
		// This one access token is used before its refresh token is stored. Invariant 4
		// still holds: until the import has succeeded nothing here depends on it, and
		// its owner still has the refresh token that it was made from.
		asking := s.now()
		oauth, err := s.oauth("", checked.provider)
		if err != nil {
			return err
		}
		grant, err := oauth.Refresh(ctx, checked.app, credentials.RefreshToken)
		if err != nil {
			return err
		}
		s.restoreApp(ctx, windlass.Connection{}, checked.app)
		credentials = granted(credentials, grant, asking)
		if grant.Scopes != nil {
			connection.Scopes = grant.Scopes
		}
		return nil
	}
	renewable := !credentials.RefreshToken.IsZero()
	if renewable && endsWithin(credentials, s.now(), margin) {
		if err := renew(); err != nil {
			return Outcome{}, err
		}
		renewable = false
	}
	account, err := s.verify(ctx, checked.provider, connection, credentials)
	if errors.Is(err, windlass.Unauthorized) && renewable {
		if err = renew(); err == nil {
			account, err = s.verify(ctx, checked.provider, connection, credentials)
		}
	}
	if err != nil {
		return Outcome{}, err
	}
	identify(&connection, account)
	connection.Status = windlass.ConnectionWorking
	return s.save(ctx, connection, credentials)
}

// schemeOf returns the type of credentials, and their issues.
func schemeOf(c windlass.Credentials) (windlass.AuthScheme, []windlass.Issue) {
	oauth := !c.AccessToken.IsZero() || !c.RefreshToken.IsZero()
	basic := c.Username != "" || !c.Password.IsZero()
	key := !c.APIKey.IsZero()
	app := c.AppKey != "" || c.ClientKey != "" || !c.SharedSecret.IsZero()
	issue := func(name, message string) []windlass.Issue {
		return []windlass.Issue{{In: "body", Name: name, Message: message}}
	}
	switch [4]bool{oauth, basic, key, app} {
	case [4]bool{true, false, false, false}:
		return windlass.AuthOAuth, nil
	case [4]bool{false, true, false, false}:
		if c.Username == "" || c.Password.IsZero() {
			return "", issue("basicAuth", "needs both the email address and the API token")
		}
		return windlass.AuthBasic, nil
	case [4]bool{false, false, true, false}:
		return windlass.AuthAPIKey, nil
	case [4]bool{false, false, false, true}:
		if c.AppKey == "" || c.ClientKey == "" || c.SharedSecret.IsZero() {
			return "", issue("customAuth", "needs the app key, the client key and the shared secret")
		}
		return windlass.AuthAPIKey, nil
	default:
		return "", issue("oauth2AuthorizationCode", "exactly one sort of credentials is required: this, basicAuth, apiKey or customAuth")
	}
}
