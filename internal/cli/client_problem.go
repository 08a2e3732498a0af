package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"windlass"
)

// statuses is the one table from the statuses of a server's answers to kinds.
// What is not in it, is what its class is.
var statuses = map[int]windlass.Kind{
	http.StatusUnauthorized:       windlass.Unauthorized,
	http.StatusForbidden:          windlass.Forbidden,
	http.StatusNotFound:           windlass.NotFound,
	http.StatusConflict:           windlass.Conflict,
	http.StatusPreconditionFailed: windlass.Conflict,
	http.StatusGone:               windlass.Gone,
	http.StatusTooManyRequests:    windlass.RateLimited,
	http.StatusBadGateway:         windlass.Malformed,
	http.StatusServiceUnavailable: windlass.Unavailable,
	http.StatusGatewayTimeout:     windlass.Unavailable,
}

// refusals are the kinds of what the provider refused, by the end of a problem's type.
var refusals = map[string]windlass.Kind{
	"unauthorized":    windlass.Unauthorized,
	"needs-reconnect": windlass.NeedsReconnect,
	"forbidden":       windlass.Forbidden,
	"not-found":       windlass.NotFound,
	"gone":            windlass.Gone,
	"cursor-expired":  windlass.CursorExpired,
}

func kindOfStatus(status int) windlass.Kind {
	kind, known := statuses[status]
	switch {
	case known:
		return kind
	case status/100 == 4:
		return windlass.Invalid
	case status/100 == 3:
		return windlass.Invalid // the address is not quite the server's
	default:
		return windlass.Internal
	}
}

// serverProblem is an answer of application/problem+json.
type serverProblem struct {
	Type      string        `json:"type"`
	Title     string        `json:"title"`
	Detail    string        `json:"detail"`
	Subsystem string        `json:"subsystem"`
	RequestID string        `json:"requestId"`
	Causes    []string      `json:"causes"`
	Remedy    string        `json:"remedy"`
	Issues    []serverIssue `json:"issues"`
}

// serverIssue is one thing wrong with what was sent.
type serverIssue struct {
	In      string `json:"in"`
	Name    string `json:"name,omitempty"`
	Detail  string `json:"detail"`
	Remedy  string `json:"remedy,omitempty"`
	Context struct {
		Line   int `json:"line"`
		Column int `json:"column"`
	} `json:"context,omitzero"`
}

// refusal is a server's answer that something did not work.
type refusal struct {
	kind    windlass.Kind
	problem serverProblem
}

// Error is one line: what is wrong, where, and what to do.
func (r *refusal) Error() string {
	p := &r.problem
	var text strings.Builder
	text.WriteString(firstOf(p.Detail, p.Title))
	for _, issue := range p.Issues {
		if issue.Detail == p.Detail {
			continue // it is said already
		}
		place := issue.Name
		if issue.Context.Line > 0 {
			place = fmt.Sprintf("%d:%d", issue.Context.Line, issue.Context.Column)
		}
		if place != "" {
			place += ": "
		}
		text.WriteString(" (" + place + strings.Join(without([]string{issue.Detail, issue.Remedy}, []string{""}), ": ") + ")")
	}
	for _, cause := range p.Causes {
		if strings.Contains(text.String(), cause) {
			continue
		}
		text.WriteString(": " + cause)
	}
	if p.Remedy != "" {
		text.WriteString("; " + p.Remedy)
	}
	if r.kind == windlass.Internal && p.RequestID != "" {
		text.WriteString(" (request " + p.RequestID + ")")
	}
	return text.String()
}

func (r *refusal) Unwrap() error { return r.kind }

// problemOf turns an answer that is no success into a failure of its kind.
func problemOf(resp *http.Response, body []byte) error {
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	refused := &refusal{kind: kindOfStatus(resp.StatusCode)}
	if strings.HasSuffix(media, "json") && json.Unmarshal(body, &refused.problem) == nil &&
		firstOf(refused.problem.Detail, refused.problem.Title) != "" {
		// What the provider refused has a status that does not tell why.
		if resp.StatusCode == http.StatusUnprocessableEntity {
			slug := refused.problem.Type[strings.LastIndexByte(refused.problem.Type, ':')+1:]
			refused.kind = cmp.Or(refusals[slug], refused.kind)
		}
		return refused
	}
	text := fmt.Sprintf("the server answered %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	switch location := resp.Header.Get("Location"); {
	case resp.StatusCode/100 == 3 && location != "":
		text += ", a redirect to " + clip(location) + ", which is not followed with a key: set " + envServer + " to the address itself"
	case resp.StatusCode == http.StatusNotFound:
		text += ", and not in the way of windlass: is " + envServer + " its address?"
	default:
		text += ", without saying why"
	}
	return &failure{kind: refused.kind, text: text}
}
