package bitbucket

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"windlass"
)

// stamp writes a time as BBQL takes it: microseconds, as Bitbucket stores.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000+00:00") }

// uri builds the path and query of a list.
func (w *walker) uri(path, q, sort string) string {
	query := url.Values{}
	if !w.c.lesson(w.o).plain {
		query.Set("pagelen", strconv.Itoa(w.pagelen()))
	}
	if w.o.role && w.c.role != anyRole {
		query.Set("role", w.c.role)
	}
	if q != "" {
		query.Set("q", q)
	}
	if sort != "" {
		query.Set("sort", sort)
	}
	if fields := w.fields("values."); fields != "" && w.o.walk == nil {
		query.Set("fields", fields)
	}
	return path + encode(query)
}

// encode writes a query with %20 for a space, which every server reads alike.
func encode(query url.Values) string {
	if len(query) == 0 {
		return ""
	}
	return "?" + strings.ReplaceAll(query.Encode(), "+", "%20")
}

func (w *walker) pagelen() int {
	if w.req.PageSize <= 0 {
		return maxPage
	}
	return min(max(w.req.PageSize, minPage), maxPage)
}

// fields is the fields= parameter for the fields that the caller wants, and
// those that the walk itself needs; "" when the caller wants all. prefix is
// where a record is in the answer: "values." in a page, "" by itself.
func (w *walker) fields(prefix string) string {
	if len(w.req.Fields) == 0 {
		return ""
	}
	names := slices.Concat(w.req.Fields, w.o.id)
	for _, own := range []string{w.o.moved, w.o.stable} {
		if own != "" {
			names = append(names, own)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	for i := range names {
		names[i] = prefix + names[i]
	}
	if prefix != "" {
		names = append(names, "next", "size") // paging stops where next is not named
	}
	return strings.Join(names, ",")
}

// timeURI is the list's first page from a time on, in order of change.
func (w *walker) timeURI(from time.Time) string {
	var terms []string
	if !from.IsZero() {
		terms = append(terms, fmt.Sprintf(`%s >= "%s"`, w.o.moved, stamp(from)))
	}
	if !w.req.Until.IsZero() {
		terms = append(terms, fmt.Sprintf(`%s < "%s"`, w.o.moved, stamp(w.req.Until)))
	}
	return w.uri(w.list, strings.Join(terms, " AND "), w.o.moved)
}

// stableURI is the list's first page from a key on, or after it, in the order
// of that key.
func (w *walker) stableURI(operator, key string) string {
	return w.uri(w.list, fmt.Sprintf(`%s %s "%s"`, w.o.stable, operator, stamp(parseTime(key))), w.o.stable)
}

// refusedPagelen reports whether a page's length was what Bitbucket did not
// like, remembers that of the object, and returns the request without one.
func (w *walker) refusedPagelen(uri string, err error) (string, bool) {
	refused, ok := windlass.FromProvider(err)
	if !ok || refused.Kind != windlass.Invalid || !strings.Contains(strings.ToLower(refused.Message), "pagelen") {
		return "", false
	}
	path, raw, _ := strings.Cut(uri, "?")
	query, bad := url.ParseQuery(raw)
	if bad != nil || !query.Has("pagelen") {
		return "", false
	}
	w.c.learn(w.o, func(l *lesson) { l.plain = true })
	query.Del("pagelen")
	return path + encode(query), true
}

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
		"pagelen": {strconv.Itoa(minPage)},
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
