package connect_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/bitbucket/sandbox"
	"windlass/internal/connect"
)

const api = "https://api.bitbucket.org/2.0"

// get makes one request through a connection's client and returns its status.
func (w *world) get(s *connect.Service, c windlass.Connection, path string) int {
	w.Helper()
	resp, err := w.do(s, c, http.MethodGet, path, "")
	w.must(err)
	return resp
}

func (w *world) do(s *connect.Service, c windlass.Connection, method, path, body string) (int, error) {
	w.Helper()
	client, err := s.Client(w.ctx(), c, nil)
	if err != nil {
		w.seen.failed(err)
		return 0, err
	}
	req, err := http.NewRequestWithContext(w.ctx(), method, api+path, strings.NewReader(body))
	w.must(err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		w.seen.failed(err)
		return 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	w.must(err)
	w.seen.said(string(text))
	return resp.StatusCode, nil
}

// asks runs something and returns how many requests went to the token endpoint.
func (w *world) asks(do func()) int {
	before := w.tokenRequests.Load()
	do()
	return int(w.tokenRequests.Load() - before)
}

func TestTokenIsRefreshedBeforeItEnds(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		after time.Duration
		asks  int
	}{
		{"a fresh token is used as it is", 0, 0},
		{"so is one with minutes to go", 117 * time.Minute, 0},
		{"one that is nearly over is replaced", 118 * time.Minute, 1},
		{"one that is over too", 3 * time.Hour, 1},
	} {
		for _, kind := range []struct {
			name  string
			fixed bool
		}{{"rotating", false}, {"fixed", true}} {
			t.Run(row.name+", with refresh tokens "+kind.name, func(t *testing.T) {
				t.Parallel()
				virtually(t, scene{sandbox: sandbox.Options{FixedRefresh: kind.fixed}}, func(w *world) {
					s := w.service()
					c := w.connected(s)
					before := w.credentials(c)
					w.clock.pass(row.after)
					got := w.asks(func() {
						if status := w.get(s, c, "/user"); status != http.StatusOK {
							t.Errorf("the request was answered with %d", status)
						}
						w.get(s, c, "/user")
					})
					after := w.credentials(c)
					if got != row.asks || after.Version != before.Version+int64(row.asks) {
						t.Errorf("%d token requests, want %d; version %d", got, row.asks, after.Version)
					}
					if kept := after.RefreshToken == before.RefreshToken; kept != (kind.fixed || row.asks == 0) {
						t.Errorf("the refresh token stayed: %v", kept)
					}
					w.told(connect.EventCreated)
				})
			})
		}
	}
}

func TestRefusedTokenIsReplacedOnce(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		fault  string
		age    time.Duration
		method string
		body   string
		path   string
		status int
		asks   int
	}{
		{"a read is repeated", "status=401,path=/2.0/user,times=1", time.Hour, http.MethodGet, "", "/user", http.StatusOK, 1},
		{
			"so is a write, with its body", "status=401,path=/2.0/repositories/acme/made-once,times=1", time.Hour, http.MethodPost,
			`{"scm":"git"}`, "/repositories/acme/made-once", http.StatusOK, 1,
		},
		{"not twice", "status=401,path=/2.0/user", time.Hour, http.MethodGet, "", "/user", http.StatusUnauthorized, 1},
		{"a token that is new is not what is wrong", "status=401,path=/2.0/user", 0, http.MethodGet, "", "/user", http.StatusUnauthorized, 0},
		{"an endpoint for apps alone costs one refresh", "", time.Hour, http.MethodGet, "", "/addon/linkers", http.StatusUnauthorized, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			virtually(t, scene{}, func(w *world) {
				s := w.service()
				c := w.connected(s)
				w.clock.pass(row.age)
				if row.fault != "" {
					w.inject(row.fault)
				}
				asks := w.asks(func() {
					for range 2 {
						status, err := w.do(s, c, row.method, row.path, row.body)
						w.must(err)
						if status != row.status && row.method == http.MethodGet {
							t.Errorf("answered with %d, want %d", status, row.status)
						}
					}
				})
				if asks != row.asks {
					t.Errorf("%d token requests, want %d", asks, row.asks)
				}
				if got := w.stored(c); got.Status != windlass.ConnectionWorking {
					t.Errorf("it is %s: %s", got.Status, got.StatusReason)
				}
			})
		})
	}
}

// A refused token that another process has replaced meanwhile costs nothing.
func TestRefusedTokenThatIsOldNews(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		here, there := w.service(), w.service()
		c := w.connected(here)
		old := w.credentials(c)
		w.clock.pass(time.Hour)
		fresh, err := there.Refused(w.ctx(), c, old.Version)
		w.must(err)
		asks := w.asks(func() {
			got, err := here.Refused(w.ctx(), c, old.Version)
			w.must(err)
			if got.Version != fresh.Version {
				t.Errorf("version %d, want %d", got.Version, fresh.Version)
			}
		})
		if asks != 0 {
			t.Errorf("%d token requests", asks)
		}
	})
}

func TestClientSendsNothingElsewhere(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		client, err := s.Client(w.ctx(), w.connected(s), nil)
		w.must(err)
		before := w.server.Requests()
		req, err := http.NewRequestWithContext(w.ctx(), http.MethodGet, "https://api.example.org/2.0/user", nil)
		w.must(err)
		if resp, err := client.Do(req); err == nil {
			resp.Body.Close()
			t.Error("it was sent")
		}
		if w.server.Requests() != before {
			t.Error("something arrived")
		}
	})
}

// A caller that stops waiting must not lose what the provider answers.
func TestRefreshOutlivesWhoAskedForIt(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		c := w.connected(s)
		w.clock.pass(3 * time.Hour)
		w.inject("latency=5s,path=/site/oauth2/access_token,times=1")
		ctx, cancel := context.WithTimeout(w.ctx(), time.Second)
		defer cancel()
		_, err := s.Credential(ctx, c)
		w.fails(err, windlass.Unavailable)
		s.Wait()
		if version := w.credentials(c).Version; version != 2 {
			t.Errorf("the credentials have version %d, want 2", version)
		}
	})
}

// A caller with a good token does not wait for a provider that is slow.
func TestOldTokenIsUsedWhileANewOneIsLate(t *testing.T) {
	t.Parallel()
	virtually(t, scene{}, func(w *world) {
		s := w.service()
		c := w.connected(s)
		w.clock.pass(119 * time.Minute)
		w.inject("latency=15s,path=/site/oauth2/access_token,times=1")
		begun := w.clock.Now()
		if status := w.get(s, c, "/user"); status != http.StatusOK {
			t.Errorf("answered with %d", status)
		}
		if took := w.clock.Now().Sub(begun); took > 3*time.Second {
			t.Errorf("it took %v", took)
		}
		s.Wait()
		if version := w.credentials(c).Version; version != 2 {
			t.Errorf("the credentials have version %d, want 2", version)
		}
	})
}
