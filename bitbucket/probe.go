package bitbucket

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"windlass"
)

// filters reports whether the object's list can be filtered by time. Where
// Bitbucket documents that, it costs nothing; where it does not, two requests
// find out, once for all who share their Lessons: everything changed since 1970
// must be something, and everything changed before must be nothing. A workspace
// that has no such records proves nothing, and is cheap to read in full.
func (w *walker) filters(ctx context.Context) (bool, error) {
	switch w.o.filter {
	case goodFilter:
		return true, nil
	case noFilter:
		return false, nil
	case probedFilter:
	}
	if l := w.c.lesson(w.o); l.filter {
		return l.filtered, nil
	}
	some, err := w.probe(ctx, ">=")
	if err != nil {
		return false, err
	}
	if some == 0 {
		return false, nil // refused, or nothing to learn from
	}
	none, err := w.probe(ctx, "<")
	if err != nil {
		return false, err
	}
	w.c.learn(w.o, func(l *lesson) { l.filter, l.filtered = true, none == 0 })
	return none == 0, nil
}

// probe counts the records of the first page of a filtered list. A filter that
// is refused counts none.
func (w *walker) probe(ctx context.Context, operator string) (int, error) {
	query := url.Values{
		"pagelen": {strconv.Itoa(leastPage)},
		"q":       {fmt.Sprintf(`%s %s "1970-01-01T00:00:00.000000+00:00"`, w.o.moved, operator)},
		"sort":    {w.o.moved},
	}
	uri := w.list + encode(query)
	a, err := w.c.do(ctx, call{op: w.op, method: http.MethodGet, uri: uri, object: w.o})
	if errors.Is(err, windlass.Invalid) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	page, err := parsePage(w.o, a.body)
	if err != nil {
		return 0, malformed(w.op, a, err)
	}
	return len(page.records), nil
}
