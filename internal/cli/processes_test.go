package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"windlass"
	"windlass/bitbucket/sandbox"
	"windlass/connector"
	"windlass/internal/server"
	"windlass/internal/store/storetest"
)

// cluster is a database, a Bitbucket that listens, and processes between them.
type cluster struct {
	*testing.T

	bitbucket *sandbox.Server
	site      *httptest.Server
	env       []string
	key       string
	later     atomic.Int64 // how much later it is for Bitbucket
	// onToken, when set, is given the answer of the token endpoint before it is
	// sent.
	onToken atomic.Pointer[func()]
	// onRequest, when set, is called before a request is answered.
	onRequest atomic.Pointer[func(*http.Request)]
}

// newCluster makes one on PostgreSQL, or on SQLite.
func newCluster(t *testing.T, driver string) *cluster {
	t.Helper()
	return newClusterOf(t, driver, &sandbox.Options{Repositories: 3})
}

// newClusterOf makes one with another Bitbucket.
func newClusterOf(t *testing.T, driver string, options *sandbox.Options) *cluster {
	t.Helper()
	c := &cluster{T: t}
	options.Now = func() time.Time { return time.Now().Add(time.Duration(c.later.Load())) }
	c.bitbucket = sandbox.New(options)
	c.site = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if told := c.onRequest.Load(); told != nil {
			(*told)(r)
		}
		recorded := httptest.NewRecorder()
		c.bitbucket.ServeHTTP(recorded, r)
		if told := c.onToken.Load(); told != nil && strings.HasSuffix(r.URL.Path, "/access_token") {
			(*told)()
		}
		maps.Copy(w.Header(), recorded.Header())
		w.WriteHeader(recorded.Code)
		_, _ = recorded.Body.WriteTo(w)
	}))
	t.Cleanup(c.site.Close)
	keyset, err := server.NewKeyset()
	if err != nil {
		t.Fatal(err)
	}
	c.env = environ(t,
		"WINDLASS_KEYSET="+keyset.Reveal(), "WINDLASS_DATA_DIR="+t.TempDir(),
		"WINDLASS_BITBUCKET_API_URL="+c.site.URL+"/2.0", "WINDLASS_BITBUCKET_SITE_URL="+c.site.URL)
	if driver == "postgres" {
		c.env = append(c.env, "WINDLASS_DATABASE_URL="+storetest.New(t, driver).URL)
	}
	return c
}

// start starts one more process.
func (c *cluster) start() *process {
	c.Helper()
	p, err := startProcess(c.env)
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() { _, _ = p.end(syscall.SIGKILL) })
	if p.key != "" {
		c.key = p.key
	}
	return p
}

// request is one to a process.
func (c *cluster) request(p *process, method, path string, in any) *http.Request {
	data, _ := json.Marshal(in)
	req, _ := http.NewRequestWithContext(context.WithoutCancel(c.Context()), method, p.url+path, bytes.NewReader(data))
	req.Header.Set("X-Api-Key", c.key)
	if in == nil {
		req.Body, req.ContentLength = nil, 0
	} else {
		req.Header.Set("Content-Type", "application/json")
	}
	return req
}

// call makes a request and returns its answer: status 0 when there was none.
func (c *cluster) call(p *process, method, path string, in, out any) (status int, body string) {
	resp, err := http.DefaultClient.Do(c.request(p, method, path, in))
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err == nil && out != nil && resp.StatusCode/100 == 2 {
		err = json.Unmarshal(data, out)
	}
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(data)
}

const oneProject = "/v1/projects/default"

// connected imports a customer's tokens, whose access token ends in so long. It
// returns the id of the connection.
func (c *cluster) connected(p *process, left time.Duration) string {
	c.Helper()
	key, secret := c.bitbucket.NewConsumer(p.url+"/callbacks/v1/oauth", "account", "repository")
	if status, body := c.call(p, http.MethodPost, oneProject+"/provider-apps",
		map[string]string{"provider": "bitbucket", "clientId": key, "clientSecret": secret}, nil); status != http.StatusOK {
		c.Fatal(status, body)
	}
	access, refresh, err := c.bitbucket.NewOAuthTokens(key)
	if err != nil {
		c.Fatal(err)
	}
	var made struct{ ID string }
	status, body := c.call(p, http.MethodPost, oneProject+"/connections:generate", map[string]any{
		"provider": "bitbucket", "groupRef": "group-1", "consumerRef": "ann", "providerWorkspaceRef": c.bitbucket.Credentials().Workspace,
		"oauth2AuthorizationCode": map[string]any{
			"accessToken":  map[string]any{"token": access, "expiresAt": time.Now().Add(left)},
			"refreshToken": map[string]any{"token": refresh},
		},
	}, &made)
	if status != http.StatusCreated {
		c.Fatal(status, body)
	}
	return made.ID
}

// margin is how long before its end a token counts as expired.
const margin = 2 * time.Minute

// 100 uses at once of an expired connection, in three processes on one database:
// one refresh (invariant 4).
func TestThreeProcessesRefreshOnce(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "postgres")
	processes := []*process{c.start(), c.start(), c.start()}
	const soon = 3 * time.Second
	id := c.connected(processes[0], margin+soon)
	asked := c.bitbucket.TokenRequests()
	time.Sleep(soon + time.Second)

	const uses = 100
	answers := make([]string, uses)
	var all sync.WaitGroup
	for i := range uses {
		all.Go(func() {
			var got struct {
				Status string
				OAuth  struct {
					AccessToken struct{ Token string } `json:"accessToken"`
				} `json:"oauth2AuthorizationCode"`
			}
			status, body := c.call(processes[i%len(processes)], http.MethodGet, oneProject+"/connections/"+id+"?refresh=ifExpired&includeCreds=true", nil, &got)
			answers[i] = fmt.Sprint(status, " ", got.Status, " ", got.OAuth.AccessToken.Token)
			if status != http.StatusOK || got.Status != "working" {
				answers[i] += body
			}
		})
	}
	all.Wait()
	for _, answer := range answers[1:] {
		if answer != answers[0] || !strings.HasPrefix(answer, "200 working ") {
			t.Errorf("one use answered %.200q, another %.200q", answers[0], answer)
		}
	}
	if n := c.bitbucket.TokenRequests() - asked; n != 1 {
		t.Errorf("%d refreshes were made", n)
	}
	for i, p := range processes {
		if code, err := p.end(syscall.SIGTERM); code != 0 || err != nil {
			t.Errorf("process %d ended with %d, %v: %s", i, code, err, p.stderr)
		}
	}
}

// A process is killed between Bitbucket's answer and the save: within Bitbucket's
// grace the old refresh token still works, and afterwards the connection says that
// it must be authorized again.
func TestKilledBetweenTheAnswerAndTheSave(t *testing.T) {
	t.Parallel()
	for _, driver := range []string{"sqlite", "postgres"} {
		for _, test := range []struct {
			name  string
			later time.Duration
			want  string
		}{
			{"within the grace", 2 * time.Minute, "working"},
			{"after the grace", time.Hour, "bad_credentials"},
		} {
			t.Run(driver+" "+test.name, func(t *testing.T) {
				t.Parallel()
				c := newCluster(t, driver)
				p := c.start()
				id := c.connected(p, time.Hour)
				kill := func() {
					_, _ = p.end(syscall.SIGKILL)
					c.onToken.Store(nil)
				}
				c.onToken.Store(&kill)
				asked := c.bitbucket.TokenRequests()
				if status, body := c.call(p, http.MethodGet, oneProject+"/connections/"+id+"?refresh=force", nil, nil); status != 0 {
					t.Fatalf("the process that was killed answered %d %s", status, body)
				}
				if n := c.bitbucket.TokenRequests() - asked; n != 1 {
					t.Fatalf("%d refreshes were made", n)
				}
				if got := c.after(id, test.later); got != test.want {
					t.Errorf("the connection is %s, want %s", got, test.want)
				}
			})
		}
	}
}

// after starts another server when some time has passed, uses the connection, and
// returns its status.
func (c *cluster) after(id string, later time.Duration) string {
	c.Helper()
	value := func(name string) string {
		for _, pair := range c.env {
			if value, found := strings.CutPrefix(pair, name+"="); found {
				return value
			}
		}
		return ""
	}
	c.later.Store(int64(later))
	s, err := server.New(c.Context(), server.Config{
		Addr: "127.0.0.1:0", DataDir: value("WINDLASS_DATA_DIR"), Keyset: windlass.NewSecret(value("WINDLASS_KEYSET")),
		Database:  windlass.NewSecret(value("WINDLASS_DATABASE_URL")),
		Endpoints: map[string]connector.Endpoints{"bitbucket": {API: c.site.URL + "/2.0", Site: c.site.URL}},
		Now:       func() time.Time { return time.Now().Add(later) },
	})
	if err != nil {
		c.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(c.Context()))
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			c.Error(err)
		}
	}()
	var got struct{ Status string }
	status, body := c.call(&process{url: s.URL()}, http.MethodGet, oneProject+"/connections/"+id+"?refresh=force", nil, &got)
	if status != http.StatusOK {
		c.Fatal(status, body)
	}
	return got.Status
}

// The second signal does not wait for what the first one waits for.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "sqlite")
	p := c.start()
	id := c.connected(p, time.Hour)
	held, release := make(chan struct{}), make(chan struct{})
	hold := func() {
		close(held)
		<-release
	}
	defer close(release)
	c.onToken.Store(&hold)
	go func() {
		resp, err := http.DefaultClient.Do(c.request(p, http.MethodGet, oneProject+"/connections/"+id+"?refresh=force", nil))
		if err == nil {
			resp.Body.Close()
		}
	}()
	<-held
	_ = p.command.Process.Signal(syscall.SIGTERM)
	p.until(t, "stopping")
	// A process that runs into the deadline ends with the code of a failure: killed is -1.
	code, err := p.end(syscall.SIGTERM)
	if err != nil || code != -1 {
		t.Errorf("it ended with %d, %v", code, err)
	}
}

// until waits for something in the log.
func (p *process) until(t *testing.T, text string) {
	t.Helper()
	const patience = 20 * time.Second // never spent when all is well
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(5 * time.Millisecond) {
		if strings.Contains(p.stderr.String(), text) {
			return
		}
	}
	t.Fatalf("the log never said %q: %s", text, p.stderr)
}

func TestPortInUseIsOneLine(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := newCluster(t, "sqlite")
	p, err := startProcess(c.env, "--addr", l.Addr().String())
	if err == nil {
		t.Fatal("it serves")
	}
	if code, _ := p.end(syscall.SIGKILL); code != 6 {
		t.Errorf("it ended with %d", code)
	}
	want := "windlass: listen on " + l.Addr().String() + ": something else listens there already; stop it, or give another address\n"
	if got := p.stderr.String(); got != want {
		t.Errorf("it said %q, want %q", got, want)
	}
}
