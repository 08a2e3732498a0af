package workspace

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"windlass/connector"
	"windlass/internal/cli/command"
)

// screen is a terminal that remembers every line drawn on it, and when.
type screen struct {
	mu    sync.Mutex
	lines []string
	times []time.Time
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, strings.TrimPrefix(string(p), "\r\x1b[K"))
	s.times = append(s.times, time.Now())
	return len(p), nil
}

func (s *screen) last() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.lines) == 0 {
		return ""
	}
	return s.lines[len(s.lines)-1]
}

func newTestProgress(s *screen, columns int) (*progress, *meter) {
	m := &meter{}
	env := command.Env{Stderr: s, Now: time.Now, Columns: func() int { return columns }}
	return newProgress(&env, "repositories", m), m
}

func TestProgressSaysHowFarItIs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &screen{}
		p, m := newTestProgress(s, 120)
		p.begin()
		defer p.end()
		expect := func(want string) {
			t.Helper()
			time.Sleep(redraw)
			synctest.Wait()
			if got := s.last(); got != want {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		}

		time.Sleep(redraw * 4)
		m.requests.Add(1)
		p.read(100, 50_000)
		expect("repositories  100 of 50,000 · 8 min 19 s to go · 1 request, about 999 left · 100/s")

		time.Sleep(redraw * 4)
		m.requests.Add(1)
		m.limit.Store(&connector.Limit{Limit: 2000, Remaining: 1234})
		p.read(100, 200)
		expect("repositories  200 of 200 · 2 requests, 1,234 left · 100/s")

		m.limit.Store(&connector.Limit{Limit: 2000, Remaining: -1})
		p.read(0, -1)
		expect("repositories  200 records · 2 requests, about 1,998 left · 91/s")

		p.wait(connector.Wait{Delay: 42 * time.Second, Reason: "rate limited"})
		expect("repositories  200 records · rate limited, going on in 42 s")
		time.Sleep(40 * time.Second)
		expect("repositories  200 records · rate limited, going on in 2 s")
	})
}

func TestProgressCountsOnAfterAResume(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p, _ := newTestProgress(&screen{}, 120)
		p.resumed(1000, 2000)
		time.Sleep(time.Second)
		p.read(100, 2000)
		want := "repositories  1,100 of 2,000 · 9 s to go · 0 requests, about 1,000 left · 100/s"
		if got := p.line(time.Now()); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
}

func TestProgressIsDrawnAtMostFiveTimesASecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &screen{}
		p, m := newTestProgress(s, 120)
		p.begin()
		for range 1000 {
			time.Sleep(time.Millisecond)
			m.requests.Add(1)
			p.read(1, 1000)
		}
		p.end()
		for i := 1; i < len(s.times)-1; i++ { // the last one wipes the line
			if gap := s.times[i].Sub(s.times[i-1]); gap < redraw {
				t.Errorf("drawn twice within %s", gap)
			}
		}
		if n := len(s.lines); n < 5 || n > 6 {
			t.Errorf("drawn %d times in a second", n)
		}
		if last := s.last(); last != "" {
			t.Errorf("the line was not wiped: %q stayed", last)
		}
	})
}

func TestProgressNeverWraps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &screen{}
		p, _ := newTestProgress(s, 20)
		p.begin()
		p.read(100, 50_000)
		time.Sleep(redraw)
		synctest.Wait()
		if got, want := s.last(), "repositories  100 of"; got != want[:19] {
			t.Errorf("got %q, want %q", got, want[:19])
		}
		p.end()
		p.end() // harmless
	})
}

func TestProgressOfAShortCommandIsNotDrawn(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	env := command.Env{Stderr: &out, Now: time.Now, Columns: func() int { return 80 }}
	p := newProgress(&env, "repositories", &meter{})
	p.begin()
	p.end()
	if out.Len() > 0 {
		t.Errorf("drew %q", out.String())
	}
}

func TestWholeSeconds(t *testing.T) {
	t.Parallel()
	if got := whole(300 * time.Millisecond); got != "1 s" {
		t.Errorf("got %q", got)
	}
}
