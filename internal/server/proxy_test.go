package server_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"windlass/bitbucket/sandbox"
	"windlass/internal/server"
)

const proxyAmp = `specVersion: 1.0.0
integrations:
  - name: bitbucket
    provider: bitbucket
    proxy:
      enabled: true
`

// proxied is a server whose customer has installed an integration with a proxy, and
// a sandbox behind it on a socket.
type proxied struct {
	*running

	bitbucket    *sandbox.Server
	at           *httptest.Server
	consumer     string
	installation string
}

func startProxied(tb testing.TB, options *sandbox.Options, config server.Config) *proxied {
	tb.Helper()
	p := &proxied{bitbucket: sandbox.New(options)}
	p.at = httptest.NewServer(p.bitbucket)
	tb.Cleanup(p.at.Close)
	config.Endpoints = endpoints(p.at.URL)
	config.ProxyHost = "proxy.example.com"
	p.running = start(tb, config)
	key, secret := p.bitbucket.NewConsumer(p.CallbackURL(), "account", "repository", "project", "project:admin")
	p.consumer = key
	p.must(http.MethodPost, inProject+"/provider-apps", map[string]string{"provider": "bitbucket", "clientId": key, "clientSecret": secret}, nil)
	p.must(http.MethodPut, inProject+"/integrations:batch", map[string]string{"sourceYaml": proxyAmp}, nil)
	p.consent(p.bitbucket)
	var made struct{ ID string }
	p.must(http.MethodPost, inProject+"/integrations/bitbucket/installations", map[string]any{
		"groupRef": "group-1", "config": map[string]any{"content": map[string]any{"provider": "bitbucket", "proxy": map[string]any{"enabled": true}}},
	}, &made)
	p.installation = made.ID
	return p
}

func (p *proxied) request(ctx context.Context, method, path, body string) *http.Request {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, p.URL()+path, reader)
	if err != nil {
		p.tb.Fatal(err)
	}
	req.Header.Set("X-Amp-Proxy-Version", "1")
	req.Header.Set("X-Amp-Project-Id", "default")
	req.Header.Set("X-Amp-Installation-Id", p.installation)
	req.Header.Set("X-Api-Key", p.key)
	req.Header.Set("Content-Type", "application/json")
	return req
}

func (p *proxied) do(req *http.Request) (int, string) {
	p.tb.Helper()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		p.tb.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		p.tb.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestProxiedRequestsFromEndToEnd(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, config server.Config) {
		log := logged(&config)
		p := startProxied(t, &sandbox.Options{Repositories: 3}, config)
		ask := func(method, path, body string, change func(*http.Request)) (int, string) {
			req := p.request(t.Context(), method, path, body)
			if change != nil {
				change(req)
			}
			return p.do(req)
		}
		if status, text := ask("GET", "/2.0/repositories/acme", "", nil); status != 200 || strings.Count(text, `"full_name"`) < 3 {
			t.Errorf("by installation: %d %s", status, text)
		}
		if status, text := ask("POST", "/2.0/workspaces/acme/projects", `{"key":"PRX","name":"Proxied"}`, nil); status != 201 {
			t.Errorf("a write: %d %s", status, text)
		}
		byHost := func(r *http.Request) {
			r.Host = "proxy.example.com"
			r.Header.Del("X-Amp-Proxy-Version")
			r.Header.Del("X-Amp-Installation-Id")
			r.Header.Set("X-Amp-Integration-Name", "bitbucket")
			r.Header.Set("X-Amp-Group-Ref", "group-1")
		}
		if status, text := ask("GET", "/2.0/workspaces/acme/projects/PRX", "", byHost); status != 200 || !strings.Contains(text, "Proxied") {
			t.Errorf("by host: %d %s", status, text)
		}
		for _, path := range []string{"/metrics", "/healthz", "/v1/projects"} {
			if status, text := ask("GET", path, "", byHost); status != 404 || strings.Contains(text, "urn:windlass") || strings.Contains(text, "windlass_") {
				t.Errorf("%s at the proxy's host is ours: %d %s", path, status, text)
			}
		}
		if status, text := ask("GET", "/2.0/user", "", func(r *http.Request) { r.Header.Set("X-Api-Key", "wrong") }); status != 401 || !strings.Contains(text, "urn:windlass:problem:unauthorized") {
			t.Errorf("a wrong key: %d %s", status, text)
		}
		p.bitbucket.RevokeConsent(p.consumer)
		if status, text := ask("GET", "/2.0/user?access_token=in-the-query", "", nil); status != 401 && status != 422 {
			t.Errorf("after the consent was taken back: %d %s", status, text)
		}
		_, metrics := p.get("/metrics")
		for _, line := range []string{
			`windlass_proxy_requests_total{answered="bitbucket",status="200"} 2`, `windlass_proxy_requests_total{answered="bitbucket",status="201"} 1`,
			`windlass_proxy_request_seconds_count{status="2xx"} 3`, `windlass_proxy_bytes_total{direction="up"} 30`,
		} {
			if !strings.Contains(metrics, line) {
				t.Errorf("the metrics do not say %s", line)
			}
		}
		if logs := log.String(); !strings.Contains(logs, `"installation_id":"`+p.installation) || strings.Contains(logs, "in-the-query") || strings.Contains(logs, p.key) {
			t.Error("the log lacks the installation, or holds a secret")
		}
	})
}

// A token that is about to end is replaced before it is used, and one that Bitbucket
// refuses afterwards: neither is noticed by the caller.
func TestProxiedRequestsOutliveTheirToken(t *testing.T) {
	t.Parallel()
	p := startProxied(t, &sandbox.Options{Repositories: 3, TokenLifetime: time.Minute}, configOf(t, "sqlite"))
	before := p.bitbucket.TokenRequests()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if status, text := p.do(p.request(t.Context(), "GET", "/2.0/user", "")); status != 200 {
				t.Errorf("%d %s", status, text)
			}
		})
	}
	all.Wait()
	if p.bitbucket.TokenRequests() == before {
		t.Error("nothing was refreshed")
	}
}

// BenchmarkProxyOfTheWholeServer is a proxied request with all that belongs to it (the
// key, the installation, the sealed credential and the budget, on SQLite), beside a
// bare ReverseProxy to the same sandbox.
func BenchmarkProxyOfTheWholeServer(b *testing.B) {
	config := configOf(b, "sqlite")
	config.Logger = nil
	config.HourlyLimit = 100_000_000
	p := startProxied(b, &sandbox.Options{Limit: -1}, config)
	to, err := url.Parse(p.at.URL)
	if err != nil {
		b.Fatal(err)
	}
	token := p.bitbucket.Credentials().AccessToken
	bare := httptest.NewServer(&httputil.ReverseProxy{
		Transport: &http.Transport{MaxIdleConnsPerHost: 64},
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Header.Set("Authorization", "Bearer "+token)
		},
	})
	defer bare.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}
	const clients, requests, pairs = 8, 400, 6
	lap := func(base string) float64 {
		begun := time.Now()
		var all sync.WaitGroup
		for range clients {
			all.Go(func() {
				for range requests / clients {
					req := p.request(b.Context(), http.MethodGet, "/2.0/repositories/acme?pagelen=10", "")
					req.URL.Host = base
					resp, err := client.Do(req)
					if err != nil {
						b.Error(err)
						return
					}
					if resp.StatusCode != http.StatusOK {
						b.Errorf("status %d", resp.StatusCode)
					}
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
			})
		}
		all.Wait()
		return requests / time.Since(begun).Seconds()
	}
	own, _ := url.Parse(p.URL())
	var ratios, most []float64
	for b.Loop() {
		for range pairs {
			theirs, ours := lap(bare.Listener.Addr().String()), lap(own.Host)
			ratios, most = append(ratios, ours/theirs), append(most, ours)
		}
	}
	slices.Sort(ratios)
	slices.Sort(most)
	b.ReportMetric(ratios[len(ratios)/2], "of-bare-throughput")
	b.ReportMetric(most[len(most)/2], "requests/s")
}
