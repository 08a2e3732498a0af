package proxy_test

import (
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"testing"
)

// A provider's session goes back in no form: neither before the answer, nor in it,
// nor after it.
func TestNoCookieOfTheProvidersGoesBack(t *testing.T) {
	t.Parallel()
	for _, announced := range []bool{false, true} {
		w := newWorld(t, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			header := rw.Header()
			header.Set("Set-Cookie", "session=early")
			header.Set("Alt-Svc", "h3=early")
			header.Set("Keep-Alive", "timeout=early")
			header.Set("Link", "</style.css>; rel=preload")
			rw.WriteHeader(http.StatusEarlyHints)
			header.Set("Set-Cookie", "session=final")
			if announced {
				header["Trailer"] = []string{"Set-Cookie, Alt-Svc, X-Sum"}
			}
			_, _ = io.WriteString(rw, "the body")
			_ = http.NewResponseController(rw).Flush()
			prefix := http.TrailerPrefix
			if announced {
				prefix = ""
			}
			header.Set(prefix+"Set-Cookie", "session=late")
			header.Set(prefix+"Alt-Svc", "h3=late")
			header.Set(prefix+"X-Sum", "42")
		}), nil)
		var hints http.Header
		trace := &httptrace.ClientTrace{Got1xxResponse: func(_ int, header textproto.MIMEHeader) error {
			hints = http.Header(header)
			return nil
		}}
		req := w.request("GET", "/2.0/x", nil)
		resp, text := w.do(req.WithContext(httptrace.WithClientTrace(req.Context(), trace)))
		if text != "the body" || hints.Get("Link") == "" || resp.Trailer.Get("X-Sum") != "42" {
			t.Errorf("got %q, hints %v, trailers %v", text, hints, resp.Trailer)
		}
		for place, header := range map[string]http.Header{"a 103": hints, "the answer": resp.Header, "its trailers": resp.Trailer} {
			for _, name := range []string{"Set-Cookie", "Alt-Svc", "Keep-Alive"} {
				if values, found := header[name]; found {
					t.Errorf("announced %t: %s holds %s: %q", announced, place, name, values)
				}
			}
		}
	}
}
