package api

import (
	"net/http"
	"strings"
)

// apiPrefix is where the operations of the published contract begin.
const apiPrefix = "/v1/"

// What a browser may send from any origin. That is safe because nothing here is
// authorized by a cookie: a request without a key gets nothing.
const (
	corsHeaders = "X-Api-Key, Authorization, Content-Type, X-Amp-Client, X-Amp-Client-Version"
	corsMethods = "GET, POST, PUT, PATCH, DELETE"
	corsExposed = "X-Request-Id, Retry-After, Link"
	corsMaxAge  = "7200" // seconds; the longest that Chromium keeps
)

// allowOrigins lets pages of any origin read the answer, and answers the request
// that a browser sends first to ask; it reports whether it did.
func allowOrigins(w http.ResponseWriter, r *http.Request) (answered bool) {
	header := w.Header()
	header.Set("Access-Control-Allow-Origin", "*")
	if origin := r.Header.Get("Origin"); origin != "" && beginsConsent(r.URL.EscapedPath()) {
		// Published clients begin a consent with credentials, so that the cookie of
		// sendOff can be set. Browsers take no asterisk for that.
		header.Set("Access-Control-Allow-Origin", origin)
		header.Set("Access-Control-Allow-Credentials", "true")
		header.Add("Vary", "Origin")
	}
	header.Set("Access-Control-Expose-Headers", corsExposed)
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	header.Set("Access-Control-Allow-Methods", corsMethods)
	header.Set("Access-Control-Allow-Headers", corsHeaders)
	header.Set("Access-Control-Max-Age", corsMaxAge)
	w.WriteHeader(http.StatusNoContent)
	return true
}

func beginsConsent(path string) bool {
	return path == consentPath || strings.HasSuffix(path, consentVerb)
}
