package auth

import (
	"encoding/json"
	"maps"
	"net/http"
)

// Failure is an answer that refuses a request, complete with its headers.
type Failure struct {
	Status      int
	ContentType string
	Body        []byte
	Header      http.Header // besides Content-Type; may be nil
	reason      string
}

// Error returns the message that the body carries.
func (f *Failure) Error() string { return f.reason }

// Write sends the failure as the answer.
func (f *Failure) Write(w http.ResponseWriter) {
	maps.Copy(w.Header(), f.Header)
	w.Header().Set("Content-Type", f.ContentType)
	w.WriteHeader(f.Status)
	_, _ = w.Write(f.Body)
}

const (
	typeJSON = "application/json; charset=utf-8"
	typeText = "text/plain; charset=utf-8"
	typeHTML = "text/html; charset=utf-8"
)

// unauthorized is a 401 in whichever form the options ask for.
func (a *Authority) unauthorized(scheme, message string) *Failure {
	f := errorBody(http.StatusUnauthorized, message, nil)
	if a.options.PlainText {
		f.ContentType, f.Body = typeText, []byte(message)
	}
	f.Header = http.Header{"Www-Authenticate": {scheme + ` realm="Bitbucket.org HTTP"`}}
	return f
}

// AppTokenRequired is the answer of the endpoints for Connect apps to any other
// credential.
func (a *Authority) AppTokenRequired() *Failure {
	return a.unauthorized("JWT", "This endpoint must use app JWT authentication")
}

// LoginRequired is the answer to a request without credentials where some are
// needed.
func (a *Authority) LoginRequired() *Failure {
	return a.unauthorized("Basic", "Authentication is required to access this resource")
}

// Forbidden is the answer when scopes are missing: it names the required ones,
// all of them as the endpoint has them, and those that were granted, without
// what these imply.
func Forbidden(p Principal, required ...string) *Failure {
	// Lists that are empty, not null.
	detail := scopeDetail{append([]string{}, p.vocabulary(required)...), append([]string{}, p.Scopes...)}
	return errorBody(http.StatusForbidden, "Your credentials lack one or more required privilege scopes.", &detail)
}

type scopeDetail struct {
	Required []string `json:"required"`
	Granted  []string `json:"granted"`
}

type errorObject struct {
	Type  string      `json:"type"`
	Error errorInside `json:"error"`
}

type errorInside struct {
	Message string       `json:"message"`
	Detail  *scopeDetail `json:"detail,omitempty"`
}

func errorBody(status int, message string, detail *scopeDetail) *Failure {
	body, err := json.Marshal(errorObject{Type: "error", Error: errorInside{message, detail}})
	if err != nil {
		body = []byte(message) // text always marshals
	}
	return &Failure{Status: status, ContentType: typeJSON, Body: body, reason: message}
}
