package fault

import (
	"bytes"
	"net/http"
	"strconv"
	"time"
)

// Wrap returns a writer that spoils what the handler writes to it (cut,
// malformed, skew) and a function to call once the handler is done, which sends
// it. For the other kinds it returns w and a function that does nothing. After a
// cut, finish panics with http.ErrAbortHandler.
func Wrap(w http.ResponseWriter, f Fault) (wrapped http.ResponseWriter, finish func()) {
	switch f.Kind {
	case Cut:
		b := &buffer{ResponseWriter: w}
		return b, func() { b.cut(f.Amount) }
	case Malformed:
		b := &buffer{ResponseWriter: w}
		return b, func() { b.spoil() }
	case Skew:
		s := &skewed{ResponseWriter: w, by: f.Skew}
		return s, s.date
	default:
		return w, func() {}
	}
}

// buffer holds a whole answer back, because where its middle is shows only at
// its end.
type buffer struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (b *buffer) WriteHeader(status int) {
	if b.status == 0 {
		b.status = status
	}
}

func (b *buffer) Write(p []byte) (int, error) {
	b.WriteHeader(http.StatusOK)
	return b.body.Write(p)
}

func (b *buffer) cut(amount int) {
	body := b.body.Bytes()
	if amount == 0 {
		amount = len(body) / 2
	}
	// The length of the whole lets the client know that a part is missing.
	b.send(body[:min(amount, len(body))], max(len(body), 1))
	panic(http.ErrAbortHandler)
}

func (b *buffer) spoil() {
	// A comma before a closing bracket is wrong wherever JSON is cut, and inside a
	// string the string stays open.
	b.body.Truncate(b.body.Len() / 2)
	_, _ = b.body.WriteString(",]}")
	b.send(b.body.Bytes(), b.body.Len())
}

func (b *buffer) send(body []byte, length int) {
	b.WriteHeader(http.StatusOK)
	bodiless := b.status == http.StatusNoContent || b.status == http.StatusNotModified
	if !bodiless {
		b.Header().Set("Content-Length", strconv.Itoa(length))
	}
	b.ResponseWriter.WriteHeader(b.status)
	if bodiless {
		return
	}
	_, _ = b.ResponseWriter.Write(body)
	// Without a flush, net/http would discard what an aborted handler wrote.
	_ = http.NewResponseController(b.ResponseWriter).Flush()
}

// skewed puts the Date header off; without one, off the time of this machine.
type skewed struct {
	http.ResponseWriter
	by   time.Duration
	done bool
}

func (s *skewed) date() {
	if s.done {
		return
	}
	s.done = true
	now, err := http.ParseTime(s.Header().Get("Date"))
	if err != nil {
		now = time.Now()
	}
	s.Header().Set("Date", now.Add(s.by).UTC().Format(http.TimeFormat))
}

func (s *skewed) WriteHeader(status int) {
	s.date()
	s.ResponseWriter.WriteHeader(status)
}

func (s *skewed) Write(p []byte) (int, error) {
	s.date()
	return s.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (s *skewed) Unwrap() http.ResponseWriter { return s.ResponseWriter }
