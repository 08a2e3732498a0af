package api

import (
	"net/http"

	"windlass"
	"windlass/internal/proxy"
)

// The kinds of failure that only HTTP knows.
const (
	malformedRequest windlass.Kind = "malformed request"
	methodNotAllowed windlass.Kind = "method not allowed"
	tooLarge                       = proxy.TooLarge
	unsupportedMedia windlass.Kind = "unsupported media type"
	timedOut                       = proxy.TimedOut
	unprocessable    windlass.Kind = "unprocessable"
)

// A verdict is how a kind of failure is answered in HTTP.
type verdict struct {
	status int
	// provider is the status of a failure of the provider: that it refused a customer's
	// credential must not look like a wrong API key.
	provider int
	slug     string // the end of the problem's type
	title    string
	// retryable: the same request may succeed later, with nothing changed.
	retryable bool
}

// verdicts is the one table from kinds of failure to HTTP.
var verdicts = map[windlass.Kind]verdict{
	windlass.Invalid:        {400, 422, "invalid", "The request is not valid", false},
	unprocessable:           {422, 422, "unprocessable", "The request cannot be carried out as it is", false},
	windlass.Unauthorized:   {401, 422, "unauthorized", "No valid credential", false},
	windlass.NeedsReconnect: {422, 422, "needs-reconnect", "The customer has to connect again", false},
	windlass.Forbidden:      {403, 422, "forbidden", "The credential does not allow this", false},
	windlass.NotFound:       {404, 422, "not-found", "Not found", false},
	windlass.Conflict:       {409, 409, "conflict", "It already exists, or was changed meanwhile", false},
	windlass.Gone:           {410, 422, "gone", "No longer available", false},
	windlass.RateLimited:    {429, 429, "rate-limited", "Too many requests", true},
	windlass.CursorExpired:  {410, 422, "cursor-expired", "The page is no longer available", false},
	windlass.Unavailable:    {503, 503, "unavailable", "Not reachable at the moment", true},
	windlass.Malformed:      {502, 502, "malformed-answer", "The provider sent an answer that cannot be read", true},
	windlass.Incomplete:     {502, 502, "incomplete", "The provider sent fewer records than it counts", true},
	windlass.Canceled:       {499, 499, "canceled", "The request was canceled", true},
	windlass.Internal:       {500, 500, "internal", "Internal error", false},
	malformedRequest:        {400, 400, "malformed-request", "The request cannot be read", false},
	methodNotAllowed:        {405, 405, "method-not-allowed", "Method not allowed", false},
	tooLarge:                {413, 413, "too-large", "The request is too large", false},
	unsupportedMedia:        {415, 415, "unsupported-media-type", "The content type is not supported", false},
	proxy.TooSlow:           {408, 408, "too-slow", "The request took too long to arrive", true},
	timedOut:                {504, 504, "timed-out", "The request timed out", true},
}

// problemType is where the type of a problem begins. It is a name, not an address.
const problemType = "urn:windlass:problem:"

// verdictOf looks up a kind; an unknown one is an internal error.
func verdictOf(kind windlass.Kind) verdict {
	if v, ok := verdicts[kind]; ok {
		return v
	}
	return verdicts[windlass.Internal]
}

// isServerError reports a status that the operator of the server has to look into.
func isServerError(status int) bool { return status == http.StatusInternalServerError }
