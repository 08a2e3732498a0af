package fault

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Delay waits for the fault's latency. It returns early, with the context's
// error, when the client goes away.
func Delay(ctx context.Context, f Fault) error {
	if f.Latency <= 0 {
		return nil
	}
	timer := time.NewTimer(f.Latency)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Answer gives the whole answer for the kinds that replace it (status,
// redirect, html, hang, reset) and reports whether it did. For reset, and when a hang ends, it
// does not return but panics with http.ErrAbortHandler.
func Answer(w http.ResponseWriter, r *http.Request, f Fault) bool {
	switch f.Kind {
	case Status:
		answerStatus(w, f)
	case Redirect:
		answerRedirect(w, f)
	case HTML:
		answerHTML(w, f)
	case Hang:
		// An unread body would keep net/http from noticing that the client left.
		if r.Body != nil {
			_, _ = io.Copy(io.Discard, r.Body)
		}
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case Reset:
		reset(w)
	default:
		return false
	}
	return true
}

func answerStatus(w http.ResponseWriter, f Fault) {
	code := f.Status
	if code == 0 {
		code = http.StatusInternalServerError
	}
	setRetryAfter(w.Header(), f.RetryAfter)
	message := http.StatusText(code)
	if code == http.StatusTooManyRequests {
		message = "Rate limit for this resource has been exceeded"
	}
	if f.Text {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, message)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	if code == http.StatusNoContent || code == http.StatusNotModified {
		return
	}
	_, _ = fmt.Fprintf(w, `{"type": "error", "error": {"message": %q}}`, message)
}

func answerRedirect(w http.ResponseWriter, f Fault) {
	code := f.Status
	if code == 0 {
		code = http.StatusMovedPermanently
	}
	if f.To != "" {
		w.Header().Set("Location", f.To)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
}

func answerHTML(w http.ResponseWriter, f Fault) {
	code := f.Status
	if code == 0 {
		code = http.StatusBadGateway
	}
	setRetryAfter(w.Header(), f.RetryAfter)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_, _ = fmt.Fprintf(w, "<!DOCTYPE html>\n<html lang=\"en\"><head><title>%[1]d %[2]s</title></head>\n"+
		"<body><h1>%[2]s</h1><p>The server could not be reached. Please try again.</p></body></html>\n", code, http.StatusText(code))
}

func setRetryAfter(h http.Header, wait time.Duration) {
	if wait > 0 {
		h.Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	}
}

// reset drops the connection so that the client sees a reset rather than an
// orderly end, where there is a connection to drop.
func reset(w http.ResponseWriter) {
	if hijacker, ok := w.(http.Hijacker); ok {
		if conn, _, err := hijacker.Hijack(); err == nil {
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0) // close with RST, not FIN
			}
			_ = conn.Close()
		}
	}
	panic(http.ErrAbortHandler)
}
