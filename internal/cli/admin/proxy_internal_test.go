package admin

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestLocalPortPassesPathsAsTheyAre(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s\n", r.RequestURI)
		_ = r.Header.Write(w)
	}))
	defer server.Close()
	c := &client{base: server.URL + "/below", key: "the-key", project: "p-1", http: &http.Client{Transport: &http.Transport{}}}
	port := httptest.NewServer(localOnly(forward(c, "i-1")))
	defer port.Close()
	ask := func(target, headers string) (int, string) {
		t.Helper()
		conn, err := net.Dial("tcp", port.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if !strings.Contains(headers, "Host:") {
			headers += "Host: localhost:1\r\n"
		}
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\n%sConnection: close\r\n\r\n", target, headers)
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var text strings.Builder
		_ = resp.Write(&text)
		return resp.StatusCode, text.String()
	}
	for _, path := range []string{"/2.0/user", `/2.0/repositories/{ws}/a%2Fb?q=a>b&%zz`, "/2.0//x?", "/2.0/a%20b"} {
		status, text := ask(path, "Authorization: Bearer mine\r\nCookie: a=b\r\nX-Amp-Installation-Id: other\r\nX-Amp-Rate-Limiter-Mode: throttle\r\n")
		for _, line := range []string{
			"/below" + path + "\n", "X-Api-Key: the-key\r\n", "X-Amp-Installation-Id: i-1\r\n", "X-Amp-Project-Id: p-1\r\n",
			"X-Amp-Proxy-Version: 1\r\n", "X-Amp-Rate-Limiter-Mode: throttle\r\n",
		} {
			if status != 200 || !strings.Contains(text, line) {
				t.Errorf("%s: %d, no %q in %s", path, status, line, text)
			}
		}
		if strings.Contains(text, "Authorization") || strings.Contains(text, "Cookie") {
			t.Errorf("%s: %s", path, text)
		}
	}
	for _, headers := range []string{
		"Host: evil.example\r\n", "Host: 10.0.0.1\r\n", "Origin: https://evil.example\r\n", "Sec-Fetch-Site: cross-site\r\n",
	} {
		if status, text := ask("/2.0/user", headers); status != 403 {
			t.Errorf("%q: %d %s", headers, status, text)
		}
	}
	if status, _ := ask("http://localhost/2.0/user", ""); status != 400 {
		t.Errorf("an absolute target: %d", status)
	}
}
