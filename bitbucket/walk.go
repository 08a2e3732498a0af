package bitbucket

import (
	"context"
	"errors"
	"fmt"
	"time"

	"windlass"
	"windlass/connector"
)

// readPage reads the page at p.
func (w *walker) readPage(ctx context.Context, p place) (connector.Page, error) {
	env, err := w.fetch(ctx, p.URI)
	if err != nil {
		return connector.Page{}, err
	}
	page, next, err := w.turn(p, env)
	if next != nil {
		page.Next = next.cursor()
	}
	return page, err
}

// turn makes a page of what came for p, and works out where the next one
// begins: nil after the last. It leaves Page.Next to the caller.
func (w *walker) turn(p place, env envelope) (connector.Page, *place, error) {
	if w.slid(p, env) {
		next := w.takeUp(p, env)
		return connector.Page{Size: p.total(p.Size)}, &next, nil
	}
	fresh, dropped := p.unseen(env.records)
	if p.Back && dropped == 0 && len(p.Last) > 0 && len(env.records) > 0 {
		return connector.Page{}, nil, &connector.Error{
			Kind: windlass.CursorExpired, Op: w.op,
			Message: "more records were deleted meanwhile than one page holds",
			Remedy:  "begin the read again",
		}
	}
	if p.Size < 0 {
		p.Earlier = p.Seen - dropped // a list of its own begins here
	}
	p.Size = env.size
	p.Seen += len(fresh)
	if env.size >= 0 && p.Seen-p.Earlier > 2*env.size+10*mostPage {
		return connector.Page{}, nil, w.endless(fmt.Sprintf("%d records came of a list that is said to have %d", p.Seen-p.Earlier, env.size))
	}
	next, more, err := w.next(p, env)
	if err != nil {
		return connector.Page{}, nil, err
	}
	page := connector.Page{Records: fresh, Size: p.total(env.size), Full: p.Full}
	if !more {
		return page, nil, nil
	}
	return page, &next, nil
}

// total is the size of the whole read, given that of the list being walked.
func (p place) total(size int) int {
	if size < 0 {
		return -1
	}
	return max(p.Earlier+size, p.Seen)
}

// unseen leaves out the records that the page before had, and counts them.
func (p place) unseen(records []connector.Record) ([]connector.Record, int) {
	if len(p.Last) == 0 {
		return records, 0
	}
	fresh := make([]connector.Record, 0, len(records))
	for _, record := range records {
		if !p.Last.has(mark(record)) {
			fresh = append(fresh, record)
		}
	}
	return fresh, len(records) - len(fresh)
}

// slid reports whether records may have moved over the seam between the page
// before and this one. A list in the order of a stable key grows at its end and
// shrinks anywhere; its count can stay the same over both, so that any change
// of it counts. A list in Bitbucket's own order loses records over the seam
// only when it shrinks.
func (w *walker) slid(p place, env envelope) bool {
	if p.Back || p.Size < 0 || env.size < 0 {
		return false
	}
	if w.byTime(p) || w.o.stable != "" {
		return env.size != p.Size
	}
	return env.size < p.Size
}

// takeUp is where a walk goes on after it slid: at the key of the last record
// seen, where there is one; else one page back.
func (w *walker) takeUp(p place, env envelope) place {
	p.Mark, p.Since = 0, 0 // from here on links come again
	switch {
	case p.Key != "" && w.byTime(p):
		p.URI, p.Before, p.Size = w.timeURI(parseTime(p.Key)), "", -1
	case p.Key != "" && w.o.stable != "":
		p.URI, p.Before, p.Size = w.stableURI(p.Key), "", -1
	default:
		p.URI, p.Back, p.Size = p.Before, true, env.size
	}
	return p
}

// byTime reports whether the walk is in order of change.
func (w *walker) byTime(p place) bool { return w.bounded() && !p.Full }

// next is the place after a page, and whether there is one.
func (w *walker) next(p place, env envelope) (place, bool, error) {
	if env.next == "" {
		return place{}, false, nil
	}
	uri, err := w.c.relative(w.op, env.next)
	if err != nil {
		return place{}, false, err
	}
	if uri == p.URI {
		return place{}, false, w.endless("a page names itself as the next one")
	}
	p.Before, p.URI, p.Back = p.URI, uri, false
	p.Last = make(marks, 0, len(env.records))
	for _, record := range env.records {
		p.Last = append(p.Last, mark(record))
	}
	switch {
	case w.byTime(p):
		if later := w.nextByTime(p, env); later.URI != uri {
			return later, true, nil
		}
	case env.last != "":
		p.Key = env.last
	}
	if p.circles(uri) {
		return place{}, false, w.endless("a page names one that came before as the next one")
	}
	return p, true, nil
}

// endless is the error for a list that would go on for ever.
func (w *walker) endless(message string) error {
	return &connector.Error{
		Kind: windlass.Malformed, Op: w.op, Message: message,
		Remedy: "the read stopped, since it would never end",
	}
}

// nextByTime pages by key: a new list from the time of the last record on, in
// which nothing that changes meanwhile can push another record over a seam.
// Where a page's records all have one time, or are in no order, it follows
// Bitbucket's link, which p already holds.
func (w *walker) nextByTime(p place, env envelope) place {
	n := len(env.records)
	if n == 0 {
		return p
	}
	bound := w.req.Since
	if p.Key != "" {
		bound = parseTime(p.Key)
	}
	last := env.records[n-1].Updated.Truncate(time.Microsecond) // as stamp writes it, or the walk would stand still
	for i := 1; i < n; i++ {
		if env.records[i].Updated.Before(env.records[i-1].Updated) {
			return p
		}
	}
	if !last.After(bound) {
		return p
	}
	p.Key = stamp(last)
	p.URI, p.Before, p.Size = w.timeURI(last), "", -1
	return p
}

// asError is errors.As for the one type of error of this package.
func asError(err error, target **connector.Error) bool {
	return err != nil && errors.As(err, target)
}
