package workspace

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// roundTrip is a transport made of a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// drip is a body that gives one byte after each pause, and then hangs until the
// request is given up.
type drip struct {
	ctx   context.Context
	bytes int
	pause time.Duration
}

func (d *drip) Read(p []byte) (int, error) {
	if d.bytes == 0 {
		<-d.ctx.Done()
		return 0, d.ctx.Err()
	}
	time.Sleep(d.pause)
	d.bytes--
	p[0] = 'x'
	return 1, nil
}

func (d *drip) Close() error { return nil }

func send(t *testing.T, m *meter) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.example/2.0/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	return m.RoundTrip(req)
}

func wantStall(t *testing.T, err error) {
	t.Helper()
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("got error %v, want a timeout", err)
	}
	if errors.Is(err, context.Canceled) {
		t.Error("a stall must not look as if the caller had given up")
	}
}

func TestMeterGivesUpOnAnAnswerThatNeverBegins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &meter{stall: time.Minute, base: roundTrip(func(req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		})}
		begun := time.Now()
		resp, err := send(t, m)
		if err == nil {
			_ = resp.Body.Close()
		}
		wantStall(t, err)
		if took := time.Since(begun); took != time.Minute {
			t.Errorf("gave up after %s", took)
		}
		if n := m.requests.Load(); n != 1 {
			t.Errorf("counted %d requests", n)
		}
	})
}

func TestMeterLetsASlowAnswerGoOnAndGivesUpWhenItStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const bytes, pause = 5, 50 * time.Second
		m := &meter{stall: time.Minute, base: roundTrip(func(req *http.Request) (*http.Response, error) {
			return &http.Response{Header: http.Header{}, Body: &drip{ctx: req.Context(), bytes: bytes, pause: pause}}, nil
		})}
		begun := time.Now()
		resp, err := send(t, m)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(resp.Body)
		wantStall(t, err)
		_ = resp.Body.Close()
		if len(data) != bytes || m.bytes.Load() != bytes {
			t.Errorf("got %d bytes and counted %d, want %d", len(data), m.bytes.Load(), bytes)
		}
		if took := time.Since(begun); took != bytes*pause+time.Minute {
			t.Errorf("gave up after %s", took)
		}
	})
}

func TestMeterReadsTheBudget(t *testing.T) {
	t.Parallel()
	m := &meter{stall: time.Minute, base: roundTrip(func(*http.Request) (*http.Response, error) {
		header := http.Header{}
		header.Set("X-RateLimit-Remaining", "77")
		return &http.Response{Header: header, Body: io.NopCloser(strings.NewReader("{}"))}, nil
	})}
	resp, err := send(t, m)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if limit := m.limit.Load(); limit == nil || limit.Remaining != 77 {
		t.Errorf("got %+v, want 77 left", limit)
	}
}
