package bitbucket

import (
	"context"
	"net/http"
	"strings"
	"time"

	"windlass"
)

// Credential puts proof of who is asking on a request. A Credential prints as
// its sort, never as its secret.
type Credential interface {
	// authorize sets the request's Authorization header. It may be called many
	// times at once.
	authorize(req *http.Request) error
	// String names the sort of credential.
	String() string
}

// AccessToken is a repository's, project's or workspace's access token, or an
// OAuth access token that another program keeps fresh. Both travel as a bearer.
func AccessToken(token string) (Credential, error) {
	if err := checkSecret("access token", token); err != nil {
		return nil, err
	}
	return TokenFunc(func(context.Context) (string, error) { return token, nil }), nil
}

// TokenFunc is an OAuth credential: it returns the access token to use now,
// refreshed where that is needed. It is called for every request, from many
// goroutines.
type TokenFunc func(context.Context) (string, error)

func (f TokenFunc) authorize(req *http.Request) error {
	token, err := f(req.Context())
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return nil
}

// String returns "bearer token".
func (f TokenFunc) String() string { return "bearer token" }

// APIToken is a person's API token. It travels as HTTP Basic, with the email
// address of the Atlassian account. App passwords, which travelled likewise,
// are gone since 2026-07-28.
func APIToken(email, token string) (Credential, error) {
	if err := checkSecret("API token", token); err != nil {
		return nil, err
	}
	if !strings.Contains(email, "@") || strings.ContainsAny(email, ":\r\n") {
		return nil, &windlass.Error{
			Kind:    windlass.Invalid,
			Message: "what goes with the API token is not an email address",
			Remedy:  "an API token goes with the email address of the Atlassian account, not with a user name; are the two swapped?", Provider: &windlass.ProviderDetails{},
		}
	}
	return basic{email: email, token: token}, nil
}

type basic struct{ email, token string }

func (b basic) authorize(req *http.Request) error {
	req.SetBasicAuth(b.email, b.token)
	return nil
}

func (b basic) String() string   { return "API token" }
func (b basic) GoString() string { return "API token" }

// ConnectApp is a Connect app's installation: the key in the app's descriptor,
// and the client key and shared secret that Bitbucket handed over when the app
// was installed. It travels as a JWT made for each request.
func ConnectApp(appKey, clientKey, sharedSecret string) (Credential, error) {
	for what, value := range map[string]string{"app key": appKey, "client key": clientKey, "shared secret": sharedSecret} {
		if err := checkSecret(what, value); err != nil {
			return nil, err
		}
	}
	return connectApp{app: appKey, client: clientKey, secret: []byte(sharedSecret), now: time.Now}, nil
}

// checkSecret refuses what cannot travel in a header. It does not show it.
func checkSecret(what, value string) error {
	if value != "" && !strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return nil
	}
	problem := "holds a space or a character that is not ASCII"
	if value == "" {
		problem = "is empty"
	}
	return &windlass.Error{
		Kind:    windlass.Unauthorized,
		Message: "the " + what + " " + problem,
		Remedy:  "copy it again, whole and on one line", Provider: &windlass.ProviderDetails{},
	}
}
