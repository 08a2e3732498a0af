package proxy_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"windlass/internal/proxy"
)

// An echo sends back what arrives, line by line, at once: neither side waits for
// the other's end.
func TestBothSidesStreamAtOnce(t *testing.T) {
	w := newWorld(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(rw)
		_ = control.EnableFullDuplex()
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() {
			fmt.Fprintln(rw, strings.ToUpper(lines.Text()))
			_ = control.Flush()
		}
	}), nil)
	for _, version := range []string{"1.1", "2"} {
		t.Run(version, func(t *testing.T) {
			transport := &http.Transport{Protocols: new(http.Protocols)}
			transport.Protocols.SetHTTP1(version == "1.1")
			transport.Protocols.SetUnencryptedHTTP2(version == "2")
			defer transport.CloseIdleConnections()
			from, to := io.Pipe()
			sent := make(chan error, 1)
			go func() {
				_, err := io.WriteString(to, "one\n")
				sent <- err
			}()
			resp, err := transport.RoundTrip(w.request("POST", "/2.0/x", from))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if err := <-sent; err != nil {
				t.Fatal(err)
			}
			answers := bufio.NewReader(resp.Body)
			for i, want := range []string{"ONE\n", "TWO\n", "THREE\n"} {
				if got, err := answers.ReadString('\n'); got != want {
					t.Fatalf("got %q (%v), want %q", got, err, want)
				}
				if next := []string{"two\n", "three\n"}; i < len(next) {
					if _, err := io.WriteString(to, next[i]); err != nil {
						t.Fatal(err)
					}
				}
			}
			_ = to.Close()
			if rest, err := io.ReadAll(answers); err != nil || len(rest) > 0 {
				t.Errorf("%q, %v", rest, err)
			}
		})
	}
}

// A body whose length is known is not held back until there is enough of it.
func TestAKnownLengthStreamsToo(t *testing.T) {
	t.Parallel()
	step := make(chan struct{})
	w := newWorld(t, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Length", "6")
		_, _ = io.WriteString(rw, "abc")
		_ = http.NewResponseController(rw).Flush()
		<-step
		_, _ = io.WriteString(rw, "def")
	}), nil)
	resp, err := w.front.Client().Do(w.request("GET", "/2.0/x", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	half := make([]byte, 3)
	if _, err := io.ReadFull(resp.Body, half); err != nil || string(half) != "abc" {
		t.Fatalf("%q, %v", half, err)
	}
	close(step)
	if rest, err := io.ReadAll(resp.Body); err != nil || string(rest) != "def" {
		t.Errorf("%q, %v", rest, err)
	}
}

// The provider is asked whether it wants the body, before the caller sends it.
func TestExpectContinueGoesThrough(t *testing.T) {
	t.Parallel()
	w := newWorld(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/2.0/no" {
			rw.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		mirror(rw, r)
	}), nil)
	const head = "PUT %s HTTP/1.1\r\nHost: proxy\r\nX-Amp-Installation-Id: " + installationID + "\r\nExpect: 100-continue\r\nContent-Length: 4\r\nConnection: close\r\n\r\n"
	text, _ := io.ReadAll(w.raw(fmt.Sprintf(head, "/2.0/no")))
	if !strings.HasPrefix(string(text), "HTTP/1.1 413 ") {
		t.Errorf("the refusal is %q", text)
	}
	conn := w.raw(fmt.Sprintf(head, "/2.0/yes"))
	answers := bufio.NewReader(conn)
	if line, err := answers.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 100 ") {
		t.Fatalf("got %q (%v)", line, err)
	}
	_, _ = io.WriteString(conn, "body")
	if text, _ := io.ReadAll(answers); !strings.Contains(string(text), "body: body\n") {
		t.Errorf("got %q", text)
	}
}

// zeroes is a generated body of zeros.
type zeroes struct{ left int64 }

func (z *zeroes) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.left)
	z.left -= n
	return int(n), nil
}

func TestAGigabyteEachWayTakesNoMemory(t *testing.T) {
	size := int64(1 << 30)
	if raced {
		size >>= 4
	}
	w := newWorld(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			t.Error(err)
		}
		rw.Header().Set("X-Got", fmt.Sprint(n))
		_, _ = io.Copy(rw, &zeroes{size})
	}), nil)
	peak := watchHeap(t)
	resp, err := w.front.Client().Do(w.request("PUT", "/2.0/x", &zeroes{size}))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if err != nil || n != size || resp.Header.Get("X-Got") != fmt.Sprint(size) {
		t.Errorf("%d and %s bytes arrived of %d (%v)", n, resp.Header.Get("X-Got"), size, err)
	}
	if grown := peak(); grown > 16<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
	if seen := w.told(); seen.Up != size || seen.Down != size || seen.Cut {
		t.Errorf("seen %+v", seen)
	}
}

// watchHeap begins to look at the heap, and returns what ends that and tells by how
// much it grew at most.
func watchHeap(t *testing.T) func() uint64 {
	t.Helper()
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	before, most := stats.HeapAlloc, stats.HeapAlloc
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for tick := time.Tick(5 * time.Millisecond); ; {
			select {
			case <-stop:
				return
			case <-tick:
				runtime.ReadMemStats(&stats)
				most = max(most, stats.HeapAlloc)
			}
		}
	}()
	return func() uint64 {
		close(stop)
		<-done
		return most - before
	}
}

// endless is a provider that answers for as long as a client reads.
func endless(ended chan<- error) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(rw, &untilDone{r.Context()})
		ended <- r.Context().Err()
	})
}

type untilDone struct{ ctx context.Context }

func (u *untilDone) Read(p []byte) (int, error) { return len(p), u.ctx.Err() }

func TestACallerWhoGoesAwayTakesTheProvidersSideWithIt(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	w := newWorld(t, endless(ended), nil)
	ctx, cancel := context.WithCancel(t.Context())
	resp, err := w.front.Client().Do(w.request("GET", "/2.0/x", nil).WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, resp.Body, 1<<20); err != nil {
		t.Fatal(err)
	}
	cancel()
	_ = resp.Body.Close()
	w.ends(ended)
	if seen := w.told(); !seen.Cut || seen.Status != 200 {
		t.Errorf("seen %+v", seen)
	}
	w.isEmpty()
}

func TestACallerWhoGoesAwayBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	for _, body := range []any{nil, "short", io.MultiReader(strings.NewReader("of unknown length"))} {
		arrived, ended := make(chan struct{}), make(chan error, 1)
		w := newWorld(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			close(arrived)
			<-r.Context().Done()
			ended <- r.Context().Err()
		}), nil)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			<-arrived
			cancel()
		}()
		if resp, err := w.front.Client().Do(w.request("POST", "/2.0/x", body).WithContext(ctx)); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, %v", resp, err)
		}
		w.ends(ended)
		if seen := w.told(); seen.Status != 499 || seen.Cut {
			t.Errorf("seen %+v", seen)
		}
		w.isEmpty()
	}
}

// An answer that breaks off in the middle must not look like a whole one.
func TestAnAnswerThatBreaksOffIsCut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		_, _ = rw.Write(make([]byte, 100_000))
		_ = http.NewResponseController(rw).Flush()
		panic(http.ErrAbortHandler)
	}), nil)
	resp, err := w.front.Client().Do(w.request("GET", "/2.0/x", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if n, err := io.Copy(io.Discard, resp.Body); err == nil {
		t.Errorf("%d bytes look like all of it", n)
	}
	if seen := w.told(); !seen.Cut {
		t.Errorf("seen %+v", seen)
	}
}

func TestAProviderThatCannotBeReached(t *testing.T) {
	t.Parallel()
	w := newWorld(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), nil)
	if resp, text := w.do(w.request("POST", "/2.0/x", "body")); resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(text, "broke off before it answered") {
		t.Errorf("got %d %s", resp.StatusCode, text)
	}
	w.provider.Close()
	if resp, text := w.do(w.request("GET", "/2.0/x", nil)); resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(text, "cannot be reached") {
		t.Errorf("got %d %s", resp.StatusCode, text)
	}
}

func (w *world) ends(ended <-chan error) {
	w.Helper()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		w.Error("the provider's side did not end")
	}
}

// isEmpty waits until nothing is under way.
func (w *world) isEmpty() {
	w.Helper()
	for deadline := time.Now().Add(20 * time.Second); w.proxy.Open() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			w.Fatalf("%d requests are still open", w.proxy.Open())
		}
	}
}

// hasty are limits that tests need not wait long for.
func hasty(c *proxy.Config) {
	c.Limits.Answer, c.Limits.Stall = 300*time.Millisecond, 300*time.Millisecond
}

// What is left of a body that the provider did not wait for is never read as the
// caller's next request.
func TestAnAnswerBeforeTheEndOfTheBodyEndsTheConnection(t *testing.T) {
	t.Parallel()
	w := newWorld(t, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusForbidden) }), nil)
	const next = "GET /2.0/smuggled HTTP/1.1\r\nHost: proxy\r\nX-Amp-Installation-Id: " + installationID + "\r\n\r\n"
	for range 50 {
		conn := w.raw("POST /2.0/x HTTP/1.1\r\nHost: proxy\r\nX-Amp-Installation-Id: " + installationID + "\r\nContent-Length: 1000000\r\n\r\n")
		answers := bufio.NewReader(conn)
		line, err := answers.ReadString('\n')
		if err != nil || !strings.HasPrefix(line, "HTTP/1.1 403 ") {
			t.Fatalf("%q, %v", line, err)
		}
		_, _ = io.WriteString(conn, next)
		rest, _ := io.ReadAll(answers)
		if !strings.Contains(line+string(rest), "Connection: close\r\n") || strings.Contains(string(rest), "HTTP/1.1") {
			t.Fatalf("got %q", rest)
		}
	}
}
