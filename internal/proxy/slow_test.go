package proxy_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"windlass/connector"
	"windlass/internal/proxy"
)

func TestAProviderThatNeverAnswers(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 3)
	w := newWorld(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		ended <- r.Context().Err()
	}), hasty)
	for _, body := range []any{nil, "short", io.MultiReader(strings.NewReader("of unknown length"))} {
		resp, text := w.do(w.request("POST", "/2.0/x", body))
		if resp.StatusCode != http.StatusGatewayTimeout || !strings.Contains(text, "did not answer in time") {
			t.Errorf("got %d %s", resp.StatusCode, text)
		}
		w.ends(ended)
	}
	w.isEmpty()
}

// A provider that accepts a connection and reads nothing is no better.
func TestAProviderThatTakesNothing(t *testing.T) {
	t.Parallel()
	deaf, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	w := newWorld(t, http.NotFoundHandler(), func(c *proxy.Config) {
		hasty(c)
		c.Providers = connector.Providers{anywhere{at("", "http://"+deaf.Addr().String())}}
	})
	for _, body := range []any{nil, &zeroes{64 << 20}} {
		resp, err := w.front.Client().Do(w.request("POST", "/2.0/x", body))
		if err != nil { // net/http may notice the closed connection while it still sends
			continue
		}
		if _ = resp.Body.Close(); resp.StatusCode != http.StatusGatewayTimeout {
			t.Errorf("got %d", resp.StatusCode)
		}
	}
	w.isEmpty()
	for range 2 {
		if seen := w.told(); seen.Status != 504 {
			t.Errorf("seen %+v", seen)
		}
	}
}

func TestAProviderThatFallsSilent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(rw, "the beginning")
		_ = http.NewResponseController(rw).Flush()
		<-r.Context().Done()
	}), hasty)
	resp, err := w.front.Client().Do(w.request("GET", "/2.0/x", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err == nil || string(text) != "the beginning" {
		t.Errorf("%q, %v", text, err)
	}
	if seen := w.told(); !seen.Cut || seen.Took > 10*time.Second {
		t.Errorf("seen %+v", seen)
	}
}

// Slow is no fault: only who stands still is let go.
func TestWhatMovesMayTakeItsTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		for range 8 {
			fmt.Fprintf(rw, "%d\n", n)
			_ = http.NewResponseController(rw).Flush()
			time.Sleep(100 * time.Millisecond)
		}
	}), hasty)
	from, to := io.Pipe()
	go func() {
		for range 8 {
			_, _ = to.Write(make([]byte, 2<<10))
			time.Sleep(100 * time.Millisecond)
		}
		_ = to.Close()
	}()
	resp, text := w.do(w.request("POST", "/2.0/x", from))
	if resp.StatusCode != http.StatusOK || strings.Count(text, "16384\n") != 8 {
		t.Errorf("got %d %q", resp.StatusCode, text)
	}
}

func TestASlowLoris(t *testing.T) {
	t.Parallel()
	const head = "POST /2.0/x HTTP/1.1\r\nHost: proxy\r\nX-Amp-Installation-Id: " + installationID + "\r\n"
	for _, row := range []struct{ name, text, drip string }{
		{"a header that does not end", "POST /2.0/x HTTP/1.1\r\nHost: proxy\r\n", "X-A: b\r\n"},
		{"a body that does not begin", head + "Content-Length: 100\r\n\r\n", ""},
		{"one that is kept, byte by byte", head + "Content-Length: 100\r\n\r\n", "x"},
		{"one that streams, byte by byte", head + "Content-Length: 100000\r\n\r\n", "x"},
		{"one of unknown length, byte by byte", head + "Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"},
		{"one whose request is refused", strings.Replace(head, installationID, "nope", 1) + "Content-Length: 100000\r\n\r\n", "x"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, http.HandlerFunc(mirror), func(c *proxy.Config) { c.Limits.Stall = 300 * time.Millisecond })
			conn := w.raw(row.text)
			gone := make(chan struct{})
			go func() {
				for {
					select {
					case <-gone:
						return
					case <-time.After(50 * time.Millisecond):
						_, _ = io.WriteString(conn, row.drip)
					}
				}
			}()
			begun := time.Now()
			text, _ := io.ReadAll(conn)
			close(gone)
			if took := time.Since(begun); took > 8*time.Second {
				t.Errorf("it held on for %s: %s", took, text)
			}
			if row.drip != "X-A: b\r\n" && !strings.HasPrefix(string(text), "HTTP/1.1 408 ") && !strings.HasPrefix(string(text), "HTTP/1.1 404 ") {
				t.Errorf("it was told %q", text)
			}
			w.isEmpty()
		})
	}
}

// A caller who does not take the answer is let go as well.
func TestACallerWhoTakesNothing(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	w := newWorld(t, endless(ended), hasty)
	conn := w.raw("GET /2.0/x HTTP/1.1\r\nHost: proxy\r\nX-Amp-Installation-Id: " + installationID + "\r\n\r\n")
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(line, "200") {
		t.Fatalf("%q, %v", line, err)
	}
	w.ends(ended)
	if seen := w.told(); !seen.Cut {
		t.Errorf("seen %+v", seen)
	}
	w.isEmpty()
}

func TestNothingIsLeftBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("all sorts of ends", func(t *testing.T) {
		w := newWorld(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/hang":
				_, _ = io.Copy(io.Discard, r.Body) // a server notices that its caller has gone only then
				<-r.Context().Done()
			case "/early":
				rw.WriteHeader(http.StatusForbidden)
			case "/half":
				_, _ = rw.Write(make([]byte, 10_000))
				panic(http.ErrAbortHandler)
			default:
				mirror(rw, r)
			}
		}), hasty)
		client := w.front.Client()
		for _, path := range []string{"/fine", "/hang", "/early", "/half", "//refused"} {
			for _, patience := range []time.Duration{time.Minute, 50 * time.Millisecond} {
				for _, body := range []any{nil, "short", &zeroes{1 << 20}} {
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					if resp, err := client.Do(w.request("POST", path, body).WithContext(ctx)); err == nil {
						_, _ = io.Copy(io.Discard, resp.Body)
						_ = resp.Body.Close()
					}
					cancel()
				}
			}
		}
		client.CloseIdleConnections()
		w.isEmpty()
	})
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before: %s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}
