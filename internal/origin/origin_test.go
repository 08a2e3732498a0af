package origin_test

import (
	"strings"
	"testing"

	"windlass/internal/origin"
)

func TestIs(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"https://app.example.com", "http://localhost:3000", "https://app.example.com:8443", "http://127.0.0.1:8080",
		"http://[::1]:8080", "https://xn--bcher-kva.example", "https://my_app.example.com", "https://a",
	} {
		if !origin.Is(good) {
			t.Errorf("%q is an origin", good)
		}
	}
	for _, bad := range []string{
		"", "null", "*", "https://*", "https://*.example.com", "https://", "https://app.example.com/", "https://app.example.com/path",
		"https://app.example.com?x", "https://app.example.com#x", "https://user@app.example.com", "https://user:pass@app.example.com",
		"HTTPS://app.example.com", "https://App.example.com", "https://app.example.com:443", "http://app.example.com:80",
		"https://app.example.com:", "https://app.example.com:0", "https://app.example.com:99999", "https://app.example.com:0443",
		"https://app..example.com", "https://.example.com", "https://app.example.com.", "https://-a.example", "https://a-.example",
		"javascript:alert(1)", "file://", "ftp://app.example.com", "app.example.com", "//app.example.com", " https://app.example.com",
		"https://app.example.com ", "https://app.example.com\n", "https://bücher.example", "https://a b", "https://a'b", `https://a"b`, "https://<a>",
		"https://a,https://b", "https://[::1", "https://[0:0:0:0:0:0:0:1]", "https://[127.0.0.1]", "https://" + strings.Repeat("a", 64),
		"https://" + strings.Repeat("a.", 130) + "a", "https://a%2eb", "https://a\\b",
	} {
		if origin.Is(bad) {
			t.Errorf("%q is no origin", bad)
		}
	}
}
