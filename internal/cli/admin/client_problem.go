package admin

import (
	"cmp"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"windlass"
	"windlass/internal/cli/command"
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

// problemOf turns an answer that is no success into a failure of its kind.
func problemOf(resp *http.Response, body []byte) error {
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	refused := &command.Refusal{Kind: kindOfStatus(resp.StatusCode)}
	if strings.HasSuffix(media, "json") && json.Unmarshal(body, &refused.Problem) == nil &&
		cmp.Or(refused.Problem.Detail, refused.Problem.Title) != "" {
		// What the provider refused has a status that does not tell why.
		if resp.StatusCode == http.StatusUnprocessableEntity {
			slug := refused.Problem.Type[strings.LastIndexByte(refused.Problem.Type, ':')+1:]
			refused.Kind = cmp.Or(refusals[slug], refused.Kind)
		}
		return refused
	}
	text := fmt.Sprintf("the server answered %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	switch location := resp.Header.Get("Location"); {
	case resp.StatusCode/100 == 3 && location != "":
		text += ", a redirect to " + command.Clip(location) + ", which is not followed with a key: set " + command.EnvServer + " to the address itself"
	case resp.StatusCode == http.StatusNotFound:
		text += ", and not in the way of windlass: is " + command.EnvServer + " its address?"
	default:
		text += ", without saying why"
	}
	return &command.Failure{Kind: refused.Kind, Text: text}
}
