package bitbucket

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"windlass"
	"windlass/connector"
)

// DefaultSiteURL is where Bitbucket Cloud's OAuth pages and token endpoint are.
const DefaultSiteURL = "https://bitbucket.org"

// OAuth is Bitbucket's side of a consent: the page that asks a customer for it, and
// the token endpoint. The zero value is Bitbucket Cloud; it is safe for concurrent
// use. It is a connector.OAuth.
//
// Scopes are set on the consumer and none are sent. A proof key (RFC 7636, S256) is
// sent beside the client secret. Bitbucket does not document it: where it is ignored
// a code is bound to its consent by the state alone. No
// endpoint to revoke tokens is documented: a consent ends when the customer
// takes it back in Bitbucket's settings, or when its refresh token was not used
// for three months.
//
// Nothing is sent twice: a code or a refresh token may be used up by an answer
// that got lost. Every error is a *windlass.Error and shows no secret:
//
//   - windlass.NeedsReconnect: the code or the refresh token is refused;
//   - windlass.Unauthorized: the consumer's own key or secret is refused;
//   - windlass.RateLimited and windlass.Unavailable: no answer, or none that
//     decides anything. The tokens may be as good as before.
type OAuth struct {
	// SiteURL is the scheme and host of the OAuth pages; empty means
	// DefaultSiteURL.
	SiteURL string
	// Base sends the requests to the token endpoint; nil means
	// http.DefaultTransport. Redirects are not followed.
	Base http.RoundTripper
}

const (
	authorizePath = "/site/oauth2/authorize"
	tokenPath     = "/site/oauth2/access_token" //nolint:gosec // G101: where tokens are had, not one
)

// AuthorizeURL returns the address of the page on which a customer consents to
// the app. The callback must be the consumer's callback URL or lie beneath it. The app's AuthParams are added; they cannot replace
// what the protocol itself needs.
func (o *OAuth) AuthorizeURL(app windlass.ProviderApp, consent connector.Consent) (string, error) {
	config, err := o.config(app, consent.Callback)
	if err != nil {
		return "", inOp("ask for consent", err)
	}
	var options []oauth2.AuthCodeOption
	if !consent.Verifier.IsZero() {
		options = append(options, oauth2.S256ChallengeOption(consent.Verifier.Reveal()))
	}
	page, err := url.Parse(config.AuthCodeURL(consent.State, options...))
	if err != nil {
		return "", &windlass.Error{Kind: windlass.Invalid, Op: "ask for consent", Message: "the address of the consent page is not one", Provider: &windlass.ProviderDetails{}}
	}
	query := page.Query()
	for _, name := range slices.Sorted(maps.Keys(app.AuthParams)) {
		if query.Has(name) {
			return "", &windlass.Error{
				Kind: windlass.Invalid, Op: "ask for consent",
				Message: "the provider app sets the parameter " + quote(name) + ", which the consent needs for itself",
				Remedy:  "take it out of the provider app", Provider: &windlass.ProviderDetails{},
			}
		}
		query[name] = app.AuthParams[name]
	}
	page.RawQuery = query.Encode()
	return page.String(), nil
}

// Exchange turns the code that a consent brought back into tokens. consent is
// the one that AuthorizeURL was given. It must not be repeated: a code is good
// for one attempt.
func (o *OAuth) Exchange(
	ctx context.Context, app windlass.ProviderApp, code string, consent connector.Consent,
) (connector.Grant, error) {
	const op = "exchange the code"
	grant, err := o.grant(ctx, op, app, consent.Callback, code, func(ctx context.Context, config *oauth2.Config) (*oauth2.Token, error) {
		if consent.Verifier.IsZero() {
			return config.Exchange(ctx, code)
		}
		return config.Exchange(ctx, code, oauth2.VerifierOption(consent.Verifier.Reveal()))
	})
	if err == nil && grant.RefreshToken.IsZero() {
		// It would stop working within hours without saying why.
		return connector.Grant{}, &windlass.Error{
			Kind: windlass.Malformed, Op: op,
			Message: "Bitbucket gave no refresh token",
			Remedy:  "check that the OAuth consumer is one for customers' consent", Provider: &windlass.ProviderDetails{},
		}
	}
	return grant, err
}

// Refresh turns a refresh token into a new access token. The grant's refresh
// token takes the place of the one that was sent, which Bitbucket lets die about
// ten minutes later: store it before the access token is used. An answer that
// got lost may be asked for again within that time.
func (o *OAuth) Refresh(ctx context.Context, app windlass.ProviderApp, token windlass.Secret) (connector.Grant, error) {
	return o.grant(ctx, "refresh the access token", app, "", token.Reveal(), func(ctx context.Context, config *oauth2.Config) (*oauth2.Token, error) {
		return config.TokenSource(ctx, &oauth2.Token{RefreshToken: token.Reveal()}).Token()
	})
}

// config describes the token endpoint and its client. Bitbucket documents HTTP
// Basic for the client; naming it keeps the library from trying both ways,
// which would send a code twice.
func (o *OAuth) config(app windlass.ProviderApp, callback string) (*oauth2.Config, error) {
	site := o.SiteURL
	if site == "" {
		site = DefaultSiteURL
	}
	parsed, err := url.Parse(site)
	if err != nil || (parsed.Scheme != "https" && parsed.Scheme != "http") || parsed.Host == "" || parsed.User != nil {
		return nil, &windlass.Error{
			Kind: windlass.Invalid, Message: "the site's URL is not one",
			Remedy: "it looks like " + DefaultSiteURL + ": http or https and a host", Provider: &windlass.ProviderDetails{},
		}
	}
	if app.ClientID == "" {
		return nil, &windlass.Error{
			Kind: windlass.Invalid, Message: "the provider app has no client id",
			Remedy: "it is what Bitbucket calls the OAuth consumer's key", Provider: &windlass.ProviderDetails{},
		}
	}
	base := parsed.Scheme + "://" + parsed.Host
	return &oauth2.Config{
		ClientID: app.ClientID, ClientSecret: app.ClientSecret.Reveal(), RedirectURL: callback,
		Endpoint: oauth2.Endpoint{
			AuthURL: base + authorizePath, TokenURL: base + tokenPath,
			AuthStyle: oauth2.AuthStyleInHeader,
		},
	}, nil
}

// grant makes one request to the token endpoint. sent is the secret in it.
func (o *OAuth) grant(
	ctx context.Context, op string, app windlass.ProviderApp, callback, sent string,
	ask func(context.Context, *oauth2.Config) (*oauth2.Token, error),
) (connector.Grant, error) {
	config, err := o.config(app, callback)
	if err != nil {
		return connector.Grant{}, inOp(op, err)
	}
	if sent == "" {
		return connector.Grant{}, &windlass.Error{
			Kind: windlass.NeedsReconnect, Op: op, Message: "there is no code or refresh token to send", Remedy: consentAgain, Provider: &windlass.ProviderDetails{},
		}
	}
	heard := &ear{base: o.Base}
	client := &http.Client{
		Transport:     heard,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	token, err := ask(context.WithValue(ctx, oauth2.HTTPClient, client), config)
	if err != nil {
		return connector.Grant{}, heard.judge(ctx, op, app, err, sent)
	}
	if err := checkSecret("access token", token.AccessToken); err != nil || !strings.EqualFold(token.Type(), "bearer") {
		return connector.Grant{}, &windlass.Error{
			Kind: windlass.Unavailable, Op: op, Provider: &windlass.ProviderDetails{Status: heard.status, RequestID: requestID(heard.header)},
			Message: "Bitbucket answered with something that is not a bearer token", Remedy: "try again later",
		}
	}
	return connector.Grant{
		AccessToken:  windlass.NewSecret(token.AccessToken),
		ExpiresIn:    time.Duration(max(token.ExpiresIn, 0)) * time.Second,
		RefreshToken: windlass.NewSecret(token.RefreshToken),
		Scopes:       scopesOf(token),
	}, nil
}

// scopesOf reads the granted scopes, which newer answers call scope and older
// ones scopes.
func scopesOf(token *oauth2.Token) []string {
	for _, name := range []string{"scope", "scopes"} {
		if text, ok := token.Extra(name).(string); ok && text != "" {
			return strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' })
		}
	}
	return nil
}
