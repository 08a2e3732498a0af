package server_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"windlass/internal/server"
)

// A client of one connection, that never gives it back.
type held struct {
	net.Conn

	answers *bufio.Reader
}

func (r *running) hold() *held {
	r.tb.Helper()
	conn, err := (&net.Dialer{}).DialContext(r.tb.Context(), "tcp", r.URL()[len("http://"):])
	if err != nil {
		r.tb.Fatal(err)
	}
	r.tb.Cleanup(func() { _ = conn.Close() })
	return &held{conn, bufio.NewReader(conn)}
}

// ask makes a request, and returns the status of the answer, or how it failed.
func (h *held) ask(path, key string) (int, error) {
	const patience = 20 * time.Second // never spent when all is well
	if err := h.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	if _, err := fmt.Fprintf(h, "GET %s HTTP/1.1\r\nHost: windlass\r\nX-Api-Key: %s\r\n\r\n", path, key); err != nil {
		return 0, err
	}
	resp, err := http.ReadResponse(h.answers, nil)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, errors.Join(err, resp.Body.Close())
}

// closed reports whether the server has ended the connection, for which it waits.
func (h *held) closed(patience time.Duration) bool {
	_ = h.SetReadDeadline(time.Now().Add(patience))
	_, err := h.answers.ReadByte()
	return err != nil && !errors.Is(err, os.ErrDeadlineExceeded)
}

// A thousand sockets of one address without a key: the server keeps as many as are
// allowed, callers with a key go on, and a new caller gets in.
func TestSocketsWithoutAKeyMakeRoom(t *testing.T) {
	t.Parallel()
	config := configOf(t, "sqlite")
	config.MaxConnectionsPerAddress = 50
	r := start(t, config)
	known := make([]*held, 60) // more than an address may have without a key
	for i := range known {
		known[i] = r.hold()
		if status, err := known[i].ask("/v1/projects/default", r.key); status != http.StatusOK {
			t.Fatal(status, err)
		}
	}
	const sockets = 1000
	strangers := make([]*held, sockets)
	for i := range strangers {
		strangers[i] = r.hold()
		if i%2 == 0 { // the others never say a word
			_, _ = io.WriteString(strangers[i], "GET /healthz HTTP/1.1\r\nHost: windlass\r\n\r\n") // it may be closed already
		}
	}
	for _, stranger := range strangers[:sockets-2*config.MaxConnectionsPerAddress] {
		_ = stranger.SetReadDeadline(time.Now().Add(20 * time.Second)) // never spent when all is well
		if _, err := io.Copy(io.Discard, stranger); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal("a socket of long ago is still open")
		}
	}
	for i, caller := range known {
		if status, err := caller.ask("/v1/projects/default", r.key); status != http.StatusOK {
			t.Fatalf("caller %d, who was let in, got %d, %v", i, status, err)
		}
	}
	if status, err := r.hold().ask("/v1/projects/default", r.key); status != http.StatusOK {
		t.Errorf("a new caller got %d, %v", status, err)
	}
	_, metrics := r.get("/metrics")
	var open, admitted, closed int
	for line := range strings.Lines(metrics) {
		_, _ = fmt.Sscanf(line, `windlass_http_connections{admitted="false"} %d`, &open)
		_, _ = fmt.Sscanf(line, `windlass_http_connections{admitted="true"} %d`, &admitted)
		_, _ = fmt.Sscanf(line, `windlass_http_connections_closed_total %d`, &closed)
	}
	if open > config.MaxConnectionsPerAddress || admitted < len(known) || closed < sockets-config.MaxConnectionsPerAddress {
		t.Errorf("%d connections without a key, %d with one; %d were closed", open, admitted, closed)
	}
}

// In all there are no more than allowed. Who was let in is not closed for a new one.
func TestConnectionsAreBoundedInAll(t *testing.T) {
	t.Parallel()
	config := configOf(t, "sqlite")
	config.MaxConnections = 8
	r := start(t, config)
	known := make([]*held, config.MaxConnections)
	for i := range known {
		known[i] = r.hold()
		if status, err := known[i].ask("/v1/projects/default", r.key); status != http.StatusOK {
			t.Fatal(i, status, err)
		}
	}
	if !r.hold().closed(20 * time.Second) {
		t.Error("one more than allowed is not refused")
	}
	for i, caller := range known {
		if status, err := caller.ask("/v1/projects/default", r.key); status != http.StatusOK {
			t.Errorf("caller %d got %d, %v", i, status, err)
		}
	}
}

// A connection whose key is refused is no better than one without.
func TestARefusedKeyLetsNobodyIn(t *testing.T) {
	t.Parallel()
	config := configOf(t, "sqlite")
	config.MaxConnectionsPerAddress = 3
	r := start(t, config)
	refused := r.hold()
	if status, err := refused.ask("/v1/projects/default", "wrong"); status != http.StatusUnauthorized {
		t.Fatal(status, err)
	}
	for range config.MaxConnectionsPerAddress {
		if status, err := r.hold().ask("/healthz", ""); status != http.StatusOK {
			t.Fatal(status, err)
		}
	}
	if !refused.closed(20 * time.Second) {
		t.Error("it is still open")
	}
}

func TestLimitsOfConnectionsBelowZero(t *testing.T) {
	t.Parallel()
	for _, spoil := range []func(*server.Config){
		func(c *server.Config) { c.MaxConnections = -1 }, func(c *server.Config) { c.MaxConnectionsPerAddress = -1 },
	} {
		config := configOf(t, "sqlite")
		spoil(&config)
		if _, err := server.New(t.Context(), config); err == nil || !strings.Contains(err.Error(), "number of connections is negative") {
			t.Errorf("got %v", err)
		}
	}
}
