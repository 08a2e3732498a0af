package connector

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"windlass"
)

// Retry is a transport that sends an idempotent request again when it failed in
// a way that may pass: no connection, an answer that broke off, 429, 408, 425 or
// 500 and up, which is what other errors call unavailable. GET, HEAD, OPTIONS, PUT and DELETE are idempotent; POST is never
// repeated, and neither is a request whose body cannot be sent again.
//
// It waits as long as Retry-After or the limit headers say, else a jittered,
// growing time, and never past the request context's deadline or MaxWait: when
// the wait would go past, it returns what it has at once. To detect a broken answer it
// reads answers to GET into memory, up to 64 MiB; it is therefore not for streams.
//
// Wrap the authenticating transport in it, so that every attempt is signed again.
type Retry struct {
	// Base sends each attempt; nil means http.DefaultTransport.
	Base http.RoundTripper
	// MaxAttempts bounds how often a request is sent; 0 means 5. An attempt
	// answered with 429 does not count: those are bounded by MaxWait.
	MaxAttempts int
	// MaxWait bounds how long one request waits in all; 0 means 2 minutes.
	MaxWait time.Duration
	// OnWait, when set, is told of every wait before it begins.
	OnWait func(Wait)
	// Provider is who answers, in a Wait's Reason; empty means "the provider".
	Provider string
}

// Wait is one pause of Retry.
type Wait struct {
	// Delay is how long it will be.
	Delay time.Duration
	// Attempt counts the attempts made so far, from 1.
	Attempt int
	// Reason says why, in words for a person.
	Reason string
	// RateLimited reports that the budget is spent, rather than that something
	// is broken.
	RateLimited bool
}

// RoundTrip sends a request, again if need be.
func (r *Retry) RoundTrip(req *http.Request) (*http.Response, error) {
	base := r.Base
	if base == nil {
		base = http.DefaultTransport
	}
	if !repeatable(req) {
		return base.RoundTrip(req)
	}
	var (
		left     = r.MaxWait
		attempts = r.MaxAttempts
		counted  int
	)
	if left == 0 {
		left = 2 * time.Minute
	}
	if attempts == 0 {
		attempts = 5
	}
	for attempt := 1; ; attempt++ {
		again, err := rewind(req, attempt)
		if err != nil {
			return nil, err
		}
		resp, err := base.RoundTrip(again)
		if err == nil && req.Method == http.MethodGet {
			err = hold(resp)
		}
		wait, retry := r.judge(req.Context(), resp, err, attempt)
		if retry && !wait.RateLimited {
			doubt(req.Context())
		}
		if !wait.RateLimited {
			counted++
		}
		if !retry || counted >= attempts || wait.Delay > left || !fits(req.Context(), wait.Delay) {
			if err != nil {
				return nil, err
			}
			return resp, nil
		}
		if err == nil {
			_ = resp.Body.Close() // it is not going to be read
		}
		if r.OnWait != nil {
			r.OnWait(wait)
		}
		if err := sleep(req.Context(), wait.Delay); err != nil {
			return nil, err
		}
		left -= wait.Delay
	}
}

// repeatable reports whether sending the request twice is the same as once.
func repeatable(req *http.Request) bool {
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
		return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
	default:
		return false
	}
}

// rewind returns the request for an attempt, its body at the beginning.
func rewind(req *http.Request, attempt int) (*http.Request, error) {
	if attempt == 1 || req.GetBody == nil {
		return req, nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	again := req.Clone(req.Context())
	again.Body = body
	return again, nil
}

// judge says whether an outcome is worth another attempt, and after how long.
func (r *Retry) judge(ctx context.Context, resp *http.Response, err error, attempt int) (Wait, bool) {
	wait := Wait{Attempt: attempt}
	if err != nil {
		if _, refused := windlass.FromProvider(err); refused || ctx.Err() != nil || errors.Is(err, ErrTooLarge) {
			return wait, false // given up by the caller, refused before it was sent, or never going to fit
		}
		wait.Reason = "no whole answer"
		wait.Delay = backoff(attempt, 500*time.Millisecond, 30*time.Second)
		return wait, true
	}
	switch code := resp.StatusCode; {
	case code == http.StatusTooManyRequests:
		wait.RateLimited = true
		wait.Reason = "rate limited"
		wait.Delay = backoff(attempt, 5*time.Second, time.Minute)
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code >= http.StatusInternalServerError:
		wait.Reason = cmp.Or(r.Provider, "the provider") + " answered " + status(resp.StatusCode)
		wait.Delay = backoff(attempt, 500*time.Millisecond, 30*time.Second)
	default:
		return wait, false
	}
	if asked, ok := AskedToWait(resp.Header, time.Now()); ok {
		// A little more than asked, so that many clients do not return at the same moment.
		wait.Delay = max(asked, minWait) + rand.N(250*time.Millisecond)
	}
	return wait, true
}

// shortest is the minimum wait, whatever an answer says: "Retry-After: 0"
// must not become a loop.
const minWait = time.Second

// backoff doubles from first to most, and picks a time in the upper half.
func backoff(attempt int, first, most time.Duration) time.Duration {
	delay := most
	if attempt < 16 {
		delay = min(first<<(attempt-1), most)
	}
	return delay/2 + rand.N(delay/2+1)
}

// hold reads the whole answer, so that a truncated one is noticed here.
func hold(resp *http.Response) error {
	data, err := ReadBody(resp)
	_ = resp.Body.Close() // the read's own error is the one that counts
	resp.Body = io.NopCloser(bytes.NewReader(data))
	if err != nil {
		return &BrokenError{err}
	}
	resp.ContentLength = int64(len(data))
	return nil
}

// status shows an HTTP status with its name.
func status(code int) string {
	if name := http.StatusText(code); name != "" {
		return strconv.Itoa(code) + " " + name
	}
	return strconv.Itoa(code)
}

// fits reports whether a wait ends before the context's deadline.
func fits(ctx context.Context, delay time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) > delay
}

func sleep(ctx context.Context, delay time.Duration) error {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
