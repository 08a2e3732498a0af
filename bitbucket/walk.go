package bitbucket

import (
	"context"
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
	if err != nil {
		return connector.Page{}, err
	}
	page.Notes = append(page.Notes, env.notes()...)
	return w.close(ctx, p, page, next)
}

// turn makes a page of what came for p, and works out where the next one
// begins: nil after the last. It leaves Page.Next to the caller.
func (w *walker) turn(p place, env envelope) (connector.Page, *place, error) {
	if page, next := w.mistrust(p, env); next != nil {
		return page, next, nil
	}
	fresh, dropped := p.unseen(env.records)
	if p.Back && dropped == 0 && len(p.Last) > 0 && len(env.records) > 0 {
		return connector.Page{}, nil, &windlass.Error{
			Kind: windlass.CursorExpired, Op: w.op,
			Message: "more records were deleted meanwhile than one page holds",
			Remedy:  "begin the read again", Provider: &windlass.ProviderDetails{},
		}
	}
	if p.Size < 0 {
		p.Earlier = p.Seen - dropped // a list of its own begins here
	}
	if p.Seen == 0 && p.First == 0 {
		p.First = env.size
	}
	p.Size = env.size
	p.Seen += len(fresh)
	if env.size >= 0 && p.Seen-p.Earlier > 2*env.size+10*maxPage {
		return connector.Page{}, nil, w.endless(fmt.Sprintf("%d records came of a list that is said to have %d", p.Seen-p.Earlier, env.size))
	}
	page := connector.Page{Records: fresh, Size: p.total(env.size), Full: p.Full}
	if w.byStable(p) && env.jumbled {
		p.Unkeyed = true
		page.Notes = append(page.Notes, "The records came in another order than by "+w.o.stable+
			", which was asked for: the read follows the provider's links.")
	}
	next, notes, err := w.next(p, env, len(fresh))
	if err != nil {
		return connector.Page{}, nil, err
	}
	page.Notes = append(page.Notes, notes...)
	page.Keyed = next == nil || next.Link != ""
	return page, next, nil
}

// mistrust returns where to go on when what came for p is not to be used: it has
// slid, or the provider has ignored the key that was asked for. Otherwise the
// place is nil.
func (w *walker) mistrust(p place, env envelope) (connector.Page, *place) {
	page := connector.Page{Size: p.total(p.Size), Keyed: true}
	if p.Link != "" {
		page.Size = -1
		if p.Left >= 0 {
			page.Size = p.Seen + p.Left
		}
	}
	switch {
	case p.Link == "":
		if !w.slid(p, env) {
			return page, nil
		}
		next := w.takeUp(p, env)
		page.Keyed = next.Link != ""
		return page, &next
	case w.byStable(p) && len(env.records) > 0 && earlier(env.first, p.Key):
		p.URI, p.Link, p.Unkeyed, p.Size, p.Earlier = p.Link, "", true, max(p.First, -1), 0
		page.Keyed = false
		page.Notes = []string{"The provider ignored the filter by " + w.o.stable + ": the read follows the provider's links."}
		return page, &p
	case w.byStable(p) && p.Left > 0 && env.size >= 0 && env.size < p.Left && p.URI != w.stableURI(">=", p.Key):
		// One was deleted, or shares its key with the last record seen.
		p.URI, p.Left = w.stableURI(">=", p.Key), 0
		return page, &p
	default:
		return page, nil
	}
}

// close fills in the rest of a page: its cursor, and at the end of a full walk
// that brought fewer records than the list had at first, how many it has now.
// That costs one request, and only then.
func (w *walker) close(ctx context.Context, p place, page connector.Page, next *place) (connector.Page, error) {
	if next != nil {
		page.Next = next.cursor()
		return page, nil
	}
	if p.Link == "" || w.byTime(p) || p.Seen+len(page.Records) >= p.First {
		return page, nil
	}
	counting := *w
	counting.req.PageSize = minPage
	env, err := w.fetch(ctx, counting.uri(w.list, "", w.o.stable))
	if err != nil {
		return connector.Page{}, err
	}
	page.Size = env.size
	return page, nil
}

// total is the size of the whole read, given that of the list being walked.
func (p place) total(size int) int {
	if size < 0 {
		return -1
	}
	return p.Earlier + size
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
	if w.byTime(p) || w.byStable(p) {
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
		p.Link, p.URI, p.Before, p.Size = p.URI, w.timeURI(parseTime(p.Key)), "", -1
	case p.Key != "" && w.byStable(p):
		p.Link, p.URI, p.Before, p.Size, p.Left = p.URI, w.stableURI(">=", p.Key), "", -1, 0
	default:
		p.URI, p.Back, p.Size = p.Before, true, env.size
	}
	return p
}

// byTime reports whether the walk is in order of change.
func (w *walker) byTime(p place) bool { return w.bounded() && !p.Full }

// byStable reports whether the walk is in the order of a key that records keep.
func (w *walker) byStable(p place) bool { return w.o.stable != "" && !p.Unkeyed && !w.byTime(p) }

// next is the place after a page, nil when it was the last. fresh is how many
// records the page brought.
func (w *walker) next(p place, env envelope, fresh int) (*place, []string, error) {
	uri, notes, err := w.follow(p, env, fresh)
	if uri == "" || err != nil {
		return nil, nil, err
	}
	if uri == p.URI {
		return nil, nil, w.endless("a page names itself as the next one")
	}
	p.Before, p.URI, p.Link, p.Back = p.URI, uri, "", false
	p.Last = make(marks, 0, len(env.records))
	for _, record := range env.records {
		p.Last = append(p.Last, mark(record))
	}
	var later place
	switch {
	case w.byTime(p):
		later = w.nextByTime(p, env)
	case w.byStable(p):
		later = w.nextByStable(p, env)
	}
	if later.Link != "" {
		if env.next != "" {
			notes = nil // about a link that is not followed
		}
		return &later, notes, nil
	}
	if env.last != "" && !w.byTime(p) && !p.Unkeyed {
		p.Key = env.last
	}
	if p.circles(uri) {
		return nil, nil, w.endless("a page names one that came before as the next one")
	}
	return &p, notes, nil
}

// endless is the error for a list that would go on for ever.
func (w *walker) endless(message string) error {
	return &windlass.Error{
		Kind: windlass.Malformed, Op: w.op, Message: message,
		Remedy: "the read stopped, since it would never end", Provider: &windlass.ProviderDetails{},
	}
}

// nextByStable pages by a key that records keep: a new list of what comes after
// the last record, over whose seams nothing slides, whatever is created or
// deleted and however much later it is asked for. Records that share the key
// would be left out by that: where two do, or where the provider does not count
// (see mistrust), the list begins at the key itself. A page full of records that
// share one key is followed by link, as the zero place says.
func (w *walker) nextByStable(p place, env envelope) place {
	if len(env.records) == 0 || parseTime(env.last).IsZero() || env.last == p.Key {
		return place{}
	}
	operator := ">"
	if p.Left = env.size - len(env.records); env.size < 0 || env.tied {
		operator, p.Left = ">=", 0
	}
	p.Link, p.Key = p.URI, env.last
	p.URI, p.Size = w.stableURI(operator, p.Key), -1
	return p
}

// nextByTime pages by the time of change: a new list from the time of the last
// record on, in which nothing that changes meanwhile can push another record over
// a seam. Where a page's records all have one time, or are in no order, the walk
// follows Bitbucket's link, as the zero place says.
func (w *walker) nextByTime(p place, env envelope) place {
	n := len(env.records)
	if n == 0 {
		return place{}
	}
	bound := w.req.Since
	if p.Key != "" {
		bound = parseTime(p.Key)
	}
	last := env.records[n-1].Updated.Truncate(time.Microsecond) // as stamp writes it, or the walk would stand still
	for i := 1; i < n; i++ {
		if env.records[i].Updated.Before(env.records[i-1].Updated) {
			return place{}
		}
	}
	if !last.After(bound) {
		return place{}
	}
	p.Key, p.Link = stamp(last), p.URI
	p.URI, p.Before, p.Size = w.timeURI(last), "", -1
	return p
}
