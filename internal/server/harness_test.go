package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"windlass"
	"windlass/bitbucket/sandbox"
	"windlass/connector"
	"windlass/internal/server"
	"windlass/internal/store/storetest"
)

// logs is where a server writes, and a test reads.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// each runs a test on SQLite and on PostgreSQL, each with the config of a
// server on a new database.
func each(t *testing.T, test func(t *testing.T, config server.Config)) {
	t.Helper()
	for _, driver := range []string{"sqlite", "postgres"} {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			test(t, configOf(t, driver))
		})
	}
}

// configOf is a server on a port of its own, that logs everything.
func configOf(tb testing.TB, driver string) server.Config {
	tb.Helper()
	config := server.Config{
		Addr: "127.0.0.1:0", DataDir: filepath.Join(tb.TempDir(), "data"),
		Logger: slog.New(slog.NewJSONHandler(&logs{}, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if driver == "postgres" {
		config.Database = windlass.NewSecret(storetest.New(tb, driver).URL)
	}
	return config
}

// endpoints are those of a mock Bitbucket server.
func endpoints(url string) map[string]connector.Endpoints {
	return map[string]connector.Endpoints{"bitbucket": {API: url + "/2.0", Site: url}}
}

// logged has a config log to somewhere that a test can read.
func logged(config *server.Config) *logs {
	l := &logs{}
	config.Logger = slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return l
}

// running is a server that runs, and a client of it.
type running struct {
	*server.Server

	tb    testing.TB
	key   string
	stop  context.CancelFunc
	ended chan error
}

// start starts a server, which ends with the test.
func start(tb testing.TB, config server.Config) *running {
	tb.Helper()
	s, err := server.New(tb.Context(), config)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(tb.Context()))
	_, key := s.FirstKey()
	r := &running{Server: s, tb: tb, key: key.Reveal(), stop: stop, ended: make(chan error, 1)}
	go func() { r.ended <- s.Run(ctx) }()
	tb.Cleanup(func() {
		stop()
		if err := r.end(); err != nil {
			tb.Error("the server ended: ", err)
		}
	})
	r.await("/readyz")
	return r
}

// end stops the server and returns how it ended. It may be called again.
func (r *running) end() error {
	r.stop()
	err := <-r.ended
	r.ended <- nil
	return err
}

// await waits until a path is answered with 200.
func (r *running) await(path string) {
	r.tb.Helper()
	const patience = 10 * time.Second // never spent when all is well
	status, body := 0, ""
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(5 * time.Millisecond) {
		if status, body = r.get(path); status == http.StatusOK {
			return
		}
	}
	r.tb.Fatalf("%s answered %d: %s", path, status, body)
}

// get asks with the key of the first start.
func (r *running) get(path string) (status int, body string) {
	r.tb.Helper()
	return r.call(http.MethodGet, path, nil, nil)
}

// call makes a request and decodes its answer into out, unless that is nil.
func (r *running) call(method, path string, in, out any) (status int, body string) {
	r.tb.Helper()
	var sent io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			r.tb.Fatal(err)
		}
		sent = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(context.WithoutCancel(r.tb.Context()), method, r.URL()+path, sent)
	if err != nil {
		r.tb.Fatal(err)
	}
	req.Header.Set("X-Api-Key", r.key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	if out != nil && resp.StatusCode/100 == 2 {
		if err := json.Unmarshal(data, out); err != nil {
			r.tb.Fatalf("%s %s: %v: %s", method, path, err, data)
		}
	}
	return resp.StatusCode, string(data)
}

// must makes a request that has to succeed.
func (r *running) must(method, path string, in, out any) string {
	r.tb.Helper()
	status, body := r.call(method, path, in, out)
	if status/100 != 2 {
		r.tb.Fatalf("%s %s: %d %s", method, path, status, body)
	}
	return body
}

const inProject = "/v1/projects/default"

// product sets a product up: its consumer at a sandbox, a destination and a
// deployed manifest. It returns the id of the consumer and its secret.
func (r *running) product(s *sandbox.Server) (key, secret string) {
	r.tb.Helper()
	key, secret = s.NewConsumer(r.CallbackURL(), "account", "repository", "project", "project:admin", "snippet:write", "webhook")
	r.must(http.MethodPost, inProject+"/provider-apps", map[string]string{"provider": "bitbucket", "clientId": key, "clientSecret": secret}, nil)
	r.must(http.MethodPost, inProject+"/destinations", map[string]any{
		"name": "webhook", "type": "webhook", "metadata": map[string]string{"url": "https://product.example.com/hooks"},
	}, nil)
	r.must(http.MethodPut, inProject+"/integrations:batch", map[string]string{"sourceYaml": amp}, nil)
	return key, secret
}

const amp = `specVersion: 1.0.0
integrations:
  - name: bitbucket
    provider: bitbucket
    read:
      objects:
        - objectName: repositories
          destination: webhook
          schedule: "*/10 * * * *"
          optionalFieldsAuto: all
          backfill:
            defaultPeriod:
              fullHistory: true
    write:
      objects:
        - objectName: projects
`

// consent goes the whole way of a customer's consent, and returns the connection's
// id and the address that ended it.
func (r *running) consent(s *sandbox.Server) (id, callback string) {
	r.tb.Helper()
	page := r.must(http.MethodPost, "/v1/oauth-connect", map[string]string{
		"projectIdOrName": "default", "provider": "bitbucket", "groupRef": "group-1", "consumerRef": "ann",
		"providerWorkspaceRef": s.Credentials().Workspace,
	}, nil)
	jar, err := cookiejar.New(nil)
	if err != nil {
		r.tb.Fatal(err)
	}
	browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	open := func(address string, status int) (*http.Response, string) {
		resp, err := browser.Get(address)
		if err != nil {
			r.tb.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != status {
			r.tb.Fatalf("%s answered %d: %s, %v", address, resp.StatusCode, body, err)
		}
		return resp, string(body)
	}
	_, first := open(strings.TrimSpace(page), http.StatusOK)
	link := regexp.MustCompile(`<a id="continue" href="([^"]*)">`).FindStringSubmatch(first)
	if link == nil {
		r.tb.Fatalf("the page leads nowhere: %s", first)
	}
	next, _ := open(html.UnescapeString(link[1]), http.StatusSeeOther)
	if callback, err = s.Consent(next.Header.Get("Location")); err != nil {
		r.tb.Fatal(err)
	}
	open(callback, http.StatusOK)
	var all []struct {
		ID     string `json:"id"`
		Status string `json:"status"`
	}
	r.must(http.MethodGet, inProject+"/connections", nil, &all)
	if len(all) != 1 || all[0].Status != "working" {
		r.tb.Fatalf("the connections are %+v", all)
	}
	return all[0].ID, callback
}

// installed installs the integration for the customer.
func (r *running) installed() {
	r.tb.Helper()
	r.must(http.MethodPost, inProject+"/integrations/bitbucket/installations", installation, nil)
}
