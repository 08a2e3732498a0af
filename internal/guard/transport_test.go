package guard_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"windlass"
	"windlass/internal/guard"
)

// names answers every question with the next of some addresses, as a name does
// whose owner changes his mind between the check and the use.
func names(answers ...string) *net.Resolver {
	var asked atomic.Int64
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			for {
				var size [2]byte // a pipe is no packet connection, so messages have their length before them
				if _, err := io.ReadFull(theirs, size[:]); err != nil {
					return
				}
				question := make([]byte, binary.BigEndian.Uint16(size[:]))
				if _, err := io.ReadFull(theirs, question); err != nil {
					return
				}
				n := 0
				if isA(question) {
					n = int(asked.Add(1) - 1)
				}
				answer := reply(question, netip.MustParseAddr(answers[n%len(answers)]))
				binary.BigEndian.PutUint16(size[:], uint16(len(answer)))
				if _, err := theirs.Write(append(size[:], answer...)); err != nil {
					return
				}
			}
		}()
		return ours, nil
	}}
}

// isA reports whether a question asks for an IPv4 address.
func isA(question []byte) bool {
	end := 12
	for question[end] != 0 {
		end += int(question[end]) + 1
	}
	return binary.BigEndian.Uint16(question[end+1:]) == 1
}

// reply is a DNS message (RFC 1035): the question again, with one address if it
// asked for one.
func reply(question []byte, addr netip.Addr) []byte {
	end := 12
	for question[end] != 0 {
		end += int(question[end]) + 1
	}
	end += 5
	out := append([]byte{}, question[:end]...)
	out[2], out[3] = 0x81, 0x80
	copy(out[6:12], make([]byte, 6))
	if !isA(question) {
		return out
	}
	out[7] = 1
	out = append(out, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
	four := addr.As4()
	return append(out, four[:]...)
}

func get(t *testing.T, opts *guard.Options, url string) (*http.Response, error) {
	t.Helper()
	transport := guard.Transport(opts)
	t.Cleanup(transport.CloseIdleConnections)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return (&http.Client{Transport: transport}).Do(req)
}

func TestTransportRefusesWhatIsNotPublic(t *testing.T) {
	t.Parallel()
	reached := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a request arrived")
	}))
	t.Cleanup(reached.Close)
	port := reached.URL[strings.LastIndex(reached.URL, ":"):]
	for _, row := range []struct {
		name, host string
		resolver   *net.Resolver
	}{
		{"an address", "127.0.0.1", nil},
		{"a name of the system", "localhost", nil},
		{"an IPv4-mapped address", "[::ffff:127.0.0.1]", nil},
		{"zero, which the system takes for loopback", "0.0.0.0", nil},
		{"a name that resolves to loopback", "hooks.example.com", names("127.0.0.1")},
		{"a name that resolves to the metadata service", "hooks.example.com", names("169.254.169.254")},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			resp, err := get(t, &guard.Options{Resolver: row.resolver}, "http://"+row.host+port)
			if err == nil {
				resp.Body.Close()
			}
			if !errors.Is(err, windlass.Forbidden) {
				t.Errorf("got %v, want it refused", err)
			}
		})
	}
}

// A redirect is one more connection, and a name is looked at each time.
func TestTransportGuardsEveryHop(t *testing.T) {
	t.Parallel()
	var hits atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("/inside", func(http.ResponseWriter, *http.Request) { hits.Add(1) })
	mux.HandleFunc("/redirect", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusTemporaryRedirect)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	port := server.URL[strings.LastIndex(server.URL, ":"):]
	opts := &guard.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Resolver: names("127.0.0.1", "127.0.0.2")}

	resp, err := get(t, opts, "http://hooks.example.com"+port+"/inside")
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("what is allowed is not reached: %v", err)
	}
	resp.Body.Close()
	for _, to := range []string{"http://169.254.169.254/latest/meta-data", "http://hooks.example.com" + port + "/inside"} {
		// The name's second answer is another address.
		resp, err := get(t, &guard.Options{Allow: opts.Allow, Resolver: names("127.0.0.2")}, server.URL+"/redirect?to="+to)
		if err == nil {
			resp.Body.Close()
		}
		if !errors.Is(err, windlass.Forbidden) {
			t.Errorf("redirected to %s: got %v, want it refused", to, err)
		}
	}
	if hits.Load() != 1 {
		t.Errorf("%d requests arrived inside, want 1", hits.Load())
	}
}

func TestTransportTakesNoProxyFromTheEnvironment(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	if guard.Transport(nil).Proxy != nil {
		t.Error("a proxy would connect where it likes")
	}
}
