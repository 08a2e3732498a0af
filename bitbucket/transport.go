package bitbucket

import (
	"net/http"
	"net/url"
	"strings"

	"windlass"
)

// Transport adds a credential to every request to the API, and refuses every
// request to anywhere else (invariant 6): a redirect or a link that leads to
// another scheme, host or port fails before anything is sent.
type Transport struct {
	credential Credential
	api        *url.URL
	base       http.RoundTripper
}

// NewTransport returns a Transport for the API at apiURL (empty means
// DefaultAPIURL) over base (nil means http.DefaultTransport).
func NewTransport(credential Credential, apiURL string, base http.RoundTripper) (*Transport, error) {
	api, err := parseAPI(apiURL)
	if err != nil {
		return nil, err
	}
	if base == nil {
		base = http.DefaultTransport
	}
	return &Transport{credential: credential, api: api, base: base}, nil
}

// RoundTrip sends one request with the credential.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if !sameHost(t.api, req.URL) {
		closeBody(req)
		return nil, &windlass.Error{
			Kind:    windlass.Malformed,
			Message: "refused to send the credential to " + origin(req.URL),
			Remedy:  "it goes to " + origin(t.api) + " only; something there points elsewhere", Provider: &windlass.ProviderDetails{},
		}
	}
	signed := req.Clone(req.Context())
	if err := t.credential.authorize(signed); err != nil {
		closeBody(req)
		return nil, err
	}
	return t.base.RoundTrip(signed)
}

// closeBody keeps the promise of a RoundTripper to close the body even when it
// does not send it.
func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close() // nothing was read from it, and its outcome does not matter
	}
}

// sameHost reports whether two URLs have the same scheme, host and port.
func sameHost(a, b *url.URL) bool {
	return strings.EqualFold(a.Scheme, b.Scheme) &&
		strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if strings.EqualFold(u.Scheme, "https") {
		return "443"
	}
	return "80"
}

// origin shows a URL's scheme and host, without what else it may hold.
func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }
