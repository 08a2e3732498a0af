package bitbucket

import (
	"bytes"
	"context"
	"iter"
	"strings"

	"windlass/connector"
	"windlass/internal/jsonscan"
)

// Pages walks the pages of a read like connector.Pages, and asks for the next
// page while the one before is still being parsed and handled. That costs no
// request more, unless the caller stops in the middle: then one page may have
// been asked for in vain. A program that wants only some records, or keeps a
// cursor between requests, calls Read.
//
// Reads bounded by time, whose next page depends on the records in the one
// before, and those of objects that are no plain lists go page by page.
func (c *Connector) Pages(ctx context.Context, req connector.ReadRequest) iter.Seq2[connector.Page, error] {
	o, err := lookup(req.Object)
	if err != nil {
		return func(yield func(connector.Page, error) bool) {
			yield(connector.Page{}, inOp(req.Op(), err))
		}
	}
	return c.pages(ctx, o, req)
}

// pages walks the pages of the object of a row.
func (c *Connector) pages(ctx context.Context, o *object, req connector.ReadRequest) iter.Seq2[connector.Page, error] {
	return func(yield func(connector.Page, error) bool) {
		w, err := c.newWalker(o, req)
		if err != nil {
			yield(connector.Page{}, inOp(req.Op(), err))
			return
		}
		if w.bounded() || w.o.walk != nil {
			connector.Pages(ctx, rowReader{c, o}, req)(yield)
			return
		}
		p, err := w.place(ctx)
		if err != nil {
			yield(connector.Page{}, inOp(w.op, err))
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		ahead := lookahead{w: w}
		defer ahead.wait()
		defer cancel()
		w.walkAhead(ctx, p, &ahead, yield)
	}
}

// rowReader reads the object of one row.
type rowReader struct {
	c *Connector
	o *object
}

func (r rowReader) Read(ctx context.Context, req connector.ReadRequest) (connector.Page, error) {
	return r.c.read(ctx, r.o, req)
}

// All walks the records of a read like connector.All, over Pages.
func (c *Connector) All(ctx context.Context, req connector.ReadRequest) iter.Seq2[connector.Record, error] {
	return connector.Records(c.Pages(ctx, req), req)
}

func (w *walker) walkAhead(ctx context.Context, p place, ahead *lookahead, yield func(connector.Page, error) bool) {
	for {
		a, err := ahead.get(ctx, p.URI)
		if err != nil {
			yield(connector.Page{}, err)
			return
		}
		if uri := w.guess(p, a.body); uri != "" && ahead.misses < maxMisses {
			ahead.begin(ctx, uri)
		}
		env, err := w.parse(a)
		if err != nil {
			yield(connector.Page{}, err)
			return
		}
		page, next, err := w.turn(p, env)
		if err == nil {
			page, err = w.close(ctx, p, page, next)
		}
		if err != nil {
			yield(connector.Page{}, err)
			return
		}
		if !yield(page, nil) || next == nil {
			return
		}
		p = *next
	}
}

// guess finds the link to the next page near the end of a page, where Bitbucket
// puts it, without parsing what is before. It guesses only what the parsed page
// is going to say: a link within the same list. A wrong guess costs a request
// and nothing else, since its answer is used only for the link it turns out to be.
func (w *walker) guess(p place, body []byte) string {
	const far = 4096
	tail := body[max(0, len(body)-far):]
	name := []byte(`"next"`)
	found := bytes.LastIndex(tail, name)
	if found < 0 {
		return ""
	}
	if w.byStable(p) {
		return w.guessKey(body)
	}
	s := jsonscan.NewAt(tail, found+len(name))
	if s.Expect(':') != nil {
		return ""
	}
	raw, err := s.Value()
	if err != nil {
		return ""
	}
	uri, err := w.c.relative(w.op, jsonscan.Plain(raw))
	path, _, _ := strings.Cut(uri, "?")
	if err != nil || path != w.list || uri == p.URI {
		return ""
	}
	uri, _ = restored(p.URI, uri, 0)
	return uri
}

// guessKey guesses that the last key near the end of a page is that of its last
// record. Where records hold others that have one, that may be wrong: see
// maxMisses.
func (w *walker) guessKey(body []byte) string {
	const far = 1 << 14
	tail := body[max(0, len(body)-far):]
	name := []byte(`"` + w.o.stable + `"`)
	found := bytes.LastIndex(tail, name)
	if found < 0 {
		return ""
	}
	s := jsonscan.NewAt(tail, found+len(name))
	if s.Expect(':') != nil {
		return ""
	}
	raw, err := s.Value()
	if key := jsonscan.Plain(raw); err == nil && !parseTime(key).IsZero() {
		return w.stableURI(">", key)
	}
	return ""
}

// maxMisses wrong guesses end the guessing: each has cost a request in vain.
const maxMisses = 3

// lookahead is at most one request that is under way before it is needed. It
// belongs to one goroutine, the one that walks.
type lookahead struct {
	w       *walker
	uri     string
	arrives chan fetched // nil when nothing is under way
	cancel  context.CancelFunc
	misses  int
}

type fetched struct {
	a   answer
	err error
}

// begin sends a request in the background.
func (l *lookahead) begin(ctx context.Context, uri string) {
	ctx, l.cancel = context.WithCancel(ctx)
	l.uri, l.arrives = uri, make(chan fetched, 1)
	go func(arrives chan<- fetched) {
		a, err := l.w.get(ctx, uri)
		arrives <- fetched{a, err}
	}(l.arrives)
}

// get returns the answer for uri: the one under way if it is that, else a new
// one, after giving up the other.
func (l *lookahead) get(ctx context.Context, uri string) (answer, error) {
	if l.arrives != nil && l.uri == uri {
		got := <-l.arrives
		l.arrives = nil
		l.cancel()
		return got.a, got.err
	}
	if l.arrives != nil {
		l.misses++
	}
	l.wait()
	return l.w.get(ctx, uri)
}

// wait gives up the request under way, and returns when it is over, so that no
// goroutine outlives the walk.
func (l *lookahead) wait() {
	if l.arrives == nil {
		return
	}
	l.cancel()
	<-l.arrives
	l.arrives = nil
}
