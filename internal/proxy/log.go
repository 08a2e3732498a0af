package proxy

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"windlass/internal/logkey"
)

// The keys of what is logged.
const (
	logRequest      = logkey.Request
	logMethod       = logkey.Method
	logPath         = logkey.Path
	logStatus       = logkey.Status
	logDuration     = logkey.Duration
	logFirst        = logkey.FirstByte
	logSent         = logkey.Sent
	logReceived     = logkey.Received
	logCut          = logkey.Cut
	logCaller       = logkey.Caller
	logProject      = logkey.Project
	logInstallation = logkey.Installation
)

// Seen describes one request, for metrics.
type Seen struct {
	// Provider is the name of the provider; "" when the request failed before it was known.
	Provider string
	// Status is that of the answer, ours or the provider's; 0 when there was none.
	Status int
	// Sent reports that something was sent to the provider, Ours that the answer is
	// not the provider's.
	Sent, Ours bool
	// Cut reports that the answer could not be ended.
	Cut bool
	// Took is how long it took in all, First is the time until the answer began.
	Took, First time.Duration
	// Up and Down are the bytes of the bodies, from the caller and to it.
	Up, Down int64
}

// logRequest logs a request and has it counted. The line holds the path, since without it
// an operator could not tell what was called: it names things of the customer's.
// Query, path parameters (;name=value) and headers may hold secrets and are left out.
func (x *exchange) logRequest() {
	seen := Seen{
		Provider: x.installation.Connection.Provider,
		Status:   x.answer.status, Sent: x.sending, Ours: !x.answered, Cut: x.answered && x.answer.status != 0 && !x.through,
		Took: x.proxy.now().Sub(x.began), Down: x.answer.bytes,
	}
	if !x.answer.first.IsZero() {
		seen.First = min(seen.Took, x.answer.first.Sub(x.began))
	}
	if x.body != nil {
		seen.Up = x.body.bytes.Load()
	}
	if x.proxy.config.Observe != nil {
		x.proxy.config.Observe(seen)
	}
	level := slog.LevelDebug
	if seen.Status >= http.StatusBadRequest || seen.Cut || changes(x.in.Method) {
		level = slog.LevelInfo // a change, or something that a person may have to fix
	}
	ctx := context.WithoutCancel(x.ctx)
	if !x.proxy.log.Enabled(ctx, level) {
		return
	}
	x.proxy.log.Log(ctx, level, "proxied request",
		logRequest, x.call.RequestID, logMethod, printable(x.in.Method, 20), logPath, printable(pathOf(x.to), 300),
		logStatus, seen.Status, logDuration, seen.Took, logFirst, seen.First, logSent, seen.Up, logReceived, seen.Down, logCut, seen.Cut,
		logCaller, x.call.Caller, logProject, x.call.ProjectID, logInstallation, x.installation.ID)
}

func changes(method string) bool {
	return method != http.MethodGet && method != http.MethodHead && method != http.MethodOptions
}

// pathOf is the path of a target without its parameters, which begin with a semicolon
// in a segment; a path that was refused is not repeated.
func pathOf(to *url.URL) string {
	if to == nil {
		return ""
	}
	segments := strings.Split(to.EscapedPath(), "/")
	for i, segment := range segments {
		if at := strings.IndexByte(strings.ReplaceAll(strings.ToLower(segment), "%3b", ";  "), ';'); at >= 0 {
			segments[i] = segment[:at] + ";…"
		}
	}
	return strings.Join(segments, "/")
}

// printable makes a caller's text safe for a log line.
func printable(text string, most int) string {
	if len(text) > most {
		text = text[:most] + "…"
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '�'
		}
		return r
	}, text)
}
