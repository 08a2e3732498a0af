package proxy

import (
	"net/http"
	"slices"
	"strings"

	"windlass"
)

// ours are the headers of a request that are not passed on, in canonical form, besides
// those with a prefix in oursAll. The package's comment says why.
var (
	ours = []string{
		"Authorization", "Cookie", "X-Api-Key",
		"Forwarded", "Via", "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "Fastly-Client-Ip",
		"X-Original-Url", "X-Original-Uri", "X-Original-Host", "X-Rewrite-Url", "X-Host",
	}
	oursAll = []string{"X-Amp-", "X-Forwarded-"}
)

func isOurs(name string) bool {
	name = http.CanonicalHeaderKey(name)
	return slices.Contains(ours, name) ||
		slices.ContainsFunc(oursAll, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// withoutOurs removes the headers that the provider must not see.
func withoutOurs(header http.Header) {
	for name := range header {
		if isOurs(name) {
			delete(header, name)
		}
	}
}

// theirs are the headers of an answer that are not passed back: in it, in informational
// answers (103) and in its trailers.
var theirs = []string{"Set-Cookie", "Alt-Svc"}

// hops are the headers of an informational answer (103 and its like) that concern
// one connection; ReverseProxy removes them from the final answer only.
var hops = []string{
	"Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// without removes headers.
func without(header http.Header, names []string) {
	for _, name := range names {
		delete(header, name)
	}
}

// trailers returns a header for the trailers that a request has announced and that may
// be passed on; nil when there are none.
func trailers(announced http.Header) http.Header {
	var places http.Header
	for name := range announced {
		if isOurs(name) {
			continue
		}
		if places == nil {
			places = http.Header{}
		}
		places[name] = nil
	}
	return places
}

// trailing sends a request with the very trailers that the body fills in at its
// end: a transport that clones the request, to sign it, clones them empty.
type trailing struct {
	base     http.RoundTripper
	trailers http.Header
}

func (t *trailing) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.WithContext(req.Context()) // a copy: a request that is sent is not changed
	req.Trailer = t.trailers
	return t.base.RoundTrip(req)
}

// checkMethod refuses methods that are not for a resource of the provider.
func checkMethod(r *http.Request) error {
	switch {
	case r.Method == http.MethodTrace || strings.EqualFold(r.Method, "TRACK"):
		return &windlass.Error{
			Kind: windlass.Invalid, Message: "TRACE is not passed on: its answer would show the customer's credential",
			Remedy: "use another method",
		}
	case r.Method == http.MethodConnect:
		return &windlass.Error{
			Kind: windlass.Invalid, Message: "CONNECT is not passed on: this proxy reaches no host but the provider's API",
			Remedy: "send the request itself, with its path",
		}
	case switches(r.Header):
		return &windlass.Error{
			Kind: windlass.Invalid, Message: "a switch to another protocol is not passed on", Remedy: "leave the header Upgrade out",
			Issues: []windlass.Issue{{In: "header", Name: "Upgrade", Message: "it is refused"}},
		}
	}
	return nil
}

// switches reports whether a request asks for another protocol than HTTP.
func switches(header http.Header) bool {
	upgrade := header.Get("Upgrade")
	if upgrade == "" || strings.EqualFold(upgrade, "h2c") {
		return false
	}
	for _, line := range header["Connection"] {
		for token := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(token), "upgrade") {
				return true
			}
		}
	}
	return false
}
