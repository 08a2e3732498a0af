package sandbox

import "net/http"

// A failure is an answer that is an error. Handlers return it; one place
// writes it.
type failure struct {
	status int
	header http.Header
	body   object  // nil means text
	text   string  // a plain-text body
	sent   *answer // or the whole answer, made elsewhere
}

func (f *failure) Error() string {
	if f.sent != nil {
		return string(f.sent.body)
	}
	return string(answerTo(f).body)
}

// fail is the usual error body, with only a message.
func fail(status int, message string, more ...pair) *failure {
	return &failure{status: status, body: object{
		{"type", "error"},
		{"error", append(object{{"message", message}}, more...)},
	}}
}

// failDoubled repeats data beside error, as the 410 of CHANGE-2770 does.
func failDoubled(status int, message, detail string, data object) *failure {
	f := fail(status, message, pair{"detail", detail}, pair{"data", data})
	f.body = append(f.body, pair{"data", data})
	return f
}

// failText is an error in plain text, which Bitbucket's outer layers send.
func failText(status int, text string) *failure { return &failure{status: status, text: text} }

// invalid names the field at fault in a list of sentences.
func invalid(field, why string) *failure {
	return fail(http.StatusBadRequest, field+": "+why, pair{"fields", object{{field, list{why}}}})
}

// badRequest names the field at fault in one sentence, as the endpoints of
// projects do.
func badRequest(field, why string) *failure {
	return fail(http.StatusBadRequest, "Bad request", pair{"fields", object{{field, why}}})
}

func notFound(message string) *failure { return fail(http.StatusNotFound, message) }

func forbidden(message string) *failure { return fail(http.StatusForbidden, message) }

const (
	messageNoRoute   = "Resource not found"
	detailNoRoute    = "There is no API hosted at this URL"
	messageGone      = "CHANGE-2770 - Functionality has been deprecated"
	detailGone       = "Please read the changelog entry for more details."
	urlGone          = "https://developer.atlassian.com/cloud/bitbucket/changelog#CHANGE-2770"
	messageNotOwner  = "Only owners of the workspace may do this."
	messageNoAccess  = "You may not see this repository."
	messageBadPage   = "Invalid page"
	messageBadLength = "Invalid pagelen"
	messageBadJSON   = "The request body is not a JSON object."
	required         = "required key not provided"
)

func noRoute(plain bool) *failure {
	if plain {
		return failText(http.StatusNotFound, messageNoRoute)
	}
	return fail(http.StatusNotFound, messageNoRoute, pair{"detail", detailNoRoute})
}
