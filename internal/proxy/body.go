package proxy

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"windlass"
)

const (
	// maxReplayBody is the longest body that is kept to be sent again after a 401.
	maxReplayBody = 64 << 10
	// refill is how much a caller has to send to get more time. Single bytes do not
	// keep a slot.
	refill = 1 << 10
)

// A body is the caller's body, as the transport reads it. One goroutine reads
// at a time; close may be called meanwhile.
type body struct {
	from  io.Reader
	turn  *turn
	limit int64         // 0: any
	wait  Limits        // how long
	left  time.Duration // of the caller's time
	since int64         // bytes since that was extended

	announced, trailers http.Header // where trailers come in, and where they go on

	bytes  atomic.Int64
	ended  atomic.Bool // the caller has sent all of it
	closed atomic.Bool
	failed atomic.Pointer[error]
}

// newBody returns the body of a request; nil when there is none.
func newBody(r *http.Request, t *turn, limits Limits) (*body, error) {
	if limits.Body > 0 && r.ContentLength > limits.Body {
		return nil, overLimit(limits.Body)
	}
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return nil, nil //nolint:nilnil // a request without a body is one
	}
	return &body{
		from: r.Body, turn: t, limit: limits.Body, wait: limits, left: limits.Stall,
		announced: r.Trailer, trailers: trailers(r.Trailer),
	}, nil
}

// Read reads from the caller, whose turn it is meanwhile; then it is the
// provider's, which has to take what was read, or answer.
func (b *body) Read(p []byte) (int, error) {
	if b.closed.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	b.turn.give(caller, b.left)
	began := time.Now()
	n, err := b.from.Read(p)
	b.turn.give(provider, b.wait.Answer)

	b.left -= time.Since(began)
	if b.since += int64(n); b.since >= refill {
		b.left, b.since = b.wait.Stall, 0
	}
	total := b.bytes.Add(int64(n))
	if b.limit > 0 && total > b.limit {
		n, err = 0, overLimit(b.limit)
	}
	switch {
	case errors.Is(err, io.EOF):
		b.ended.Store(true)
		for name := range b.trailers {
			b.trailers[name] = b.announced[name]
		}
	case err != nil:
		b.failed.CompareAndSwap(nil, &err)
	}
	return n, err
}

// Close ends reading. It leaves the request's own body to the server.
func (b *body) Close() error {
	b.closed.Store(true)
	return nil
}

// keep reads a body whose length was announced and is small, so that it can be sent
// again. It returns nil when the body is not to be kept: too long, of unknown length,
// or sent only after the provider's 100 Continue.
func (b *body) keep(r *http.Request) ([]byte, error) {
	if r.ContentLength < 0 || r.ContentLength > maxReplayBody || r.Header.Get("Expect") != "" || len(r.Trailer) > 0 {
		return nil, nil
	}
	kept := bytes.NewBuffer(make([]byte, 0, r.ContentLength+bytes.MinRead)) // so that it never grows
	if _, err := kept.ReadFrom(b); err != nil {
		return nil, err
	}
	return kept.Bytes(), nil
}

// error is why the body could not be read; nil if it could.
func (b *body) error() error {
	if b == nil {
		return nil
	}
	failed := b.failed.Load()
	if failed == nil {
		return nil
	}
	if _, ours := windlass.Own(*failed); ours {
		return *failed
	}
	return &windlass.Error{Kind: windlass.Canceled, Message: "the body of the request ended early", Err: *failed}
}

func overLimit(limit int64) error {
	return &windlass.Error{
		Kind: TooLarge, Message: "the body is longer than the " + strconv.FormatInt(limit, 10) + " bytes that the proxy takes",
		Remedy: "send less, or have the operator of this server raise the limit",
	}
}
