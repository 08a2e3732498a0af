package workspace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"windlass/connector"
)

// meter counts what is really sent, attempt by attempt, so it stands below
// Retry. It also gives up on a request when nothing at all arrives for the
// length of stall; an answer that keeps trickling in may take as long as it
// wants.
type meter struct {
	base  http.RoundTripper
	stall time.Duration

	requests atomic.Int64
	bytes    atomic.Int64
	limit    atomic.Pointer[connector.Limit] // what Bitbucket last said of the budget
}

// RoundTrip sends one request.
func (m *meter) RoundTrip(req *http.Request) (*http.Response, error) {
	m.requests.Add(1)
	ctx, cancel := context.WithCancelCause(req.Context())
	stalled := &stallError{after: m.stall}
	watch := time.AfterFunc(m.stall, func() { cancel(stalled) })
	stop := func() {
		watch.Stop()
		cancel(nil)
	}

	resp, err := m.base.RoundTrip(req.WithContext(ctx))
	if err != nil {
		stop()
		return nil, blame(ctx, err)
	}
	if limit, ok := connector.ParseLimit(resp.Header, time.Now()); ok {
		m.limit.Store(&limit)
	}
	watch.Reset(m.stall)
	resp.Body = &meteredBody{ReadCloser: resp.Body, ctx: ctx, arrived: func(n int) {
		m.bytes.Add(int64(n))
		watch.Reset(m.stall)
	}, stop: stop}
	return resp, nil
}

type meteredBody struct {
	io.ReadCloser
	ctx     context.Context //nolint:containedctx // that of the request whose answer this is
	arrived func(n int)
	stop    func()
}

func (b *meteredBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.arrived(n)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = blame(b.ctx, err)
	}
	return n, err
}

func (b *meteredBody) Close() error {
	defer b.stop()
	return b.ReadCloser.Close()
}

// blame returns why a request was cut off, where we did it ourselves: the
// transport would say only that it was cancelled.
func blame(ctx context.Context, err error) error {
	if stalled, ok := errors.AsType[*stallError](context.Cause(ctx)); ok {
		return stalled
	}
	return err
}

// stallError is a net.Error: a timeout, and not the caller's doing.
type stallError struct{ after time.Duration }

func (e *stallError) Error() string {
	return fmt.Sprintf("nothing arrived for %s", e.after)
}

func (e *stallError) Timeout() bool   { return true }
func (e *stallError) Temporary() bool { return true }
