package read

import (
	"context"
	"fmt"
	"time"

	"windlass"
	"windlass/connector"
)

const (
	// maxPasses bounds how often a read walks through an object to find what an
	// earlier pass may have missed.
	maxPasses = 4
	// maxGap is the longest time between the request for one page and the answer
	// of the next that counts as no interruption. While it lasts, records may slide
	// over the seam between pages that are counted.
	maxGap = 5 * time.Second
)

// walked is what is known of the pages of an operation: which records came, in
// which pass, and whether that can be trusted (invariant 9).
type walked struct {
	tally connector.Tally
	last  windlass.ReadPage // the latest page; Number is 0 before the first
	// interrupted says that records may have slid over a seam in this pass, and
	// doubted that they may have in any.
	interrupted, doubted bool
	// size is what the provider counted last, and moved says that it has counted
	// something else before.
	size  int64
	moved bool
	noted map[string]bool
	// resumed says that the next page is the first of a step.
	resumed bool
}

// newWalk is that of an operation that has no page yet.
func newWalk() walked { return walked{size: -1, noted: map[string]bool{}} }

// restoreWalk reads what an earlier step of the operation has kept.
func (s *step) restoreWalk(ctx context.Context) error {
	s.walk = newWalk()
	p := s.part()
	if p.cursor == "" && p.pass == 0 {
		return nil
	}
	pages, err := s.store.ReadPages(ctx, s.Op.ID)
	if err != nil {
		return err
	}
	w := &s.walk
	w.resumed = true
	for i := range pages {
		for w.last.Pass < pages[i].Pass {
			w.again()
		}
		if err := w.tally.Restore(pages[i].Records); err != nil {
			return err
		}
		w.note(pages[i])
	}
	for w.last.Pass < p.pass {
		w.again()
	}
	return nil
}

// again begins another pass.
func (w *walked) again() {
	w.tally.Again()
	w.last = windlass.ReadPage{Number: w.last.Number, Pass: w.last.Pass + 1}
	w.interrupted = false
}

// note takes a page that is kept, or about to be.
func (w *walked) note(page windlass.ReadPage) {
	w.interrupted = w.interrupted || page.Interrupted
	w.doubted = w.doubted || page.Interrupted
	w.moved = w.moved || w.size >= 0 && page.Size != w.size
	w.size, w.last = page.Size, page
}

// take leaves out of a page what has come before in this operation, and returns
// how many records count, and the page as it is to be kept.
// gaveWay says that the step ends with this page, as it is to.
func (s *step) take(got fetched, gaveWay bool) (fresh []connector.Record, counted int, kept windlass.ReadPage) {
	w := &s.walk
	before := s.counts(got.page.Full)
	fresh = make([]connector.Record, 0, len(got.page.Records))
	for _, record := range got.page.Records {
		if w.tally.Take(record) {
			fresh = append(fresh, record)
		}
	}
	kept = windlass.ReadPage{
		OperationID: s.Op.ID, Number: w.last.Number + 1, Pass: w.last.Pass, Began: got.began,
		Keyed: got.page.Keyed, GaveWay: gaveWay, Size: int64(got.page.Size), Records: w.tally.Drain(),
	}
	if s.part().cursor != "" && !w.last.Keyed {
		// A step that did not end by giving way was stopped: by a pause, a limit, a
		// failure or a crash.
		kept.Interrupted = w.resumed && !w.last.GaveWay || got.ended.Sub(w.last.Began) > maxGap
	}
	w.resumed = false
	w.note(kept)
	return fresh, s.counts(got.page.Full) - before, kept
}

// counts is how many records came in this pass, as the provider counts them.
func (s *step) counts(full bool) int {
	if s.byTime(full) {
		return s.walk.tally.Versions()
	}
	return s.walk.tally.Count()
}

// byTime reports whether the read is bounded by time.
func (s *step) byTime(full bool) bool {
	p := s.part()
	return !full && (s.unit != nil || !s.Op.Full) && (!p.since.IsZero() || !p.until.IsZero())
}

// unfinished says, after the last page of a pass, why the operation needs another
// one: "" when it does not. Two passes that bring the same records are the end of
// it: a third would bring no others.
func (s *step) unfinished(page connector.Page) string {
	w := &s.walk
	if w.last.Pass+1 >= maxPasses || w.tally.Agrees() {
		return ""
	}
	switch {
	case !s.complete(page):
		return fmt.Sprintf("%d of the %d records that the provider counts arrived", s.counts(page.Full), page.Size)
	case w.interrupted:
		return "the provider lists " + s.part().object + " in no order that lasts, and the read was interrupted, so that records may have been missed"
	case w.doubted:
		return "this pass brought other records than the one before, which was interrupted"
	default:
		return ""
	}
}

// complete reports whether as many records came as the provider counts: in this
// pass, or, if the provider has counted the same all along, in all passes.
func (s *step) complete(page connector.Page) bool {
	w := &s.walk
	return w.tally.Complete(page.Size, s.byTime(page.Full)) || !w.moved && page.Size >= 0 && w.tally.Known() == page.Size
}

// doubt is what the result of a success has to say of its completeness.
func (s *step) doubt() string {
	w := &s.walk
	if w.doubted && !w.tally.Agrees() {
		return fmt.Sprintf(" It was interrupted, and no two of its %d passes brought the same records: some may be missing.", w.last.Pass+1)
	}
	return ""
}

// notes logs what the provider did wrong, each once a turn.
func (s *step) notes(ctx context.Context, page connector.Page) error {
	for _, note := range page.Notes {
		if s.walk.noted[note] {
			continue
		}
		s.walk.noted[note] = true
		if err := s.Log(ctx, windlass.SeverityWarning, note, nil); err != nil {
			return err
		}
	}
	return nil
}
