package limit

import (
	"io"
	"net/http"
	"strconv"
	"time"
)

// Style is a family of headers that Bitbucket has been seen to send.
type Style int

// The families of headers. Only access tokens of paid workspaces are documented
// to get any; OAuth answers may have none.
const (
	// NoHeaders sends nothing: the client counts for itself.
	NoHeaders Style = iota
	// Scaled is the documented family: X-RateLimit-Limit, X-RateLimit-Resource and
	// X-RateLimit-NearLimit, which is true below a fifth of the limit. None of them
	// says how much is left.
	Scaled
	// Gateway is the family of the gateway in front of it: x-ratelimit-limit as in
	// "60, 60;w=3600", x-ratelimit-remaining, and x-ratelimit-reset in seconds from
	// now.
	Gateway
)

// Headers sets the style's headers in h. Without a limit it sets none.
func (d Decision) Headers(h http.Header, style Style) {
	if d.Limit <= 0 {
		return
	}
	limit := strconv.Itoa(d.Limit)
	switch style {
	case NoHeaders:
	case Scaled:
		h.Set("X-RateLimit-Limit", limit)
		h.Set("X-RateLimit-Resource", "api")
		h.Set("X-RateLimit-NearLimit", strconv.FormatBool(d.Remaining*5 < d.Limit))
	case Gateway:
		h.Set("X-RateLimit-Limit", limit+", "+limit+";w="+strconv.Itoa(int(Window/time.Second)))
		h.Set("X-RateLimit-Remaining", strconv.Itoa(d.Remaining))
		h.Set("X-RateLimit-Reset", seconds(d.Reset))
	}
}

// Refusal is how a request over the limit is answered. Bitbucket has been seen
// to do either of each.
type Refusal struct {
	Style      Style
	PlainText  bool // the sentence alone rather than an error object
	RetryAfter bool // say when to come back
}

// Refuse answers with status 429.
func (d Decision) Refuse(w http.ResponseWriter, how Refusal) {
	const sentence = "Rate limit for this resource has been exceeded"
	d.Headers(w.Header(), how.Style)
	if how.RetryAfter {
		w.Header().Set("Retry-After", seconds(d.Reset))
	}
	contentType, body := "application/json; charset=utf-8", `{"type": "error", "error": {"message": "`+sentence+`"}}`
	if how.PlainText {
		contentType, body = "text/plain; charset=utf-8", sentence
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(http.StatusTooManyRequests)
	_, _ = io.WriteString(w, body)
}

// seconds rounds up: who comes back then must find a request free.
func seconds(d time.Duration) string {
	return strconv.Itoa(int((d + time.Second - 1) / time.Second))
}
