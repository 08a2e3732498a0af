package proxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"windlass"
)

// An exchange is one request and its answer.
type exchange struct {
	proxy *Proxy
	call  Call
	in    *http.Request
	began time.Time
	// ctx is the context of the provider's side. It ends with the caller's, or with the
	// cause of a failure.
	ctx    context.Context //nolint:containedctx // an exchange is one request, as http.Request is
	cancel context.CancelCauseFunc

	answer *answer
	// What is watched: the request, the reading of the answer, and the writing of it;
	// the last two at once, since what was written is flushed while more is read.
	sends, receives, takes turn
	to                     *url.URL
	installation           windlass.Installation
	upstream               upstream
	credentials            windlass.Credentials
	throttle               bool
	body                   *body  // nil: none
	kept                   []byte // the body, where it is kept
	holds                  bool   // a place
	sending                bool   // something was sent
	answered               bool   // the provider has answered
	through                bool   // the answer has gone back, whole
	failed                 error  // why there is no answer
}

func newExchange(p *Proxy, w http.ResponseWriter, r *http.Request, call Call) *exchange {
	x := &exchange{proxy: p, call: call, in: r, began: p.now()}
	x.ctx, x.cancel = context.WithCancelCause(r.Context())
	x.answer = &answer{ResponseWriter: w, control: http.NewResponseController(w), turn: &x.takes, stall: p.config.Limits.Stall}
	x.sends.late, x.receives.late, x.takes.late = x.lateSending, x.lateReceiving, x.lateTaking
	return x
}

// run passes the request on. If it fails, nothing has been answered.
func (x *exchange) run() error {
	if err := x.admit(); err != nil {
		return err
	}
	// Both sides are watched from here on, for as long as it takes. What cannot be
	// lifted (a writer of a test's) needs no lifting.
	_ = x.answer.control.SetReadDeadline(time.Time{})
	_ = x.answer.control.SetWriteDeadline(time.Time{})
	if err := x.receive(); err != nil {
		return err
	}
	reverse := &httputil.ReverseProxy{
		Rewrite:        x.rewrite,
		Transport:      x,
		ModifyResponse: x.adapt,
		ErrorHandler:   func(_ http.ResponseWriter, _ *http.Request, err error) { x.failed = err },
		// Soon is soon enough where the length is known; where it is not, ReverseProxy
		// flushes each write.
		FlushInterval: 10 * time.Millisecond,
		BufferPool:    &x.proxy.buffers,
		ErrorLog:      silent,
	}
	reverse.ServeHTTP(x.answer, x.in.WithContext(x.ctx))
	x.through = x.failed == nil
	return x.failed
}

// silent discards the log of ReverseProxy: the exchange logs itself.
var silent = log.New(io.Discard, "", 0)

// admit does all checks before anything is read or sent.
func (x *exchange) admit() (err error) {
	p, header := x.proxy, x.in.Header
	if err := checkMethod(x.in); err != nil {
		return err
	}
	if x.to, err = target(x.in); err != nil {
		return err
	}
	if x.throttle, err = throttles(header); err != nil {
		return err
	}
	if x.body, err = newBody(x.in, &x.sends, p.config.Limits); err != nil {
		return err
	}
	if x.installation, err = p.installation(x.ctx, x.call.ProjectID, header); err != nil {
		return err
	}
	if x.upstream, err = p.upstream(x.installation.Connection.Provider); err != nil {
		return err
	}
	x.to = below(x.upstream.base, x.to)
	if err := p.slots.take(x.installation.Connection.ID); err != nil {
		return err
	}
	x.holds = true
	if wait := p.throttled.blocked(x.installation.Connection.ID, p.now()); x.throttle && wait > 0 {
		return throttledFor(wait)
	}
	x.credentials, err = p.credential(x.ctx, x.installation.Connection)
	return err
}

// receive reads the body where it can be kept. Where it streams, it may do so while
// the answer does; no request has that but one that needs it, since net/http must
// then not be left with an unread body on a connection that goes on (see unread).
func (x *exchange) receive() (err error) {
	if x.body == nil {
		return nil
	}
	if x.kept, err = x.body.keep(x.in); err == nil && x.kept == nil {
		_ = x.answer.control.EnableFullDuplex()
	}
	return err
}

// rewrite makes the request to the provider.
func (x *exchange) rewrite(r *httputil.ProxyRequest) {
	r.Out.URL, r.Out.Host = x.to, ""
	withoutOurs(r.Out.Header)
	r.Out.Header.Del("Connection") // which ReverseProxy has put back for h2c
	r.Out.Header.Del("Upgrade")
	switch {
	case x.kept != nil:
		r.Out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(x.kept)), nil }
		r.Out.Body, _ = r.Out.GetBody() // it never fails
	case x.body != nil:
		r.Out.Body, r.Out.Trailer = x.body, x.body.trailers
	}
}

// RoundTrip sends the request with the credential, and once more with a fresh one
// if the provider answers 401.
func (x *exchange) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := x.send(req, x.credentials)
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	x.sends.release()
	x.proxy.usable.forget(x.installation.Connection.ID)
	fresh, err := x.proxy.config.Credentials.Refused(req.Context(), x.installation.Connection, x.credentials.Version)
	switch {
	case errors.Is(err, windlass.NeedsReconnect):
		_ = resp.Body.Close() // its message is replaced by a better one
		return nil, err
	case err != nil:
		return resp, nil //nolint:nilerr // the provider's own answer is returned
	case x.body != nil && x.kept == nil:
		resp.Header.Set(headerRetryable, "true")
		return resp, nil
	}
	const little = 4 << 10
	_, _ = io.CopyN(io.Discard, resp.Body, little) // so that the connection is good for the next one
	_ = resp.Body.Close()
	again := req.Clone(req.Context())
	if req.GetBody != nil {
		again.Body, _ = req.GetBody() // it never fails
	}
	return x.send(again, fresh)
}

// send pays for a request and sends it (invariant 7).
func (x *exchange) send(req *http.Request, credentials windlass.Credentials) (*http.Response, error) {
	config := &x.proxy.config
	base := x.upstream.through
	if req.Trailer != nil {
		base = &trailing{base, req.Trailer}
	}
	signing, err := x.upstream.provider.Transport(credentials, base)
	if err != nil {
		return nil, err
	}
	if err := config.Budget.Pay(req.Context(), x.installation.Connection, credentials); err != nil {
		return nil, err
	}
	x.sending = true
	x.sends.give(provider, config.Limits.Answer)
	resp, err := signing.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	config.Budget.Learn(req.Context(), x.installation.Connection, credentials, resp)
	return resp, nil
}

// adapt turns the provider's answer into the caller's.
func (x *exchange) adapt(resp *http.Response) error {
	x.sends.settle()
	x.answered = true
	without(resp.Header, theirs)
	without(resp.Trailer, theirs) // announced; what is not, goes at the end of the body
	if x.unread() {
		resp.Header.Set("Connection", "close")
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		now := x.proxy.now()
		until := now.Add(waitOf(resp.Header, now))
		x.proxy.throttled.block(x.installation.Connection.ID, until, now)
		if x.throttle {
			tell(resp.Header, until)
		}
	}
	if resp.StatusCode != http.StatusSwitchingProtocols { // which ReverseProxy refuses: it was not asked for
		resp.Body = &stream{resp.Body, resp, &x.receives, x.proxy.config.Limits.Stall}
	}
	return nil
}

// unread reports that the answer comes before the end of the request's body. On
// HTTP/1 the connection is then of no further use: part of a body must never be
// taken for the next request, nor net/http read for one while the other is read.
func (x *exchange) unread() bool {
	return x.in.ProtoMajor == 1 && x.body != nil && !x.body.ended.Load()
}

// lateSending ends an exchange whose request or answer does not arrive in time.
func (x *exchange) lateSending(whose side) {
	if whose == provider {
		x.cancel(lateProvider)
		return
	}
	x.cancel(lateCaller)
	_ = x.answer.control.SetReadDeadline(time.Unix(1, 0)) // the read that waits ends now
}

// lateReceiving cuts an answer that the provider does not continue in time.
func (x *exchange) lateReceiving(side) { x.cancel(lateProvider) }

// lateTaking cuts an answer that the caller does not read in time.
func (x *exchange) lateTaking(side) {
	x.cancel(lateCaller)
	_ = x.answer.control.SetWriteDeadline(time.Unix(1, 0)) // the write that waits ends now
}

// finish releases everything, after success and failure.
func (x *exchange) finish() {
	x.sends.end()
	x.receives.end()
	x.takes.end()
	x.cancel(nil)
	if x.body != nil {
		_ = x.body.Close()
	}
	if x.in.Body != nil && x.in.ContentLength != 0 && (x.body == nil || !x.body.ended.Load()) {
		// The server reads on for a little, to tell whether the connection can be used
		// again; it must not be kept by that.
		const grace = 500 * time.Millisecond
		_ = x.answer.control.SetReadDeadline(time.Now().Add(grace))
	}
	if x.holds {
		x.proxy.slots.free(x.installation.Connection.ID)
	}
	x.logRequest()
}
