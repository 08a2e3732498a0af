package server

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// stallWorld serves answers of a size with the bounds of a server, and tells how the
// writing of each ended.
func stallWorld(t *testing.T, stall time.Duration, size int) (addr string, ended chan error) {
	t.Helper()
	ended = make(chan error, 10)
	answer := make([]byte, size)
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, err := w.Write(answer)
		ended <- err
	})
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := newHTTPServer(handler, stall, func(*http.Request) bool { return false }, slog.New(slog.DiscardHandler))
	go func() { _ = s.Serve(l) }() // it ends with Close
	t.Cleanup(func() { _ = s.Close() })
	return l.Addr().String(), ended
}

func dial(t *testing.T, addr string) *net.TCPConn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	tcp, _ := conn.(*net.TCPConn)
	if err := tcp.SetReadBuffer(32 << 10); err != nil {
		t.Fatal(err)
	}
	return tcp
}

const plainGet = "GET / HTTP/1.1\r\nHost: windlass\r\nConnection: close\r\n\r\n"

// waited bounds a test that fails; it is never spent when all is well.
const waited = 30 * time.Second

func TestAClientThatNeverReadsIsLetGo(t *testing.T) {
	t.Parallel()
	addr, ended := stallWorld(t, 200*time.Millisecond, 64<<20) // more than the kernel keeps
	const clients = 5
	for range clients {
		if _, err := io.WriteString(dial(t, addr), plainGet); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), waited)
	defer cancel()
	for range clients {
		select {
		case err := <-ended:
			if err == nil {
				t.Error("64 MiB were written to a client that reads nothing")
			}
		case <-ctx.Done():
			t.Fatal("the writing goes on")
		}
	}
}

// A client that is slow and takes something within the stall time gets all of it,
// however long that takes.
func TestASlowClientGetsItsAnswer(t *testing.T) {
	t.Parallel()
	const stall, size, reads = 2 * time.Second, 16 << 20, 50
	addr, ended := stallWorld(t, stall, size)
	conn := dial(t, addr)
	if _, err := io.WriteString(conn, plainGet); err != nil {
		t.Fatal(err)
	}
	got := int64(0)
	for range reads {
		n, err := io.CopyN(io.Discard, conn, size/reads)
		got += n
		if err != nil {
			t.Fatalf("after %d bytes: %v", got, err)
		}
		time.Sleep(2 * stall / reads) // in all, twice the stall time
	}
	rest, err := io.Copy(io.Discard, conn)
	if got += rest; err != nil || got < size {
		t.Errorf("got %d of %d bytes: %v", got, size, err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// Only writing counts: an answer may pause longer than a client may.
func TestAnAnswerMayBeSilent(t *testing.T) {
	t.Parallel()
	const stall = 50 * time.Millisecond
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range 3 {
			_, _ = io.WriteString(w, "event\n")
			_ = http.NewResponseController(w).Flush()
			time.Sleep(4 * stall)
		}
	})
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s := newHTTPServer(handler, stall, func(*http.Request) bool { return false }, slog.New(slog.DiscardHandler))
		go func() { _ = s.Serve(l) }() // it ends with Close
		protocols := new(http.Protocols)
		protocols.SetHTTP1(version == "HTTP/1.1")
		protocols.SetUnencryptedHTTP2(version == "HTTP/2.0")
		client := &http.Client{Transport: &http.Transport{Protocols: protocols}}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+l.Addr().String(), nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		if err != nil || string(text) != strings.Repeat("event\n", 3) || resp.Proto != version {
			t.Errorf("%s: %q, %v", resp.Proto, text, err)
		}
		_ = resp.Body.Close()
		client.CloseIdleConnections()
		_ = s.Close()
	}
}
