package sandbox

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
)

// Transport serves requests in-process, without a socket, whatever host they
// name: https://api.bitbucket.org/2.0/… and https://bitbucket.org/site/… both
// arrive here. An answer can be read while it is being written, and a request
// whose context ends fails with the context's error.
func (s *Server) Transport() http.RoundTripper { return transport{s} }

type transport struct{ server *Server }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	if err := ctx.Err(); err != nil {
		closeBody(r)
		return nil, err
	}
	reader, writer := io.Pipe()
	w := &responseWriter{header: http.Header{}, body: writer, started: make(chan struct{})}
	go func() {
		defer closeBody(r)
		defer w.finish()
		defer func() {
			switch v := recover(); v {
			case nil:
			case http.ErrAbortHandler: // how a handler breaks the connection
				w.broken = io.ErrUnexpectedEOF
			default:
				w.broken = fmt.Errorf("sandbox: handler panicked: %v", v)
			}
		}()
		t.server.ServeHTTP(w, serverRequest(r))
	}()
	// Both ends learn of a cancelled context: a blocked handler and a blocked
	// reader.
	stop := context.AfterFunc(ctx, func() {
		_ = writer.CloseWithError(ctx.Err())
		_ = reader.CloseWithError(ctx.Err())
	})
	select {
	case <-w.started:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if w.status == 0 {
		stop()
		return nil, w.broken
	}
	return w.response(r, &responseBody{ReadCloser: reader, stop: stop, ctx: ctx}), nil
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
}

// serverRequest is what a server would have made of a client's request.
func serverRequest(r *http.Request) *http.Request {
	in := r.Clone(r.Context())
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	if r.URL.Scheme == "https" {
		in.TLS = &tls.ConnectionState{HandshakeComplete: true, ServerName: r.URL.Hostname()}
	}
	in.RequestURI = r.URL.RequestURI()
	in.RemoteAddr = "192.0.2.1:1234"
	in.Proto, in.ProtoMajor, in.ProtoMinor = "HTTP/1.1", 1, 1
	switch {
	case r.Body == nil || r.Body == http.NoBody:
		in.Body = http.NoBody
	case r.ContentLength == 0:
		// A client's zero with a body means "unknown": it would be chunked.
		in.ContentLength = -1
	}
	return in
}
