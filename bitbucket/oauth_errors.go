package bitbucket

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"

	"windlass"
)

// maxToken is the largest answer of the token endpoint that is read. Access
// tokens of 2,600 characters have been seen.
const maxToken = 256 << 10

const consentAgain = "the customer has to connect again"

// ear sends one request and keeps what was answered, so that the answer can be
// judged by itself: the library's own errors hold the whole of it, tokens and
// all.
type ear struct {
	base   http.RoundTripper
	status int
	header http.Header
	body   []byte
	broken error // why the body did not come whole
}

// RoundTrip implements http.RoundTripper.
func (e *ear) RoundTrip(req *http.Request) (*http.Response, error) {
	base := e.base
	if base == nil {
		base = http.DefaultTransport
	}
	resp, err := base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	e.status, e.header = resp.StatusCode, resp.Header
	e.body, err = io.ReadAll(io.LimitReader(resp.Body, maxToken+1))
	_ = resp.Body.Close() // the read's own error is the one that counts
	if err == nil && len(e.body) > maxToken {
		err = errors.New("the answer is far larger than a token")
	}
	if e.broken = err; err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(e.body))
	return resp, nil
}

// The codes of RFC 6749, sections 4.1.2.1 and 5.2, that say what is wrong with
// the client rather than with what it sent. Bitbucket answers the first, the
// document names the second.
var clientCodes = []string{
	"unauthorized_client", "invalid_client", "unsupported_grant_type", "unsupported_response_type", "invalid_scope",
}

// What a refusal speaks of, where its code does not tell.
var (
	ofTheApp = regexp.MustCompile(`(?i)(^|[^a-z])(client|consumer|application|call-?back|redirect[_ ]ur[il])`)
	ofAToken = regexp.MustCompile(`(?i)(^|[^a-z])(token|code|grant|consent|authori[sz]ation)`)
)

// passingCodes are errors that may pass although they come with a 400: RFC 6749
// has them for the consent page, RFC 8628 the last one.
var passingCodes = []string{"server_error", "temporarily_unavailable", "slow_down"}

// judge says what a failed request to the token endpoint means. It is careful in
// one direction: a customer is sent to consent again only for an answer that
// came whole and can hardly mean anything else.
func (e *ear) judge(ctx context.Context, op string, app windlass.ProviderApp, cause error, sent string) error {
	if e.status == 0 || e.broken != nil && ctx.Err() != nil {
		return unreached(ctx, op, cause)
	}
	var rfc struct {
		Code string `json:"error"`
	}
	_ = json.Unmarshal(e.body, &rfc) // not RFC 6749's: the code stays empty
	failed := &windlass.Error{Kind: windlass.Unavailable, Op: op, Provider: &windlass.ProviderDetails{Status: e.status, RequestID: requestID(e.header)}}
	success := e.status >= 200 && e.status < 300
	if !success || rfc.Code != "" { // of what claims to be a success and is not, nothing is shown
		parseError(e.body, failed)
	}
	said := *failed
	said.Op = "" // which speaks of tokens itself
	switch {
	case slices.Contains(clientCodes[:2], rfc.Code):
		failed.Kind = windlass.Unauthorized
		failed.Remedy = "Bitbucket does not accept the client id and secret of the provider app " + quote(nameOf(app)) +
			": compare them with the OAuth consumer's key and secret"
	case e.status == http.StatusTooManyRequests:
		failed.Kind = windlass.RateLimited
		failed.RetryAfter, _ = retryAfter(e.header)
		failed.Remedy = "wait and try again"
	case e.refuses(rfc.Code, success) && e.blamesToken(rfc.Code, said.Error()):
		failed.Kind = windlass.NeedsReconnect
		failed.Remedy = consentAgain
	case e.refuses(rfc.Code, success):
		// Of the client, of its callback, or of nothing in particular: what cannot
		// be read as a refused token is not held against one customer.
		failed.Kind = windlass.Unauthorized
		failed.Remedy = "check the OAuth consumer of the provider app " + quote(nameOf(app)) +
			" in Bitbucket: that it is there and enabled, its callback URL, its key and its secret"
	default:
		failed.RetryAfter, _ = retryAfter(e.header)
		failed.Remedy = "try again later"
	}
	if failed.Message == "" {
		failed.Message = e.described(success)
	}
	return masked(failed, sent, app.ClientSecret.Reveal())
}

// refuses reports whether the answer is a whole refusal, and not one that passes.
func (e *ear) refuses(code string, success bool) bool {
	if e.garbled() || slices.Contains(passingCodes, code) {
		return false
	}
	switch {
	case e.status == http.StatusBadRequest, e.status == http.StatusUnauthorized:
		return true
	case success:
		return code != ""
	default: // a firewall, a page that has moved: they refuse nothing in particular
		return code == "invalid_grant" || e.status < http.StatusInternalServerError && ofTheApp.Match(e.body)
	}
}

// blamesToken reports whether a refusal is of the refresh token or the code, and
// not of the app that sent it. "Invalid refresh_token" was an invalid_request in
// 2017. A 401 without a code is about the client's own credentials (RFC 6749,
// section 5.2): the token travels in the form.
func (e *ear) blamesToken(code, said string) bool {
	if slices.Contains(clientCodes, code) || ofTheApp.MatchString(said) {
		return false
	}
	return code == "invalid_grant" || e.status != http.StatusUnauthorized && ofAToken.MatchString(said)
}

// garbled reports whether the body is a gateway's page, or breaks off.
func (e *ear) garbled() bool {
	return e.broken != nil || looksLikeHTML(e.body) || !json.Valid(e.body) && bytes.HasPrefix(bytes.TrimSpace(e.body), []byte("{"))
}

// described says what came instead of tokens, without showing any of it.
func (e *ear) described(success bool) string {
	switch {
	case looksLikeHTML(e.body):
		return "Bitbucket answered with an HTML page instead of a token"
	case success:
		return "Bitbucket's answer broke off, or is not a token"
	default:
		return "Bitbucket answered " + status(e.status)
	}
}

// unreached is the error for a request that got no answer.
func unreached(ctx context.Context, op string, cause error) error {
	if ctx.Err() != nil {
		return canceled(ctx, op)
	}
	if wrapped, ok := errors.AsType[*url.Error](cause); ok {
		cause = wrapped.Err
	}
	return &windlass.Error{
		Kind: windlass.Unavailable, Op: op,
		Message: "Bitbucket could not be reached: " + cleanText(cause.Error()), Remedy: "try again later", Err: cause, Provider: &windlass.ProviderDetails{},
	}
}

func nameOf(app windlass.ProviderApp) string {
	if app.ExternalRef != "" {
		return app.ExternalRef
	}
	return app.ID
}
