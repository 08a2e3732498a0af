package proxy

import (
	"io"
	"net/http"
	"sync"
	"time"
)

// An answer wraps the caller's ResponseWriter: it counts bytes, and gives the caller
// the turn while it writes.
type answer struct {
	http.ResponseWriter

	control *http.ResponseController
	turn    *turn
	stall   time.Duration
	status  int
	bytes   int64
	first   time.Time
}

// WriteHeader notes the status. Those below 200 come before the answer.
func (a *answer) WriteHeader(status int) {
	without(a.Header(), theirs)
	if status < http.StatusOK {
		without(a.Header(), hops)
	} else if a.status == 0 {
		a.status, a.first = status, time.Now()
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	a.turn.give(caller, a.stall)
	n, err := a.ResponseWriter.Write(p)
	a.turn.release()
	a.bytes += int64(n)
	return n, err
}

// FlushError implements what http.ResponseController flushes with.
func (a *answer) FlushError() error {
	a.turn.give(caller, a.stall)
	err := a.control.Flush()
	a.turn.release()
	return err
}

// Unwrap lets http.ResponseController through.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// A stream is the body of the provider's answer, which gives it the turn while it
// is read. Its trailers are filtered like its headers.
type stream struct {
	io.ReadCloser

	resp  *http.Response // whose body it is
	turn  *turn
	stall time.Duration
}

func (s *stream) Read(p []byte) (int, error) {
	s.turn.give(provider, s.stall)
	n, err := s.ReadCloser.Read(p)
	s.turn.release()
	if err != nil {
		without(s.resp.Trailer, theirs)
	}
	return n, err
}

// Close ends reading, which may be when the trailers become known.
func (s *stream) Close() error {
	err := s.ReadCloser.Close()
	without(s.resp.Trailer, theirs)
	return err
}

// buffers is a pool of copy buffers, half as large as io.Copy's: every open stream
// holds one.
type buffers struct{ pool sync.Pool }

const bufferSize = 16 << 10

// Get implements httputil.BufferPool.
func (b *buffers) Get() []byte {
	if lent, ok := b.pool.Get().(*[bufferSize]byte); ok {
		return lent[:]
	}
	return make([]byte, bufferSize)
}

// Put implements httputil.BufferPool.
func (b *buffers) Put(lent []byte) { b.pool.Put((*[bufferSize]byte)(lent)) }
