package server_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"
)

// The frames of HTTP/2 (RFC 9113) that these tests use.
const (
	frameHeaders  = 0x1
	frameReset    = 0x3
	frameSettings = 0x4
	frameGoAway   = 0x7

	flagEndStream, flagEndHeaders = 0x1, 0x4
)

// rawH2 is a client of HTTP/2 that gives no window unless it is told to: what it asks
// for cannot be sent.
type rawH2 struct {
	tb   testing.TB
	conn net.Conn
	next uint32
}

func dialH2(tb testing.TB, addr string) *rawH2 {
	tb.Helper()
	conn, err := (&net.Dialer{}).DialContext(tb.Context(), "tcp", addr)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil { // never spent when all is well
		tb.Fatal(err)
	}
	h := &rawH2{tb, conn, 1}
	h.write([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))
	h.frame(frameSettings, 0, 0, []byte{0, 4, 0, 0, 0, 0}) // INITIAL_WINDOW_SIZE is 0
	return h
}

func (h *rawH2) write(data []byte) {
	h.tb.Helper()
	if _, err := h.conn.Write(data); err != nil {
		h.tb.Fatal(err)
	}
}

func (h *rawH2) frame(kind, flags byte, stream uint32, body []byte) {
	h.tb.Helper()
	head := []byte{byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body)), kind, flags, 0, 0, 0, 0}
	binary.BigEndian.PutUint32(head[5:], stream)
	h.write(append(head, body...))
}

// get begins a request on a stream of its own. Header fields are name, value, ….
func (h *rawH2) get(path string, fields ...string) {
	h.tb.Helper()
	text := func(s string) []byte { return append([]byte{byte(len(s))}, s...) }
	block := []byte{0x82, 0x86} // GET, http
	block = append(append(block, 0x04), text(path)...)
	block = append(append(block, 0x01), text("127.0.0.1")...)
	for i := 0; i < len(fields); i += 2 {
		block = append(append(append(block, 0x00), text(fields[i])...), text(fields[i+1])...)
	}
	h.frame(frameHeaders, flagEndStream|flagEndHeaders, h.next, block)
	h.next += 2
}

// resets reads until so many streams were reset, or the connection ends.
func (h *rawH2) resets(want int) error {
	got := map[uint32]bool{}
	for len(got) < want {
		var head [9]byte
		if _, err := io.ReadFull(h.conn, head[:]); err != nil {
			return fmt.Errorf("%d of %d streams were reset: %w", len(got), want, err)
		}
		if _, err := io.CopyN(io.Discard, h.conn, int64(head[0])<<16|int64(head[1])<<8|int64(head[2])); err != nil {
			return err
		}
		switch head[3] {
		case frameReset:
			got[binary.BigEndian.Uint32(head[5:])] = true
		case frameGoAway:
			return errors.New("the connection was given up")
		}
	}
	return nil
}
