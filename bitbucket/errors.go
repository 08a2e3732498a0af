package bitbucket

import (
	"bytes"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"windlass"
	"windlass/internal/nearest"
)

// kinds is this boundary's table: what an HTTP status of Bitbucket's means.
// Statuses that are not in it are windlass.Unavailable from 500 up, and
// windlass.Malformed otherwise.
var kinds = map[int]windlass.Kind{
	http.StatusBadRequest:            windlass.Invalid,
	http.StatusUnauthorized:          windlass.Unauthorized,
	http.StatusPaymentRequired:       windlass.Forbidden, // a feature of a plan the workspace does not have
	http.StatusForbidden:             windlass.Forbidden,
	http.StatusNotFound:              windlass.NotFound,
	http.StatusMethodNotAllowed:      windlass.Invalid,
	http.StatusNotAcceptable:         windlass.Invalid,
	http.StatusConflict:              windlass.Conflict,
	http.StatusGone:                  windlass.Gone,
	http.StatusLengthRequired:        windlass.Invalid,
	http.StatusPreconditionFailed:    windlass.Conflict,
	http.StatusRequestEntityTooLarge: windlass.Invalid,
	http.StatusRequestURITooLong:     windlass.Invalid,
	http.StatusUnsupportedMediaType:  windlass.Invalid,
	http.StatusUnprocessableEntity:   windlass.Invalid,
	http.StatusTooManyRequests:       windlass.RateLimited,
	http.StatusRequestTimeout:        windlass.Unavailable, // the request took too long to arrive
	http.StatusTooEarly:              windlass.Unavailable,
}

func kindOf(code int) windlass.Kind {
	if kind, ok := kinds[code]; ok {
		return kind
	}
	if code >= http.StatusInternalServerError {
		return windlass.Unavailable
	}
	return windlass.Malformed
}

// responseError turns an answer that is not a success into one typed error.
func responseError(call call, resp *http.Response, body []byte) *windlass.Error {
	e := &windlass.Error{
		Kind: kindOf(resp.StatusCode), Op: call.op, Provider: &windlass.ProviderDetails{Status: resp.StatusCode, RequestID: requestID(resp.Header)},
	}
	parseError(body, e)
	if e.Message == "" {
		e.Message = "Bitbucket answered " + status(resp.StatusCode)
	}
	if e.Kind == windlass.RateLimited || e.Kind == windlass.Unavailable {
		e.RetryAfter, _ = retryAfter(resp.Header)
	}
	said := strings.ToLower(e.Error())
	switch {
	case e.Kind == windlass.Invalid && strings.Contains(said, "already exists"):
		e.Kind = windlass.Conflict // a repository's slug or a project's key is taken
	case (e.Kind == windlass.Invalid || e.Kind == windlass.NotFound) && strings.Contains(said, "invalid page") && !strings.Contains(said, "pagelen"):
		e.Kind = windlass.CursorExpired
	}
	if e.Remedy == "" {
		e.Remedy = remedy(call, e)
	}
	return e
}

// remedy says what the user can do about an error, as far as its kind tells.
func remedy(call call, e *windlass.Error) string {
	switch e.Kind {
	case windlass.Unauthorized:
		if call.object != nil && call.object.remedies.unauthorized != "" {
			return call.object.remedies.unauthorized
		}
		return "the credential was not accepted: it may be mistyped, expired or revoked"
	case windlass.Forbidden:
		return forbiddenRemedy(call, e)
	case windlass.NotFound:
		return "it does not exist, or this credential cannot see it; check the workspace and the id"
	case windlass.Conflict:
		if call.method == http.MethodGet || call.method == http.MethodDelete {
			return "it is being changed, or in a state that does not allow this: try again later"
		}
		return "read it first and update it by its id, or choose another name"
	case windlass.Gone:
		return "Bitbucket has removed this for good"
	case windlass.RateLimited:
		if e.RetryAfter > 0 {
			return "wait " + e.RetryAfter.String() + " and go on"
		}
		return "wait some minutes: the limit is counted over a rolling hour"
	case windlass.CursorExpired:
		return "the place to go on from is gone: begin the read again"
	case windlass.Unavailable:
		return lost(call, "Bitbucket has a problem: try again later")
	default:
		return ""
	}
}

// refused reports whether an error is about the one thing that was asked for,
// and not about the credential or the provider.
func refused(err error) bool {
	return errors.Is(err, windlass.Forbidden) || errors.Is(err, windlass.NotFound) || errors.Is(err, windlass.Gone)
}

// aboutAddresses matches what Bitbucket says when a workspace lets in only
// certain IP addresses.
var aboutAddresses = regexp.MustCompile(`(?i)\bip\b|allow-?list|white-?list`)

func forbiddenRemedy(call call, e *windlass.Error) string {
	switch {
	case len(e.Missing()) > 0:
		return "add the scope to the OAuth consumer or make a token that has it, then connect again"
	case aboutAddresses.MatchString(e.Message):
		return "the workspace lets only certain IP addresses in: its administrators have to add the one that requests come from, or to take the credential's user out of the rule"
	case call.object == nil:
		return "the credential's user lacks the role for this"
	case call.method == http.MethodDelete && call.object.remedies.undeletable != "":
		return call.object.remedies.undeletable
	case call.object.remedies.forbidden != "":
		return call.object.remedies.forbidden
	default:
		return "the credential's user lacks the role for this in the workspace"
	}
}

var htmlTitle = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)

// textOf says what a body that is not JSON says.
func textOf(body []byte) string {
	if len(body) == 0 {
		return ""
	}
	if !looksLikeHTML(body) {
		return cleanText(string(body))
	}
	if title := htmlTitle.FindSubmatch(body); title != nil {
		return cleanText("an HTML page instead of JSON, titled " + quote(cleanText(string(title[1]))))
	}
	return "an HTML page instead of JSON"
}

func looksLikeHTML(body []byte) bool {
	head := bytes.ToLower(bytes.TrimSpace(body[:min(len(body), 256)]))
	return bytes.HasPrefix(head, []byte("<!doctype html")) || bytes.HasPrefix(head, []byte("<html"))
}

// cleanText makes a stranger's text fit a line of ours: tidy, and of a bounded
// length.
func cleanText(s string) string {
	const maxRunes = 300
	s = tidy(s)
	if runes := []rune(s); len(runes) > maxRunes {
		s = string(runes[:maxRunes]) + "…"
	}
	return s
}

// tidy leaves out control characters, and makes all white space single spaces.
func tidy(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		default:
			return r
		}
	}, strings.ToValidUTF8(s, ""))
	return strings.Join(strings.Fields(s), " ")
}

// requestID is what Atlassian's support asks for.
func requestID(header http.Header) string {
	for _, name := range []string{"X-Request-Id", "X-Request-Uuid", "Atl-Traceid"} {
		if id := header.Get(name); id != "" {
			return cleanText(id)
		}
	}
	return ""
}

// quote shows a name that was typed, cut to a length that fits a line.
func quote(name string) string {
	const maxBytes = 60
	if len(name) > maxBytes {
		name = name[:maxBytes] + "…"
	}
	return strconv.Quote(name)
}

// suggest says which of the names was probably meant, or lists them all when
// none is near.
func suggest(name string, names []string) string {
	if near := nearest.To(name, names); near != "" {
		return "did you mean " + strconv.Quote(near) + "?"
	}
	return "there are: " + strings.Join(names, ", ")
}
