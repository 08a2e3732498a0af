package sandbox

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"
	"time"

	"windlass/bitbucket/sandbox/internal/fault"
)

// A Fault is one thing going wrong on demand: what, for which requests, and
// how often. ParseFault reads one; its text form is the short way to write one.
type Fault = fault.Fault

// ParseFault reads a fault from text such as
//
//	status=502,path=/2.0/repositories/*,after=3,times=1
//
// What goes wrong is one of status=N, redirect[=N], latency=D, hang, cut[=BYTES], malformed,
// html[=N], foreign-next[=HOST], lossy-next[=PARAMETER], no-next, bad-next,
// duplicate-page, shift-page[=RECORDS], unstable[=RECORDS], skew=D and reset; method, path, after and times choose the requests, and retry-after,
// to and text shape the answer. The error names what is not understood.
func ParseFault(text string) (Fault, error) { return fault.ParseFault(text) }

// Inject puts a fault in force until it is used up or ClearFaults is called. It
// applies to API requests and to the OAuth pages, never to admin calls.
func (s *Server) Inject(f Fault) { s.faults.Add(f) }

// ClearFaults takes every fault away.
func (s *Server) ClearFaults() { s.faults.Clear() }

// spoiled is what faults do to one request beyond its answer as a whole.
type spoiled struct {
	foreignNext string // host that next leads to; "" for our own
	duplicate   bool   // next leads to this page again
	shift       int    // records by which the page begins too late
	turn        int    // records by which the whole list is turned
	lost        string // parameter that next does without
	noNext      bool
	badNext     bool
	skew        time.Duration
}

// strike applies the faults in force to a request: wait, answer in our place,
// or wrap the writer. handle makes and logs the real answer; answered logs one
// that a fault gave.
func (s *Server) strike(w http.ResponseWriter, r *http.Request, answered func(status int), handle func(http.ResponseWriter, spoiled)) {
	struck := s.faults.Take(r)
	for _, f := range append([]Fault{{Kind: fault.Latency, Latency: s.options.Latency}}, struck...) {
		if fault.Delay(r.Context(), f) != nil {
			answered(0)
			panic(http.ErrAbortHandler) // there is no client left to answer
		}
	}
	for _, f := range struck {
		switch f.Kind {
		case fault.Status:
			answered(cmp.Or(f.Status, http.StatusInternalServerError))
		case fault.Redirect:
			answered(cmp.Or(f.Status, http.StatusMovedPermanently))
		case fault.HTML:
			answered(cmp.Or(f.Status, http.StatusBadGateway))
		case fault.Hang, fault.Reset:
			answered(0)
		default:
			continue
		}
		fault.Answer(w, r, f)
		return
	}
	var sp spoiled
	for _, f := range struck {
		wrapped, finish := fault.Wrap(w, f)
		w = wrapped
		defer finish()
		sp.note(f)
	}
	handle(w, sp)
}

func (sp *spoiled) note(f Fault) {
	switch f.Kind {
	case fault.ForeignNext:
		sp.foreignNext = f.Host
		if f.Host == "" {
			sp.foreignNext = "elsewhere.example"
		}
	case fault.DuplicatePage:
		sp.duplicate = true
	case fault.ShiftPage:
		sp.shift = f.Amount
		if f.Amount == 0 {
			sp.shift = 1
		}
	case fault.Unstable:
		if sp.turn = f.Amount; sp.turn == 0 {
			sp.turn = 1
		}
	case fault.LossyNext:
		sp.lost = cmp.Or(f.Parameter, "sort")
	case fault.NoNext:
		sp.noNext = true
	case fault.BadNext:
		sp.badNext = true
	case fault.Skew:
		sp.skew += f.Skew
	default: // the other kinds are dealt with before the answer or around it
	}
}

// pageWindow is the part of the list that the page shows.
func (c *call) pageWindow(p page) (from, to int) {
	from = min(max(p.from()+c.spoiled.shift, 0), p.total)
	return from, max(from, min(p.to()+c.spoiled.shift, p.total))
}

// repeated marks a next link that leads to the same page a second time, so that
// it does so only once.
const repeated = "repeated"

// entry is which one of a list's total entries stands at place i.
func (c *call) entry(i, total int) int {
	if c.spoiled.turn == 0 {
		return i
	}
	return ((i+c.spoiled.turn)%total + total) % total
}

// nextURL is the link from page number to the one after.
func (c *call) nextURL(number int) string {
	next := c.pageURL(number + 1)
	if c.spoiled.lost != "" {
		path, raw, _ := strings.Cut(next, "?")
		next = path + "?" + without(raw, c.spoiled.lost)
	}
	if c.spoiled.badNext {
		next = strings.Replace(next, "?", "&", 1)
	}
	if c.spoiled.duplicate && c.query.Get(repeated) == "" {
		next = c.pageURL(number) + "&" + repeated + "=1"
	}
	if c.spoiled.foreignNext != "" {
		if u, err := url.Parse(next); err == nil {
			u.Scheme, u.Host = "https", c.spoiled.foreignNext
			next = u.String()
		}
	}
	return next
}
