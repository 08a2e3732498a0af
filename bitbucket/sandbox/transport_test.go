package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"windlass/bitbucket/sandbox"
)

// TestTransportIsLikeASocket asks the same in both ways.
func TestTransportIsLikeASocket(t *testing.T) {
	s := sandbox.New(&sandbox.Options{APIURL: "https://api.bitbucket.org"})
	web := httptest.NewServer(s)
	defer web.Close()
	for _, row := range []struct{ method, path string }{
		{"GET", "/repositories/acme?pagelen=100"},
		{"HEAD", "/repositories/acme"},
		{"GET", "/nothing"},
		{"DELETE", "/workspaces/acme/pipelines-config/variables/none"},
	} {
		ask := func(rt http.RoundTripper, base string) (*http.Response, string) {
			r, err := http.NewRequestWithContext(t.Context(), row.method, base+"/2.0"+row.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+s.Credentials().AccessToken)
			resp, err := rt.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			return resp, readAll(t, resp)
		}
		one, oneText := ask(s.Transport(), "https://api.bitbucket.org")
		two, twoText := ask(http.DefaultTransport, web.URL)
		one.Header.Del("Date")
		two.Header.Del("Date")
		if one.StatusCode != two.StatusCode || oneText != twoText || one.ContentLength != two.ContentLength ||
			fmt.Sprint(one.Header) != fmt.Sprint(two.Header) {
			t.Errorf("%s %s: %d %d %v in process, %d %d %v over a socket", row.method, row.path,
				one.StatusCode, one.ContentLength, one.Header, two.StatusCode, two.ContentLength, two.Header)
		}
	}
}

func TestTransportHonoursTheContext(t *testing.T) {
	s := sandbox.New(nil)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, api+"/repositories/acme?pagelen=100", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.Credentials().AccessToken)
	resp, err := s.Transport().RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.ReadFull(resp.Body, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.ReadAll(resp.Body); !errors.Is(err, context.Canceled) {
		t.Errorf("reading on after the end of the context: %v", err)
	}
	if _, err := s.Transport().RoundTrip(r); !errors.Is(err, context.Canceled) {
		t.Errorf("asking after the end of the context: %v", err)
	}
}

// TestManyAtOnce is for the race detector.
func TestManyAtOnce(t *testing.T) {
	s := sandbox.New(&sandbox.Options{Limit: -1})
	c := &client{t: t, server: s, token: s.Credentials().AccessToken}
	slugs := each(c.walk("/repositories/acme?pagelen=100"), "slug")
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 20 {
				slug := slugs[(worker*20+i)%len(slugs)].(string)
				switch i % 5 {
				case 0:
					if err := s.Push(slug); err != nil {
						t.Error(err)
					}
				case 1:
					c.do("POST", fmt.Sprintf("/repositories/acme/w-%d-%d", worker, i), nil)
				case 2:
					c.do("GET", "/repositories/acme?sort=-name&q=size+%3E+10", nil)
				case 3:
					s.NewAccessToken("account")
					c.do("PUT", "/workspaces/acme/projects/PLAT", map[string]any{"description": slug})
				case 4:
					c.do("GET", "/workspaces/acme/projects", nil)
					_, _ = s.Log(), s.Requests()
				}
			}
		})
	}
	wg.Wait()
	if got := len(c.walk("/repositories/acme?pagelen=100")); got != 250+8*4 {
		t.Errorf("%d repositories", got)
	}
}
