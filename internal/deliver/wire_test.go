package deliver_test

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"windlass"
	"windlass/internal/guard"
	"windlass/internal/sink/sinktest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// What goes over the wire, byte for byte.
func TestRequestsAsTheyAreSent(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		const older = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
		var dumps []string
		host := ""
		server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			dump, err := httputil.DumpRequest(r, true)
			if err != nil {
				t.Error(err)
			}
			dumps = append(dumps, strings.ReplaceAll(string(dump), host, "receiver.example.com"))
			rw.WriteHeader([]int{http.StatusInternalServerError, http.StatusOK}[min(len(dumps)-1, 1)])
		}))
		t.Cleanup(server.Close)
		host = strings.TrimPrefix(server.URL, "http://")
		transport := loopback(t)
		s := w.service(func(c *config) { c.Transport, c.AllowHTTP = transport, true })
		d := w.destination("hook", func(d *windlass.Destination) {
			sinktest.At(d, server.URL+"/hooks?tenant=%C3%BC%20x", map[string]string{
				"Authorization": "Bearer abc", "X-Tenant": "acme", "svix-id": "forged", "Webhook-Signature": "v1,forged", "content-type": "text/plain",
			})
			d.Secrets = append(d.Secrets, windlass.NewSecret(older))
		})
		b := windlass.Batch{
			ID: "019ab5f0-7d00-7000-8000-000000000001", ProjectID: w.project.ID, DestinationID: d.ID, Kind: windlass.BatchRead, Lane: "lane",
			Body: []byte("{\"name\":\"J\u00fcrgen <&>\",  \"raw\" : {\"n\":1.0}}"), Created: noon, Updated: noon,
		}
		w.must(w.store.AddBatches(w.ctx(), []windlass.Batch{b}))
		w.drain(s, d)
		w.clock.move(5 * time.Second)
		w.drain(s, d)
		golden(t, "requests.golden", strings.Join(dumps, "\n\n----\n\n"))
	})
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	got = strings.ReplaceAll(got, "\r\n", "\n") + "\n"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// loopback is the guarded transport, with the way to this machine open.
func loopback(t *testing.T) *http.Transport {
	t.Helper()
	transport := guard.Transport(&guard.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}})
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// A receiver that sends a gigabyte is read for a few kilobytes.
func TestAnswerOfAGigabyte(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		var sent atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			chunk := []byte(strings.Repeat("x", 1<<16))
			for range 1 << 14 {
				n, err := rw.Write(chunk)
				sent.Add(int64(n))
				if err != nil {
					return
				}
			}
		}))
		t.Cleanup(server.Close)
		transport := loopback(t)
		s := w.service(func(c *config) { c.Transport, c.AllowHTTP = transport, true })
		d := w.destination("hook", func(d *windlass.Destination) { sinktest.At(d, server.URL, nil) })
		b := w.add(d, "lane", "x")[0]
		w.drain(s, d)
		delivered, attempts := w.batch(s, b.ID)
		same(w, "status", delivered.Status, windlass.BatchDelivered)
		same(w, "kept", len(attempts[0].Answer), 1<<10)
		if sent.Load() > 64<<20 {
			t.Errorf("%d bytes were taken", sent.Load())
		}
	})
}

// A redirect is not followed, wherever it leads; a private address is refused,
// whatever name it has.
func TestPrivateAddressesAreNotReached(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		var inside atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/inside" {
				inside.Add(1)
				return
			}
			http.Redirect(rw, r, r.URL.Query().Get("to"), http.StatusTemporaryRedirect)
		}))
		t.Cleanup(server.Close)
		port := server.Listener.Addr().(*net.TCPAddr).Port
		open, closed := loopback(t), guard.Transport(nil)
		for name, row := range map[string]struct {
			transport http.RoundTripper
			url, says string
		}{
			"metadata": {open, server.URL + "/?to=http://169.254.169.254/latest", "redirects are not followed"},
			"itself":   {open, server.URL + "/?to=/inside", "redirects are not followed"},
			"address":  {closed, server.URL + "/inside", "an address that is not public"},
			"name":     {closed, fmt.Sprintf("http://localhost:%d/inside", port), "an address that is not public"},
			"mapped":   {closed, fmt.Sprintf("http://[::ffff:127.0.0.1]:%d/inside", port), "an address that is not public"},
		} {
			s := w.service(func(c *config) { c.Transport, c.AllowHTTP = row.transport, true })
			d := w.destination(name, func(d *windlass.Destination) { sinktest.At(d, row.url, nil) })
			b := w.add(d, "lane", "x")[0]
			w.drain(s, d)
			after, attempts := w.batch(s, b.ID)
			same(w, name, after.Status, windlass.BatchPending)
			if len(attempts) != 1 || !strings.Contains(attempts[0].Error, row.says) {
				t.Errorf("%s: %+v, want it to say %q", name, attempts, row.says)
			}
			if strings.Contains(attempts[0].Error, "http://") {
				t.Errorf("%s: the error repeats the URL: %s", name, attempts[0].Error)
			}
		}
		same(w, "requests inside", inside.Load(), 0)
	})
}
