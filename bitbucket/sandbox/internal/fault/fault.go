// Package fault makes the sandbox misbehave on demand, in the ways in which
// Bitbucket and the networks before it really do.
//
// A [Fault] says what goes wrong, for which requests, and how often;
// [ParseFault] reads one from text such as
//
//	status=502,path=/2.0/repositories/*,after=3,times=1
//
// and a [Set] holds those in force. For every request a server does this, in
// this order:
//
//  1. faults := set.Take(r), once: it uses up the counters.
//  2. For each of them, fault.Delay(r.Context(), f), and stop if it returns an error.
//  3. For each of them, if fault.Answer(w, r, f) then stop: the request is answered.
//     This covers status, redirect, html, hang and reset.
//  4. For each of them, w, finish = fault.Wrap(w, f), and finish when the handler
//     is done, the last wrapped first (defer does that). This covers cut,
//     malformed and skew, and does nothing for other kinds.
//  5. What concerns pages only the server can do: see foreign-next,
//     lossy-next, no-next, bad-next, duplicate-page, shift-page, unstable and, for the times in bodies, skew at [Kind].
//
// Breaking a connection is done by panicking with http.ErrAbortHandler, net/http's
// own way. A server in process, without connections, recovers that value and
// returns an error from its transport, or from the body once a part was sent.
package fault

import (
	"net/http"
	"regexp"
	"strings"
	"time"
)

// Kind is what goes wrong.
type Kind string

// The kinds of fault, and who applies them.
const (
	// Status answers with Fault.Status and an error body. [Answer] applies it.
	Status Kind = "status"
	// Redirect answers with Fault.Status and a Location, Fault.To, as for a thing
	// that has moved. [Answer] applies it.
	Redirect Kind = "redirect"
	// Latency waits Fault.Latency before anything else. [Delay] applies it; any
	// other kind may have a latency as well.
	Latency Kind = "latency"
	// Hang sends nothing until the client goes away. [Answer] applies it.
	Hang Kind = "hang"
	// Cut sends half of the body, or Fault.Amount bytes, and breaks the connection.
	// [Wrap] applies it.
	Cut Kind = "cut"
	// Malformed sends a body that ends well for HTTP but is not JSON. [Wrap]
	// applies it.
	Malformed Kind = "malformed"
	// HTML answers with a gateway's 502 page. [Answer] applies it.
	HTML Kind = "html"
	// ForeignNext makes the page's `next` lead to Fault.Host. The server applies it:
	// it replaces scheme and host of the link it would have sent.
	ForeignNext Kind = "foreign-next"
	// DuplicatePage serves the same page again under the next link. The server
	// applies it: `next` leads to the page being served, marked so that following
	// it continues normally.
	DuplicatePage Kind = "duplicate-page"
	// ShiftPage begins the page Fault.Amount records later, or earlier when it is
	// negative, as when records were deleted or created before it during an
	// offset-paged walk. The server applies it.
	ShiftPage Kind = "shift-page"
	// LossyNext makes the page's `next` lose the parameter Fault.Parameter. The
	// server applies it.
	LossyNext Kind = "lossy-next"
	// NoNext leaves `next` out of a page that is not the last, as BCLOUD-20639
	// reports. The server applies it.
	NoNext Kind = "no-next"
	// BadNext has an ampersand where the question mark of `next` should be. The
	// server applies it.
	BadNext Kind = "bad-next"
	// Unstable serves the page from the list in another order than the pages
	// before: turned by Fault.Amount records, so that rows repeat and others are
	// never seen, while the count stays right (BCLOUD-23644). The server applies it.
	Unstable Kind = "unstable"
	// Skew sets the server's clock off by Fault.Skew. [Wrap] shifts the Date
	// header; the server adds it to the times it generates while it handles the
	// request.
	Skew Kind = "skew"
	// Reset resets the connection without an answer. [Answer] applies it.
	Reset Kind = "reset"
)

// Kinds lists every kind, in the order of their documentation.
func Kinds() []Kind {
	return []Kind{Status, Latency, Hang, Cut, Malformed, HTML, ForeignNext, DuplicatePage, ShiftPage, LossyNext, NoNext, BadNext, Unstable, Skew, Reset, Redirect}
}

// Fault is one thing that goes wrong. Only Kind, and what that kind needs, must
// be set.
type Fault struct {
	Kind   Kind
	Method string // "" for every method
	// Path selects requests by their decoded path: * stands for any characters but
	// a slash, ** for any at all, ? for one but a slash. "" is every path.
	Path  string
	After int // so many matching requests pass first
	Times int // then so many are struck; 0 for all

	Status     int           // Status, Redirect and HTML; 0 is 500, 301 and 502
	To         string        // Redirect: its Location; none when empty
	Text       bool          // Status: plain text rather than JSON
	RetryAfter time.Duration // Status and HTML: a Retry-After header, rounded up to seconds; 0 for none
	Latency    time.Duration // any kind
	Skew       time.Duration // Skew; negative for a slow clock
	Amount     int           // Cut: bytes (0 is half the body); ShiftPage and Unstable: records (0 is 1)
	Parameter  string        // LossyNext: "" is sort
	Host       string        // ForeignNext: "" is elsewhere.example
}

// matcher is the part of a Fault that selects requests, made once.
type matcher struct {
	method string
	path   *regexp.Regexp // nil for every path
}

func newMatcher(f Fault) matcher {
	m := matcher{method: f.Method}
	if f.Path != "" {
		m.path = glob(f.Path)
	}
	return m
}

func (m matcher) matches(r *http.Request) bool {
	return (m.method == "" || strings.EqualFold(m.method, r.Method)) && (m.path == nil || m.path.MatchString(r.URL.Path))
}

// glob goes by regular expressions because those of Go take linear time.
func glob(pattern string) *regexp.Regexp {
	quoted := regexp.QuoteMeta(strings.ToValidUTF8(pattern, "\uFFFD")) // nothing else could fail to compile
	expr := strings.NewReplacer(`\*\*`, `.*`, `\*`, `[^/]*`, `\?`, `[^/]`).Replace(quoted)
	return regexp.MustCompile(`(?s)\A` + expr + `\z`)
}
