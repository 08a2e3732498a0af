package bitbucket

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"windlass"
	"windlass/connector"
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
func responseError(call call, resp *http.Response, body []byte) *connector.Error {
	e := &connector.Error{
		Kind: kindOf(resp.StatusCode), Op: call.op, Status: resp.StatusCode,
		RequestID: requestID(resp.Header),
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

// remedy says what somebody can do about an error, as far as its kind tells.
func remedy(call call, e *connector.Error) string {
	switch e.Kind {
	case windlass.Unauthorized:
		if call.object != nil && call.object.name == "addon/linkers" {
			return "addon/linkers answers only the JWT of a Connect app: use the app's key, client key and shared secret"
		}
		return "the credential was not accepted: it may be mistyped, expired or revoked"
	case windlass.Forbidden:
		return forbiddenRemedy(call, e)
	case windlass.NotFound:
		return "it does not exist, or this credential cannot see it; check the workspace and the id"
	case windlass.Conflict:
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

func forbiddenRemedy(call call, e *connector.Error) string {
	switch {
	case len(e.Missing()) > 0:
		return "add the scope to the OAuth consumer or make a token that has it, then connect again"
	case call.object == nil:
		return "the credential's user lacks the role for this"
	case call.object.name == "projects" && call.method == http.MethodDelete:
		return "a project that still has repositories cannot be deleted: move or delete them first"
	case call.object.name == "hooks":
		return "only the workspace's owners may see or change its webhooks"
	default:
		return "the credential's user lacks the role for this in the workspace"
	}
}

// errorBody is the shape that Bitbucket's error bodies vary upon: detail is a
// string or an object, a field's problem a string or a list, data may stand
// beside error, and error itself may be a bare string (OAuth, RFC 6749).
type errorBody struct {
	Message string          `json:"message"`
	Error   json.RawMessage `json:"error"`
	Data    json.RawMessage `json:"data"`
	// Description is RFC 6749's.
	Description string `json:"error_description"`
}

type innerError struct {
	Message string                     `json:"message"`
	Detail  json.RawMessage            `json:"detail"`
	Fields  map[string]json.RawMessage `json:"fields"`
	Data    json.RawMessage            `json:"data"`
}

// parseError fills in what an error body says. It takes any body whatever.
func parseError(body []byte, e *connector.Error) {
	body = bytes.TrimSpace(body)
	var outer errorBody
	if len(body) == 0 || body[0] != '{' || json.Unmarshal(body, &outer) != nil {
		e.Message = textOf(body)
		return
	}
	e.Message = cleanText(outer.Message)
	var inner innerError
	var word string
	switch {
	case json.Unmarshal(outer.Error, &word) == nil && word != "":
		e.Message = cleanText(strings.TrimSpace(word + ": " + outer.Description))
	case json.Unmarshal(outer.Error, &inner) == nil:
		if inner.Message != "" {
			e.Message = cleanText(inner.Message)
		}
	default:
		inner = looseError(outer.Error)
	}
	if inner.Data == nil {
		inner.Data = outer.Data
	}
	fillDetail(inner.Detail, e)
	for _, name := range slices.Sorted(maps.Keys(inner.Fields)) {
		if len(e.Fields) == mostFields {
			break
		}
		if problems := stringOrList(inner.Fields[name]); len(problems) > 0 {
			if e.Fields == nil {
				e.Fields = map[string][]string{}
			}
			e.Fields[cleanText(name)] = problems
		}
	}
	var data struct {
		URL string `json:"announcement_url"`
	}
	if json.Unmarshal(inner.Data, &data) == nil && data.URL != "" {
		e.Remedy = "Bitbucket has removed this for good; see " + cleanText(data.URL)
	}
}

// looseError reads an error object whose members have unexpected types, one
// member at a time.
func looseError(raw json.RawMessage) innerError {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return innerError{}
	}
	inner := innerError{Detail: members["detail"], Data: members["data"]}
	_ = json.Unmarshal(members["message"], &inner.Message) // not a string: left empty
	_ = json.Unmarshal(members["fields"], &inner.Fields)   // not an object: left empty
	return inner
}

// fillDetail reads detail: more text, or the scopes required and granted.
func fillDetail(raw json.RawMessage, e *connector.Error) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		if text = cleanText(text); text != "" && !strings.Contains(e.Message, text) {
			e.Message = strings.TrimRight(e.Message, ".: ")
			if e.Message != "" {
				e.Message += ": "
			}
			e.Message += text
		}
		return
	}
	var scopes struct {
		Required json.RawMessage `json:"required"`
		Granted  json.RawMessage `json:"granted"`
	}
	if json.Unmarshal(raw, &scopes) == nil {
		e.Required, e.Granted = stringOrList(scopes.Required), stringOrList(scopes.Granted)
	}
}

// An error is a line for a person: what a stranger lists in it is bounded. There
// are some forty scopes.
const (
	mostFields = 10
	mostScopes = 50
)

// stringOrList reads a string, or a list of strings, as a list.
func stringOrList(raw json.RawMessage) []string {
	var many []string
	var one string
	switch {
	case json.Unmarshal(raw, &many) == nil:
		many = many[:min(len(many), mostScopes)]
		for i := range many {
			many[i] = cleanText(many[i])
		}
		return many
	case json.Unmarshal(raw, &one) == nil && one != "":
		return []string{cleanText(one)}
	default:
		return nil
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
	const most = 300
	s = tidy(s)
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "…"
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
