package server

import (
	"net/http"
	"time"
)

const (
	// pieceSize is how much of an answer has to be taken within the stall time. It
	// makes a slow client's minimum about half a kilobyte a second.
	pieceSize = 16 << 10
	// outside bounds what no handler writes: net/http's own refusals, and an answer
	// before its first byte. It is longer than a request of the API may run.
	outside = 3 * time.Minute
)

// endStalled ends answers that the client does not take: each piece has to be
// taken within stall, on a connection of HTTP/1.1 as on a stream of HTTP/2. Only
// writing counts, so that a stream of events may be silent as long as it likes.
//
// What exempt reports true of watches its own writing (the proxy does) and has
// lifted the deadlines itself. What is left in buffers when a handler returns is
// bounded for all.
func endStalled(handler http.Handler, stall time.Duration, exempt func(*http.Request) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		// A writer without deadlines is a test's, and a connection that is closed
		// already fails the write itself: neither error says anything here.
		defer func() { _ = control.SetWriteDeadline(time.Now().Add(stall)) }()
		if !exempt(r) {
			w = &stalling{ResponseWriter: w, control: control, stall: stall}
		}
		handler.ServeHTTP(w, r)
	})
}

// stalling is a writer of answers that gives the client a time for each piece.
type stalling struct {
	http.ResponseWriter

	control *http.ResponseController
	stall   time.Duration
}

func (s *stalling) Write(p []byte) (written int, err error) {
	for {
		piece := p[written:min(len(p), written+pieceSize)]
		_ = s.control.SetWriteDeadline(time.Now().Add(s.stall)) // see endStalled
		n, err := s.ResponseWriter.Write(piece)
		written += n
		if err != nil {
			return written, err
		}
		if written == len(p) {
			_ = s.control.SetWriteDeadline(time.Time{})
			return written, nil
		}
	}
}

// FlushError implements what http.ResponseController flushes with.
func (s *stalling) FlushError() error {
	_ = s.control.SetWriteDeadline(time.Now().Add(s.stall)) // see endStalled
	err := s.control.Flush()
	if err == nil {
		_ = s.control.SetWriteDeadline(time.Time{})
	}
	return err
}

// Unwrap lets http.ResponseController through.
func (s *stalling) Unwrap() http.ResponseWriter { return s.ResponseWriter }
