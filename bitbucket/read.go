package bitbucket

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"hash/fnv"
	"net/http"
	"strings"

	"windlass"
	"windlass/connector"
	"windlass/internal/jsonscan"
)

const (
	maxPage = 100 // the largest pagelen of the endpoints in the table
	minPage = 10  // what every endpoint takes
)

// Read returns one page of an object. It usually costs one request; the
// comments at the table's rows say where it costs more. A page that turns out
// to have slid (see the package's promise) comes back empty, with a Next that
// takes up again where it slid.
func (c *Connector) Read(ctx context.Context, req connector.ReadRequest) (connector.Page, error) {
	o, err := lookup(req.Object)
	if err != nil {
		return connector.Page{}, inOp(req.Op(), err)
	}
	return c.read(ctx, o, req)
}

// read reads one page of the object of a row.
func (c *Connector) read(ctx context.Context, o *object, req connector.ReadRequest) (connector.Page, error) {
	w, err := c.newWalker(o, req)
	if err != nil {
		return connector.Page{}, inOp(req.Op(), err)
	}
	p, err := w.place(ctx)
	if err != nil {
		return connector.Page{}, inOp(w.op, err)
	}
	var page connector.Page
	if w.o.walk != nil {
		page, err = w.o.walk(ctx, w, p)
	} else {
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

func (c *Connector) newWalker(o *object, req connector.ReadRequest) (*walker, error) {
	below := connector.Object{Name: o.name, Parent: o.parent, ParentKeys: o.keys}
	if err := below.CheckParent(req); err != nil {
		return nil, err
	}
	if err := o.checkFields(req.Fields); err != nil {
		return nil, err
	}
	if !req.Since.IsZero() && !req.Until.IsZero() && !req.Since.Before(req.Until) {
		return nil, &windlass.Error{
			Kind:    windlass.Invalid,
			Message: "since is not before until",
			Remedy:  "since is the earlier time and is included, until the later and is not", Provider: &windlass.ProviderDetails{},
		}
	}
	list, err := c.listPath(o, req.Parent)
	if err != nil {
		return nil, err
	}
	return &walker{c: c, o: o, req: req, op: req.Op(), list: list}, nil
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
	parts := []string{
		w.c.api.String(), w.c.workspace, w.c.role,
		stamp(w.req.Since), stamp(w.req.Until), strings.Join(w.req.Fields, ","),
	}
	if w.o.parent != "" {
		parts = append(parts, w.req.Parent.ID)
	}
	for _, part := range parts {
		_, _ = h.Write([]byte(part + "\x00")) // a hash never fails
	}
	return hex.EncodeToString(h.Sum(nil))
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
	if w.o.within {
		for i := range page.records {
			page.records[i].ID = below(w.req.Parent.ID, page.records[i].ID)
		}
	}
	return page, nil
}
