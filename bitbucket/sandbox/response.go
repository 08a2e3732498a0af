package sandbox

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"sync"
)

// responseWriter is the handler's end of an in-process exchange. header and
// status belong to the handler until started is closed.
type responseWriter struct {
	header  http.Header
	body    *io.PipeWriter
	once    sync.Once
	started chan struct{}
	status  int
	sent    http.Header // as it was when the answer began
	broken  error       // why the answer ends early, if it does
}

func (w *responseWriter) Header() http.Header { return w.header }

func (w *responseWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.status, w.sent = status, w.header.Clone()
		close(w.started)
	})
}

func (w *responseWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// Flush implements http.Flusher: nothing is held back.
func (w *responseWriter) Flush() { w.WriteHeader(http.StatusOK) }

// finish ends the body. A handler that broke off leaves the reader with an
// unexpected end, or without an answer if it had not begun one.
func (w *responseWriter) finish() {
	if w.broken != nil {
		w.once.Do(func() { close(w.started) })
		_ = w.body.CloseWithError(w.broken)
		return
	}
	w.WriteHeader(http.StatusOK)
	_ = w.body.Close()
}

func (w *responseWriter) response(r *http.Request, body io.ReadCloser) *http.Response {
	length := int64(-1)
	if n, err := strconv.ParseInt(w.sent.Get("Content-Length"), 10, 64); err == nil {
		length = n
		body = &countedBody{ReadCloser: body, left: n}
	}
	if r.Method == http.MethodHead || w.status == http.StatusNoContent {
		_ = body.Close()
		body, length = http.NoBody, max(length, 0)
	}
	return &http.Response{
		Status:     strconv.Itoa(w.status) + " " + http.StatusText(w.status),
		StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: body, ContentLength: length, Request: r,
	}
}

// responseBody tells the watcher of the context when the client no longer reads.
type responseBody struct {
	io.ReadCloser
	stop func() bool
	ctx  context.Context //nolint:containedctx // it is the request's, and lives as long
}

func (b *responseBody) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := b.ReadCloser.Read(p)
	if err == nil {
		return n, nil
	}
	if b.stop(); err != io.EOF && b.ctx.Err() != nil { //nolint:errorlint // a pipe gives io.EOF itself
		err = b.ctx.Err()
	}
	return n, err
}

func (b *responseBody) Close() error {
	b.stop()
	return b.ReadCloser.Close()
}

// countedBody notices an answer that is shorter than it promised, as net/http
// does.
type countedBody struct {
	io.ReadCloser
	left int64
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	if err == io.EOF && b.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
