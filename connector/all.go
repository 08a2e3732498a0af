package connector

import (
	"context"
	"fmt"
	"iter"

	"windlass"
)

// Pages walks the pages of a read from req.Cursor to the end, one call of Read
// after the other. It stops at the first error, which it yields with an empty
// page; the caller may go on later from the Next of the last page it got.
func Pages(ctx context.Context, r Reader, req ReadRequest) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		for {
			page, err := r.Read(ctx, req)
			if err != nil {
				yield(Page{}, err)
				return
			}
			if page.Next != "" && page.Next == req.Cursor {
				yield(Page{}, &windlass.Error{
					Kind:    windlass.Malformed,
					Op:      req.Op(),
					Message: "a page names itself as the next one", Provider: &windlass.ProviderDetails{},
				})
				return
			}
			if !yield(page, nil) || page.Next == "" {
				return
			}
			req.Cursor = page.Next
		}
	}
}

// All yields every record of a read from req.Cursor to the end. It stops at the
// first error, which it yields with an empty record.
//
// A record that comes twice is yielded once, unless it has changed in between.
// A walk from the beginning that got fewer records than the provider's last
// count ends with an error of kind windlass.Incomplete, after the last record:
// the records are good, but some are missing.
func All(ctx context.Context, r Reader, req ReadRequest) iter.Seq2[Record, error] {
	return Records(Pages(ctx, r, req), req)
}

// Records walks the records of the pages of a read, for connectors that have a
// way of their own to walk pages. It ends as All does.
func Records(pages iter.Seq2[Page, error], req ReadRequest) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		var tally Tally
		size, byTime := 0, !req.Since.IsZero() || !req.Until.IsZero()
		for page, err := range pages {
			if err != nil {
				yield(Record{}, err)
				return
			}
			for _, record := range page.Records {
				if tally.Take(record) && !yield(record, nil) {
					return
				}
			}
			tally.Drain() // nothing is kept
			size, byTime = page.Size, byTime && !page.Full
		}
		if req.Cursor == "" && !tally.Complete(size, byTime) {
			incomplete := ErrIncomplete(req.Object, tally.Count(), size)
			incomplete.Op = req.Op()
			yield(Record{}, incomplete)
		}
	}
}

// ErrIncomplete returns the error for a finished read of object that got fewer
// records than the provider says there are.
func ErrIncomplete(object string, got, size int) *windlass.Error {
	return &windlass.Error{
		Kind:    windlass.Incomplete,
		Op:      "read " + object,
		Message: fmt.Sprintf("%d of the %d records that the provider counts arrived", got, size),
		Remedy:  "read again; records that were deleted meanwhile, or that the credential cannot see, can also be the cause", Provider: &windlass.ProviderDetails{},
	}
}
