package bitbucket

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/jsonscan"
)

const (
	mostPage  = 100 // the largest pagelen of the endpoints in the table
	leastPage = 10  // what every endpoint takes
)

// Read returns one page of an object. It usually costs one request; the
// comments at the table's rows say where it costs more. A page that turns out
// to have slid (see the package's promise) comes back empty, with a Next that
// takes up again where it slid.
func (c *Connector) Read(ctx context.Context, req connector.ReadRequest) (connector.Page, error) {
	w, err := c.newWalker(req)
	if err != nil {
		return connector.Page{}, inOp("read "+req.Object, err)
	}
	p, err := w.place(ctx)
	if err != nil {
		return connector.Page{}, inOp(w.op, err)
	}
	var page connector.Page
	switch w.o.walk {
	case walkEvents:
		page, err = w.readEvents(ctx, p)
	case walkWorkspaces, walkPermissions:
		page, err = w.readMemberships(ctx, p)
	case walkPages:
		page, err = w.readPage(ctx, p)
	}
	if err != nil {
		return connector.Page{}, inOp(w.op, err)
	}
	page.Full = p.Full
	page.Workspace = w.workspaceName(page)
	return page, nil
}

// workspaceName is the workspace's slug as the first record has it, where the
// connector knows the workspace by its UUID.
func (w *walker) workspaceName(page connector.Page) string {
	if w.o.home == "" || len(page.Records) == 0 || !strings.HasPrefix(w.c.workspace, "{") {
		return ""
	}
	raw := page.Records[0].Raw
	for key := range strings.SplitSeq(w.o.home, ".") {
		var record map[string]json.RawMessage
		if json.Unmarshal(raw, &record) != nil {
			return ""
		}
		raw = record[key]
	}
	return jsonscan.Plain(raw)
}

// walker reads one object for one request.
type walker struct {
	c    *Connector
	o    *object
	req  connector.ReadRequest
	op   string
	list string // the list's path
}

func (c *Connector) newWalker(req connector.ReadRequest) (*walker, error) {
	o, err := lookup(req.Object)
	if err != nil {
		return nil, err
	}
	if err := o.checkFields(req.Fields); err != nil {
		return nil, err
	}
	if !req.Since.IsZero() && !req.Until.IsZero() && !req.Since.Before(req.Until) {
		return nil, &connector.Error{
			Kind:    windlass.Invalid,
			Message: "since is not before until",
			Remedy:  "since is the earlier time and is included, until the later and is not",
		}
	}
	list, err := c.path(o.list, "")
	if err != nil {
		return nil, err
	}
	return &walker{c: c, o: o, req: req, op: "read " + o.name, list: list}, nil
}

// bounded reports whether the caller asked for a span of time.
func (w *walker) bounded() bool { return !w.req.Since.IsZero() || !w.req.Until.IsZero() }

// place is where the read goes on: in the cursor, or at the beginning.
func (w *walker) place(ctx context.Context) (place, error) {
	if w.req.Cursor != "" {
		return parseCursor(w.req.Cursor, w.o.name, w.fingerprint())
	}
	p := place{Object: w.o.name, Request: w.fingerprint(), Size: -1}
	p.URI = w.uri(w.list, "", w.o.stable)
	if !w.bounded() {
		return p, nil
	}
	filtered, err := w.filters(ctx)
	if err != nil {
		return place{}, err
	}
	if filtered {
		p.URI = w.timeURI(w.req.Since)
	} else {
		p.Full = true
	}
	return p, nil
}

// fingerprint is the same for two requests that walk the same records.
func (w *walker) fingerprint() string {
	h := fnv.New64a()
	for _, part := range []string{
		w.c.api.String(), w.c.workspace, w.c.role,
		stamp(w.req.Since), stamp(w.req.Until), strings.Join(w.req.Fields, ","),
	} {
		_, _ = h.Write([]byte(part + "\x00")) // a hash never fails
	}
	return hex.EncodeToString(h.Sum(nil))
}

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
	if fields := w.fields("values."); fields != "" && w.o.walk == walkPages {
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
		return mostPage
	}
	return min(max(w.req.PageSize, leastPage), mostPage)
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

// fetch gets one page of a list.
func (w *walker) fetch(ctx context.Context, uri string) (envelope, error) {
	a, err := w.get(ctx, uri)
	if err != nil {
		return envelope{}, err
	}
	return w.parse(a)
}

// get sends the request for one page of a list.
func (w *walker) get(ctx context.Context, uri string) (answer, error) {
	call := call{op: w.op, method: http.MethodGet, uri: uri, object: w.o}
	a, err := w.c.do(ctx, call)
	if smaller, ok := w.refusedPagelen(uri, err); ok {
		call.uri = smaller
		a, err = w.c.do(ctx, call)
	}
	return a, err
}

// parse reads one page of a list out of its answer.
func (w *walker) parse(a answer) (envelope, error) {
	page, err := parsePage(w.o, a.body)
	if err != nil {
		return envelope{}, malformed(w.op, a, err)
	}
	page.mended = a.mended
	return page, nil
}

// refusedPagelen reports whether a page's length was what Bitbucket did not
// like, remembers that of the object, and returns the request without one.
func (w *walker) refusedPagelen(uri string, err error) (string, bool) {
	var refused *connector.Error
	if !asError(err, &refused) || refused.Kind != windlass.Invalid || !strings.Contains(strings.ToLower(refused.Message), "pagelen") {
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
