package api

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"windlass"
	"windlass/internal/input"
	"windlass/manifest"
)

// problem is the answer to a request that failed (RFC 9457), with the published
// contract's extensions.
type problem struct {
	Type       string         `json:"type" format:"uri"`
	Title      string         `json:"title"`
	Status     int            `json:"status"`
	Detail     string         `json:"detail"`
	Instance   string         `json:"instance" format:"uri"`
	Subsystem  string         `json:"subsystem"`
	Time       time.Time      `json:"time"`
	RequestID  string         `json:"requestId"`
	Causes     []string       `json:"causes,omitempty"`
	Remedy     string         `json:"remedy,omitempty"`
	Retryable  bool           `json:"retryable"`
	RetryAfter time.Time      `json:"retryAfter,omitzero"`
	Context    map[string]any `json:"context,omitempty"`
	Issues     []issue        `json:"issues,omitempty"`
}

// issue is one thing wrong with the input.
type issue struct {
	In      string         `json:"in" enum:"body,header,path,query"`
	Name    string         `json:"name,omitempty"`
	Title   string         `json:"title,omitempty"`
	Detail  string         `json:"detail"`
	Remedy  string         `json:"remedy,omitempty"`
	Context map[string]any `json:"context,omitempty"`
}

// kindOf returns the kind of an error. What has none is a defect, except that
// time ran out or the caller went away.
func kindOf(err error) windlass.Kind {
	if errors.Is(err, input.Unprocessable) {
		return unprocessable // well formed, and against a rule: the contract tells the two apart
	}
	var kind windlass.Kind
	known := errors.As(err, &kind)
	switch {
	case known && kind != windlass.Internal && kind != windlass.Canceled:
		return kind
	case errors.Is(err, context.DeadlineExceeded):
		return timedOut
	case errors.Is(err, context.Canceled), kind == windlass.Canceled:
		return windlass.Canceled
	default:
		return windlass.Internal
	}
}

// problemFor describes an error in the contract's shape.
func problemFor(err error, requestID string, now time.Time) *problem {
	kind := kindOf(err)
	v := verdictOf(kind)
	p := &problem{
		Type: problemType + v.slug, Title: v.title, Status: v.status, Retryable: v.retryable,
		Instance: "urn:uuid:" + requestID, RequestID: requestID, Subsystem: "api", Time: now.UTC(),
	}
	var retryAfter time.Duration
	upstream, said := windlass.FromProvider(err)
	if said {
		p.Subsystem, p.Detail, p.Remedy, retryAfter = "provider", upstream.Message, upstream.Remedy, upstream.RetryAfter
		p.Context = upstreamContext(upstream)
		if upstream.Kind == kind {
			p.Status = v.provider
		}
	}
	if failure, ours := windlass.Own(err); ours {
		p.addFailure(failure, upstream)
		retryAfter = max(retryAfter, failure.RetryAfter)
	}
	if problems, ok := errors.AsType[manifest.Problems](err); ok {
		p.addManifest(problems) // with their lines, which issues have no place for
	}
	if p.Detail == "" {
		p.Detail = v.title
	}
	if isServerError(p.Status) && p.Remedy == "" {
		p.Remedy = "quote the requestId to the operator of this server: its log says what happened"
	}
	if retryAfter > 0 {
		p.Retryable, p.RetryAfter = true, now.Add(retryAfter).UTC()
	}
	return p
}

// addFailure adds the texts of one of our own errors. Only texts that were made to
// be shown are: a cause of any other type may hold a query or a secret.
func (p *problem) addFailure(failure *windlass.Error, upstream *windlass.Error) {
	if failure.Message != "" {
		if p.Detail != "" {
			p.Causes = append(p.Causes, upstream.Error())
		}
		p.Detail = failure.Message
	}
	if failure.Remedy != "" {
		p.Remedy = failure.Remedy
	}
	for _, i := range failure.Issues {
		p.Issues = append(p.Issues, issue{In: placeOf(i.In), Name: i.Name, Detail: i.Message})
	}
}

func placeOf(in string) string {
	switch in {
	case "header", "path", "query":
		return in
	default:
		return "body"
	}
}

// addManifest lists what is wrong with a manifest, each with its line.
func (p *problem) addManifest(problems manifest.Problems) {
	if p.Detail == "" || p.Detail == p.Title {
		p.Detail = "the manifest has " + strconv.Itoa(len(problems)) + " problems"
		if len(problems) == 1 {
			p.Detail = "the manifest has a problem"
		}
	}
	p.Issues = nil
	for _, m := range problems {
		i := issue{In: "body", Name: m.Path, Detail: m.Message, Remedy: m.Remedy}
		if m.Line > 0 {
			i.Context = map[string]any{"line": m.Line, "column": m.Column}
		}
		p.Issues = append(p.Issues, i)
	}
}

func upstreamContext(err *windlass.Error) map[string]any {
	context := map[string]any{}
	if err.Provider.Status != 0 {
		context["providerStatus"] = err.Provider.Status
	}
	if err.Provider.RequestID != "" {
		context["providerRequestId"] = err.Provider.RequestID
	}
	if missing := err.Missing(); len(missing) > 0 {
		context["missingScopes"] = missing
	}
	return context
}

// writeProblem is the one place that answers a request that failed.
func writeProblem(w http.ResponseWriter, p *problem, now time.Time) {
	body, err := json.Marshal(p)
	if err != nil { // only a value in Context could be to blame
		p.Context = nil
		body, _ = json.Marshal(p) // strings, numbers and times always marshal
	}
	header := w.Header()
	header.Set("Content-Type", "application/problem+json")
	if !p.RetryAfter.IsZero() {
		seconds := math.Ceil(p.RetryAfter.Sub(now).Seconds())
		header.Set("Retry-After", strconv.Itoa(max(1, int(seconds))))
	}
	if p.Status == http.StatusUnauthorized {
		header.Set("WWW-Authenticate", `Bearer realm="windlass"`)
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // a caller that went away needs no answer
}
