package deliver_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"windlass"
	"windlass/internal/sink/sinktest"
)

// A user who may see a delivery learns what to do, and nothing of the network that
// the server stands in. The log has all of it, without the URL.
func TestErrorsTellNothingOfTheNetwork(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		dial := func(err error) error {
			return &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 8443}, Err: err}
		}
		for name, row := range map[string]struct {
			err        error
			says, logs string
		}{
			"refused":   {dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), "the receiver refused the connection", "10.1.2.3:8443"},
			"reset":     {dial(os.NewSyscallError("read", syscall.ECONNRESET)), "closed the connection before", "10.1.2.3:8443"},
			"broken":    {fmt.Errorf("from 10.1.2.3: %w", io.ErrUnexpectedEOF), "closed the connection before", "10.1.2.3"},
			"unknown":   {&net.DNSError{Err: "no such host", Name: "db.internal", Server: "10.9.9.9:53", IsNotFound: true}, "is not known", "10.9.9.9"},
			"lookup":    {&net.DNSError{Err: "server misbehaving", Name: "db.internal", Server: "10.9.9.9:53"}, "could not be looked up", "10.9.9.9"},
			"guarded":   {dial(&windlass.Error{Kind: windlass.Forbidden, Op: "connect", Message: "the address 10.1.2.3 is not public"}), "not public", "10.1.2.3"},
			"cert":      {&tls.CertificateVerificationError{Err: x509.HostnameError{Host: "10.1.2.3", Certificate: &x509.Certificate{}}}, "certificate is not accepted", "10.1.2.3"},
			"plain":     {tls.RecordHeaderError{Msg: "first record from 10.1.2.3"}, "does not speak TLS", "10.1.2.3"},
			"otherwise": {errors.New("proxy 10.1.2.3 says no"), "the receiver could not be reached", "proxy 10.1.2.3 says no"},
		} {
			var log bytes.Buffer
			s := w.service(func(c *config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
			d := w.destination(name, func(d *windlass.Destination) { sinktest.At(d, d.Address+"?token=hunter2", nil) })
			w.receiver.answer = func(int, request) (*http.Response, error) { return nil, row.err }
			b := w.add(d, "lane", "x")[0]
			w.drain(s, d)
			_, attempts := w.batch(s, b.ID)
			if got := attempts[0].Error; !strings.Contains(got, row.says) || strings.Contains(got, "10.") || strings.Contains(got, "internal") {
				t.Errorf("%s: the attempt says %q, want %q and no more", name, got, row.says)
			}
			if !strings.Contains(log.String(), row.logs) || strings.Contains(log.String(), "hunter2") {
				t.Errorf("%s: the log says %s, want %q in it", name, log.String(), row.logs)
			}
		}
	})
}

// What an operator sees of deliveries.
func TestLog(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		var log bytes.Buffer
		s := w.service(func(c *config) {
			c.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			c.Concurrency = 1
		})
		d := w.destination("hook", nil)
		lines := func() (said []string) {
			for line := range strings.Lines(log.String()) {
				var l map[string]any
				w.must(json.Unmarshal([]byte(line), &l))
				delete(l, "time")
				text, err := json.Marshal(l)
				w.must(err)
				said = append(said, string(text))
			}
			log.Reset()
			return said
		}
		want := func(what string, fragments ...string) {
			t.Helper()
			said := lines()
			if len(said) != len(fragments) {
				t.Errorf("%s: the log says %q, want %d lines", what, said, len(fragments))
				return
			}
			for i, fragment := range fragments {
				for part := range strings.SplitSeq(fragment, "|") {
					if !strings.Contains(said[i], part) {
						t.Errorf("%s: %s lacks %s", what, said[i], part)
					}
				}
			}
		}
		about := `|"destination_id":"` + d.ID + `"|"project_id":"` + w.project.ID + `"`
		w.add(d, "lane", "x")
		w.drain(s, d)
		want("delivered", `"level":"DEBUG"|was delivered|"attempt":1|"status":200|"installation_id":"in-1"|"operation_id":"op-1"|"duration":0|"batch_id":"`+about)

		w.receiver.answer = always(http.StatusTeapot)
		w.add(d, "lane", "y")
		w.drain(s, d)
		want("refused", `"level":"INFO"|not accepted, and is tried again|"attempt":1|"status":418|"next_at":"2026-11-24T12:00:05Z"|"error":"answered 418 I'm a teapot"`+about)
		w.receiver.answer = nil
		w.clock.move(5 * time.Second)
		w.drain(s, d)
		want("recovered", `"level":"INFO"|not accepted before was delivered|"attempt":2`+about)

		w.receiver.answer = always(http.StatusTeapot)
		w.add(d, "lane", "z")
		for w.step(s, d) {
		}
		again, down := `"level":"INFO"|is tried again`, `"level":"INFO"|accepts nothing|"failures":5|"since_at":"2026-11-24T12:00:05Z"|"until_at":`+about
		want("given up", again, again, again, again, again, down, again, again, `"level":"INFO"|given up|"attempt":8`+about)
		w.receiver.answer = nil
		w.add(d, "lane", "back")
		for w.step(s, d) {
		}
		want("back", `"level":"DEBUG"`, `"level":"INFO"|accepts messages again`+about)

		for range 2 { // the second time changes nothing
			_, err := s.Disable(w.ctx(), "acme", "hook", "key")
			w.must(err)
		}
		want("disabled", `"level":"INFO"|was disabled`+about)
		for range 2 {
			_, err := s.Enable(w.ctx(), "acme", "hook")
			w.must(err)
		}
		want("enabled", `"level":"INFO"|was enabled`+about)
	})
}
