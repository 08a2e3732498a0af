package connector

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
)

// maxBody is the largest answer that is read: a page of 100 records is about
// 400 KB, so more than this is not an answer but an attack or a mistake.
const maxBody = 64 << 20

// ErrTooLarge is the error for an answer of more than 64 MiB.
var ErrTooLarge = fmt.Errorf("the answer is larger than %d MiB", maxBody>>20)

// ReadBody reads a whole answer, of at most 64 MiB, into a buffer of the right size.
func ReadBody(resp *http.Response) ([]byte, error) {
	if resp.ContentLength > maxBody {
		return nil, ErrTooLarge
	}
	var buffer bytes.Buffer
	if resp.ContentLength > 0 {
		buffer.Grow(int(resp.ContentLength) + bytes.MinRead)
	}
	n, err := buffer.ReadFrom(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, err
	}
	if n > maxBody {
		return nil, ErrTooLarge
	}
	return buffer.Bytes(), nil
}

// BrokenError is what [Retry] returns for an answer that began and did not come
// whole, so that it is not reported as an unreachable provider.
type BrokenError struct{ Err error }

func (e *BrokenError) Error() string { return "the answer broke off: " + e.Err.Error() }

// Unwrap returns the cause.
func (e *BrokenError) Unwrap() error { return e.Err }

// Attempts tells a connector about the attempts that [Retry] made for one request,
// through the request's context.
type Attempts struct{ doubtful bool }

// Doubtful reports that an attempt failed in a way that leaves open whether it was
// carried out: a delete that is then answered with 404 has succeeded.
func (a *Attempts) Doubtful() bool { return a.doubtful }

type attemptsKey struct{}

// WithAttempts returns a context for one request that records its attempts.
func WithAttempts(ctx context.Context) (context.Context, *Attempts) {
	a := &Attempts{}
	return context.WithValue(ctx, attemptsKey{}, a), a
}

// doubt notes that it is not known whether a failed attempt was carried out.
func doubt(ctx context.Context) {
	if a, ok := ctx.Value(attemptsKey{}).(*Attempts); ok {
		a.doubtful = true
	}
}
