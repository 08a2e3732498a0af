package bitbucket

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"windlass"
	"windlass/connector"
)

// maxErrorBody is how much of an error's body is read.
const maxErrorBody = 64 << 10

// call is one request to the API.
type call struct {
	op     string // for the error: "read repositories"
	method string
	uri    string // path and query below the API's base URL
	body   []byte
	kind   string // the body's Content-Type; empty means JSON
	object *object
}

// answer is a successful response.
type answer struct {
	status int
	header http.Header
	body   []byte
	mended bool // bytes that are not UTF-8 were replaced
}

// do sends one request and returns its answer, or a *windlass.Error.
func (c *Connector) do(ctx context.Context, call call) (answer, error) {
	target, err := c.url(call.uri)
	if err != nil {
		return answer{}, inOp(call.op, err)
	}
	var body io.Reader
	if call.body != nil {
		body = bytes.NewReader(call.body) // a known length: Bitbucket answers 411 to a chunked body
	}
	req, err := http.NewRequestWithContext(ctx, call.method, target.String(), body)
	if err != nil {
		return answer{}, &windlass.Error{Kind: windlass.Invalid, Op: call.op, Err: err, Provider: &windlass.ProviderDetails{}}
	}
	req.Header.Set("User-Agent", c.agent)
	req.Header.Set("Accept", "application/json")
	if call.body != nil {
		kind := call.kind
		if kind == "" {
			kind = "application/json"
		}
		req.Header.Set("Content-Type", kind)
	}
	sending, attempts := connector.WithAttempts(ctx)
	resp, err := c.client.Do(req.WithContext(sending))
	if err != nil {
		return answer{}, networkError(ctx, call, err)
	}
	defer func() { _ = resp.Body.Close() }() // read to the end or given up on: nothing left to learn from it
	if isRedirect(resp.StatusCode) {
		return answer{}, inOp(call.op, c.redirected(call.method, resp))
	}
	if resp.StatusCode == http.StatusNotFound && call.method == http.MethodDelete && attempts.Doubtful() {
		return answer{status: resp.StatusCode, header: resp.Header}, nil // it was deleted by the attempt whose answer was lost
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody)) // a cut error body still says something
		return answer{}, masked(responseError(call, resp, text), secretsIn(resp.Request)...)
	}
	data, err := connector.ReadBody(resp)
	if err != nil {
		return answer{}, cutError(ctx, call, resp, err)
	}
	a := answer{status: resp.StatusCode, header: resp.Header, body: data}
	if !utf8.Valid(data) {
		// JSON is UTF-8 (RFC 8259), and what is made of this is signed and read by others.
		a.body, a.mended = bytes.ToValidUTF8(data, []byte("\uFFFD")), true
	}
	return a, nil
}

// url turns a path and query below the API's base into a URL, and makes sure
// that it is below it (invariant 6).
func (c *Connector) url(uri string) (*url.URL, error) {
	target, err := url.Parse(c.api.String() + uri)
	if err != nil || !strings.HasPrefix(uri, "/") || !c.below(target) {
		return nil, &windlass.Error{Kind: windlass.Invalid, Message: "the path does not lead into the API", Provider: &windlass.ProviderDetails{}}
	}
	return target, nil
}

// below reports whether a URL is on the API's host and under its base path.
func (c *Connector) below(target *url.URL) bool {
	path := target.EscapedPath()
	for part := range strings.SplitSeq(target.Path, "/") {
		if part == ".." || part == "." {
			return false
		}
	}
	return sameHost(c.api, target) && target.User == nil &&
		strings.HasPrefix(path, c.api.EscapedPath()+"/")
}

// relative turns a link that Bitbucket returned into a path and query below the
// API's base. It refuses links that lead anywhere else (invariant 6).
func (c *Connector) relative(op, link string) (string, error) {
	target, err := url.Parse(link)
	if err != nil {
		return "", &windlass.Error{
			Kind: windlass.Malformed, Op: op,
			Message: "the link to the next page is not a URL", Provider: &windlass.ProviderDetails{},
		}
	}
	if !c.below(target) {
		return "", &windlass.Error{
			Kind: windlass.Malformed, Op: op,
			Message: "the link to the next page leads to " + cleanText(origin(target)) + " instead of " + c.api.String(),
			Remedy:  "it was not followed; if the API is behind another address, use that address as the API's URL", Provider: &windlass.ProviderDetails{},
		}
	}
	uri := strings.TrimPrefix(target.EscapedPath(), c.api.EscapedPath())
	if target.RawQuery != "" {
		uri += "?" + target.RawQuery
	}
	return uri, nil
}

// networkError turns what http.Client.Do returned into a *windlass.Error.
func networkError(ctx context.Context, call call, err error) error {
	if known, ok := windlass.FromProvider(err); ok { // the Transport's own refusal
		return inOp(call.op, known)
	}
	if ctx.Err() != nil {
		return canceled(ctx, call.op)
	}
	if kind, ok := errors.AsType[windlass.Kind](err); ok { // the credential's: it could not be had
		return &windlass.Error{Kind: kind, Op: call.op, Err: err, Provider: &windlass.ProviderDetails{}}
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // the URL says nothing that op does not, and can be long
	}
	if errors.Is(err, connector.ErrTooLarge) { // which Retry found out; trying again does not help
		return &windlass.Error{Kind: windlass.Malformed, Op: call.op, Message: connector.ErrTooLarge.Error(), Err: err, Provider: &windlass.ProviderDetails{}}
	}
	message := "Bitbucket could not be reached: " + err.Error()
	if broken, ok := errors.AsType[*connector.BrokenError](err); ok {
		message = broken.Error()
	}
	return &windlass.Error{
		Kind: windlass.Unavailable, Op: call.op,
		Message: cleanText(message),
		Remedy:  lost(call, "try again later"),
		Err:     err, Provider: &windlass.ProviderDetails{},
	}
}

// cutError is the error for an answer that stopped in the middle.
func cutError(ctx context.Context, call call, resp *http.Response, err error) error {
	if ctx.Err() != nil {
		return canceled(ctx, call.op)
	}
	message, remedy := (&connector.BrokenError{Err: err}).Error(), "try again"
	if errors.Is(err, connector.ErrTooLarge) {
		message, remedy = err.Error(), ""
	}
	return &windlass.Error{
		Kind: windlass.Malformed, Op: call.op, Provider: &windlass.ProviderDetails{Status: resp.StatusCode, RequestID: requestID(resp.Header)},
		Message: cleanText(message),
		Remedy:  lost(call, remedy),
		Err:     err,
	}
}

func canceled(ctx context.Context, op string) error {
	kind := windlass.Canceled
	message := "interrupted"
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		kind, message = windlass.Unavailable, "no answer within the time allowed"
	}
	return &windlass.Error{Kind: kind, Op: op, Message: message, Err: context.Cause(ctx), Provider: &windlass.ProviderDetails{}}
}

// lost warns that a write whose answer did not arrive may have happened.
func lost(call call, remedy string) string {
	if call.method == http.MethodGet {
		return remedy
	}
	return "the " + call.op + " may have happened all the same: look before trying again"
}

// inOp adds the operation to an error that does not name one yet.
func inOp(op string, err error) error {
	if known, ok := windlass.FromProvider(err); ok && known.Op == "" {
		named := *known
		named.Op = op
		return &named
	}
	return err
}

// status shows an HTTP status with its name.
func status(code int) string {
	if name := http.StatusText(code); name != "" {
		return strconv.Itoa(code) + " " + name
	}
	return strconv.Itoa(code)
}
