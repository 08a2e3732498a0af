package fault_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"windlass/bitbucket/sandbox/internal/fault"
)

// server applies faults as the package doc tells a server to.
func server(set *fault.Set, handler http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		faults := set.Take(r)
		for _, f := range faults {
			if fault.Delay(r.Context(), f) != nil {
				return
			}
		}
		for _, f := range faults {
			if fault.Answer(w, r, f) {
				return
			}
		}
		for _, f := range faults {
			var finish func()
			w, finish = fault.Wrap(w, f)
			defer finish()
		}
		handler(w, r)
	})
}

const page = `{"values": [{"uuid": "{1}"}, {"uuid": "{2}"}], "next": "https://api.example/2"}`

func servePage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, page)
}

type answer struct {
	status int
	header http.Header
	body   string
	err    error
}

func get(t *testing.T, text string, handler http.HandlerFunc) answer {
	t.Helper()
	var set fault.Set
	f, err := fault.ParseFault(text)
	if err != nil {
		t.Fatal(err)
	}
	set.Add(f)
	s := httptest.NewServer(server(&set, handler))
	defer s.Close()
	s.Config.ErrorLog = nil
	resp, err := s.Client().Get(s.URL + "/2.0/repositories/acme")
	if err != nil {
		return answer{err: err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(body), err}
}

func TestWhatAClientSees(t *testing.T) {
	t.Run("a status has an error body", func(t *testing.T) {
		got := get(t, "status=503,retry-after=1500ms", servePage)
		if got.status != 503 || got.header.Get("Retry-After") != "2" || !json.Valid([]byte(got.body)) {
			t.Errorf("%+v", got)
		}
	})
	t.Run("a status in plain text", func(t *testing.T) {
		got := get(t, "status=429,text", servePage)
		if got.status != 429 || got.header.Get("Retry-After") != "" || got.body != "Rate limit for this resource has been exceeded" {
			t.Errorf("%+v", got)
		}
	})
	t.Run("a gateway's page is HTML", func(t *testing.T) {
		got := get(t, "html", servePage)
		if got.status != 502 || got.header.Get("Content-Type") != "text/html; charset=utf-8" || json.Valid([]byte(got.body)) {
			t.Errorf("%+v", got)
		}
	})
	t.Run("a cut body ends unexpectedly in its middle", func(t *testing.T) {
		got := get(t, "cut", servePage)
		if got.status != 200 || !errors.Is(got.err, io.ErrUnexpectedEOF) || got.body != page[:len(page)/2] {
			t.Errorf("%+v", got)
		}
	})
	t.Run("a body cut after some bytes", func(t *testing.T) {
		if got := get(t, "cut=7", servePage); !errors.Is(got.err, io.ErrUnexpectedEOF) || got.body != page[:7] {
			t.Errorf("%+v", got)
		}
	})
	t.Run("an empty body is cut too", func(t *testing.T) {
		if got := get(t, "cut", func(http.ResponseWriter, *http.Request) {}); got.err == nil {
			t.Errorf("%+v", got)
		}
	})
	t.Run("a malformed body arrives whole", func(t *testing.T) {
		if got := get(t, "malformed", servePage); got.err != nil || got.status != 200 || got.body == "" || json.Valid([]byte(got.body)) {
			t.Errorf("%+v", got)
		}
	})
	t.Run("a malformed answer keeps its status", func(t *testing.T) {
		got := get(t, "malformed", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
		if got.err != nil || got.status != 204 {
			t.Errorf("%+v", got)
		}
	})
	t.Run("a reset connection gives no answer", func(t *testing.T) {
		if got := get(t, "reset", servePage); !errors.Is(got.err, syscall.ECONNRESET) && !errors.Is(got.err, io.EOF) {
			t.Errorf("%+v", got)
		}
	})
	t.Run("a skewed clock shows in the Date header", func(t *testing.T) {
		got := get(t, "skew=-2h", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", "Thu, 18 Jun 2026 18:51:11 GMT")
			servePage(w, r)
		})
		if got.header.Get("Date") != "Thu, 18 Jun 2026 16:51:11 GMT" || got.body != page {
			t.Errorf("%+v", got)
		}
	})
	t.Run("kinds that the server acts on leave the answer alone", func(t *testing.T) {
		for _, text := range []string{"foreign-next", "duplicate-page", "shift-page=3"} {
			if got := get(t, text, servePage); got.status != 200 || got.body != page {
				t.Errorf("%s: %+v", text, got)
			}
		}
	})
}

func TestHangLastsUntilTheClientLeaves(t *testing.T) {
	var set fault.Set
	set.Add(fault.Fault{Kind: fault.Hang})
	s := httptest.NewServer(server(&set, servePage))
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
	resp, err := s.Client().Do(req)
	if err == nil {
		resp.Body.Close()
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if err := fault.Delay(t.Context(), fault.Fault{Kind: fault.Cut, Latency: time.Minute}); err != nil || time.Since(start) != time.Minute {
			t.Errorf("waited %s: %v", time.Since(start), err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := fault.Delay(ctx, fault.Fault{Latency: time.Hour}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a client that left was waited for: %v", err)
		}
	})
}

func TestTake(t *testing.T) {
	const list = "/2.0/repositories/acme"
	tests := []struct {
		reads, fault string
		method       string
		paths        []string
		struck       string // one letter a request: x struck, . not
	}{
		{"every request", "hang", "GET", []string{list, "/x"}, "xx"},
		{"after some, then once", "status=502,after=2,times=1", "GET", []string{list, list, list, list}, "..x."},
		{"only requests that match are counted", "status=502,path=/2.0/repositories/*,after=1,times=1", "GET", []string{"/x", list, "/x", list, list}, "...x."},
		{"a star stops at a slash", "hang,path=/2.0/repositories/*", "GET", []string{list, list + "/slug", "/2.0/repositories"}, "x.."},
		{"two stars do not", "hang,path=/2.0/**/hooks", "GET", []string{"/2.0/workspaces/acme/hooks", "/2.0/workspaces/acme/hooks/1"}, "x."},
		{"a question mark is one character", "hang,path=/2.0/use?", "GET", []string{"/2.0/user", "/2.0/users"}, "x."},
		{"other characters stand for themselves", "hang,path=/2.0/a.c", "GET", []string{"/2.0/a.c", "/2.0/abc"}, "x."},
		{"the path is compared decoded", "hang,path=/2.0/repositories/{*}", "GET", []string{"/2.0/repositories/%7Bu%7D"}, "x"},
		{"the method decides too", "hang,method=post", "GET", []string{list}, "."},
		{"in either case", "hang,method=get", "GET", []string{list}, "x"},
	}
	for _, tt := range tests {
		t.Run(tt.reads, func(t *testing.T) {
			f, err := fault.ParseFault(tt.fault)
			if err != nil {
				t.Fatal(err)
			}
			var set fault.Set
			set.Add(f)
			got := ""
			for _, path := range tt.paths {
				if taken := set.Take(httptest.NewRequest(tt.method, path, nil)); len(taken) == 1 {
					got += "x"
				} else {
					got += "."
				}
			}
			if got != tt.struck {
				t.Errorf("struck %s, want %s", got, tt.struck)
			}
		})
	}
}

func TestTakeStrikesExactlyAsOftenAsAsked(t *testing.T) {
	var set fault.Set
	set.Add(fault.Fault{Kind: fault.Hang, After: 10, Times: 7})
	var struck atomic.Int64
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() { struck.Add(int64(len(set.Take(httptest.NewRequest(http.MethodGet, "/", nil))))) })
	}
	wg.Wait()
	if struck.Load() != 7 || len(set.List()) != 0 {
		t.Errorf("struck %d requests, %d faults left", struck.Load(), len(set.List()))
	}
}

func TestSetCollects(t *testing.T) {
	var set fault.Set
	set.Add(fault.Fault{Kind: fault.Skew, Skew: time.Hour})
	set.Add(fault.Fault{Kind: fault.ShiftPage, Amount: 2})
	taken := set.Take(httptest.NewRequest(http.MethodGet, "/", nil))
	if shift, ok := fault.Find(taken, fault.ShiftPage); len(taken) != 2 || !ok || shift.Amount != 2 {
		t.Errorf("took %v", taken)
	}
	if _, ok := fault.Find(taken, fault.Cut); ok {
		t.Error("found a fault that is not there")
	}
	set.Clear()
	if left := set.Take(httptest.NewRequest(http.MethodGet, "/", nil)); len(left) != 0 {
		t.Errorf("after Clear: %v", left)
	}
}
