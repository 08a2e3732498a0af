package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"syscall"
	"time"

	"windlass"
)

// A listener is an address that is served.
type listener struct {
	net.Listener

	server *http.Server
}

// listen takes an address. That it is taken already is the one failure that
// everybody meets.
func listen(ctx context.Context, addr string, serve func(net.Listener) *listener) (*listener, error) {
	l, err := Listen(ctx, addr)
	if err != nil {
		return nil, err
	}
	return serve(l), nil
}

// Listen takes an address of this machine.
func Listen(ctx context.Context, addr string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		if outer, ok := errors.AsType[*net.OpError](err); ok {
			err = outer.Err // its address is said already
		}
		fault := &windlass.Error{
			Kind: windlass.Invalid, Op: "listen on " + addr, Err: err,
			Remedy: "give an address of this machine, as in 127.0.0.1:8080 or :8080",
		}
		switch {
		case errors.Is(err, syscall.EADDRINUSE):
			fault.Kind, fault.Message, fault.Err = windlass.Conflict, "something else listens there already", nil
			fault.Remedy = "stop it, or give another address"
		case errors.Is(err, syscall.EACCES):
			fault.Kind, fault.Message, fault.Err = windlass.Forbidden, "this user may not listen on that port", nil
			fault.Remedy = "give a port above 1023"
		}
		return nil, fault
	}
	return l, nil
}

// newHTTPServer bounds what a client may take its time over, in sending and in
// taking. The proxy watches both by itself: exempt tells its requests.
func newHTTPServer(handler http.Handler, stall time.Duration, exempt func(*http.Request) bool, log *slog.Logger) *http.Server {
	const maxHeader = 64 << 10
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true) // from whatever ends TLS before us
	return &http.Server{
		Handler:           endStalled(isolate(handler, log), stall, exempt),
		Protocols:         protocols,
		HTTP2:             &http.HTTP2Config{WriteByteTimeout: stall},
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      outside,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug), // handshakes of port scanners and the like
	}
}

// isolate keeps a request that panics from taking others with it, and says so. (The
// API answers its own panics; this is for whatever stands around it.)
func isolate(handler http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		defer func() {
			recovered := recover()
			if recovered == nil {
				return
			}
			if recovered == http.ErrAbortHandler { //nolint:errorlint,err113 // net/http itself compares it so
				panic(http.ErrAbortHandler)
			}
			log.ErrorContext(ctx, "a handler panicked", logError, fmt.Sprint(recovered), logStack, string(debug.Stack()))
			w.WriteHeader(http.StatusInternalServerError)
		}()
		handler.ServeHTTP(w, r)
	})
}

// serve answers requests until it is closed or shut down.
func (l *listener) serve() error {
	if err := l.server.Serve(l.Listener); !errors.Is(err, http.ErrServerClosed) {
		return &windlass.Error{Kind: windlass.Internal, Op: "serve " + l.Addr().String(), Err: err}
	}
	return nil
}

// stop lets running requests end, and breaks them off when ctx ends.
func (l *listener) stop(ctx context.Context) error {
	err := l.server.Shutdown(ctx)
	if err != nil {
		return errors.Join(err, l.server.Close())
	}
	return nil
}
