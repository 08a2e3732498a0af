package proxy_test

import (
	"net/http"
	"strings"
	"testing"

	"windlass"
	"windlass/internal/proxy"
)

// anywhere is a provider whose credential may go anywhere: for tests only.
type anywhere struct{ *elsewhere }

func (anywhere) Transport(_ windlass.Credentials, base http.RoundTripper) (http.RoundTripper, error) {
	return base, nil
}

// Invariant 5, and a line that tells what happened all the same.
func TestTheAccessLogHoldsNoSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t, http.HandlerFunc(mirror), nil)
	req := w.request("POST", "/2.0/repositories/acme/x;token=in-the-parameter/y%3Btoken=in-the-escaped-one/z?access_token=in-the-query", `{"value":"in-the-body"}`)
	req.Header.Set("Authorization", "Bearer in-the-header")
	req.Header.Set("Cookie", "in-the-cookie")
	w.do(req)
	seen := w.told()
	w.do(w.request("GET", "//evil.example/in-the-refused-path", nil))
	w.told()
	logged := w.logs.String()
	for _, secret := range []string{"in-the-", "the-products-key", "token-1", "access_token"} {
		if strings.Contains(logged, secret) {
			t.Errorf("%q is in the log: %s", secret, logged)
		}
	}
	for _, part := range []string{
		"level=INFO", "method=POST", "path=/2.0/repositories/acme/x;…/y;…/z ", "status=200", "installation_id=installation-1", "project_id=project-1",
		"caller=key-1", "request_id=request-1", "sent_bytes=23", "status=400",
	} {
		if !strings.Contains(logged, part) {
			t.Errorf("%q is not in the log: %s", part, logged)
		}
	}
	if seen.Status != 200 || seen.Up != 23 || seen.Down == 0 || !seen.Sent || seen.Ours || seen.Cut || seen.Took < seen.First || seen.First <= 0 {
		t.Errorf("seen %+v", seen)
	}
}

func TestReadsAreLoggedForDebuggingOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, http.HandlerFunc(mirror), func(c *proxy.Config) { c.Now = nil })
	w.do(w.request("GET", "/2.0/user", nil))
	w.told()
	if logged := w.logs.String(); !strings.Contains(logged, "level=DEBUG") {
		t.Error(logged)
	}
}
