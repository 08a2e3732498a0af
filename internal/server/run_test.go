package server_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/bitbucket/sandbox"
	"windlass/internal/server"
)

func TestServerFromStartToStop(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, config server.Config) {
		log := logged(&config)
		first := start(t, config)
		if !strings.HasPrefix(first.key, "wlk_") {
			t.Fatalf("the first start made the key %q", first.key)
		}
		for path, want := range map[string]string{
			"/healthz":                `{"status":"up"}`,
			"/readyz":                 `{"database":"up","jobs":"running","status":"ready"}`,
			"/metrics":                "windlass_database_up 1",
			"/v1/projects":            `"name":"default"`,
			"/v1/providers/bitbucket": `"bitbucket"`,
			"/openapi.json":           `"openapi":"3.1`,
		} {
			if status, body := first.get(path); status != http.StatusOK || !strings.Contains(body, want) {
				t.Errorf("%s answered %d: %s, want %s", path, status, body, want)
			}
		}
		if status, _ := first.call(http.MethodPost, "/readyz", nil, nil); status != http.StatusMethodNotAllowed {
			t.Errorf("POST /readyz answered %d", status)
		}
		if err := first.end(); err != nil {
			t.Fatal(err)
		}
		second := start(t, config)
		if second.key != "" {
			t.Error("the second start made a key, too")
		}
		second.key = first.key
		if status, body := second.get("/v1/projects"); status != http.StatusOK {
			t.Errorf("the key of the first start: %d %s", status, body)
		}
		if said := log.String(); strings.Contains(said, `"level":"WARN"`) || strings.Contains(said, `"level":"ERROR"`) {
			t.Errorf("the log warns: %s", said)
		}
	})
}

// Of several processes that start at once on an empty database, one makes the
// project and the key.
func TestFirstStartOfSeveralAtOnce(t *testing.T) {
	t.Parallel()
	config := configOf(t, "postgres")
	const processes = 4
	made := make(chan *server.Server, processes)
	for range processes {
		go func() {
			s, err := server.New(t.Context(), config)
			if err != nil {
				t.Error(err)
			}
			made <- s
		}()
	}
	keys := 0
	for range processes {
		s := <-made
		if s == nil {
			continue
		}
		if _, key := s.FirstKey(); !key.IsZero() {
			keys++
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if keys != 1 {
		t.Errorf("%d keys were made", keys)
	}
}

func TestRolesAreSplit(t *testing.T) {
	t.Parallel()
	config := configOf(t, "postgres")
	config.Roles = []server.Role{server.RoleAPI}
	api := start(t, config)
	config.Roles = []server.Role{server.RoleWorker}
	worker := start(t, config)
	worker.key = api.key
	if _, body := api.get("/readyz"); strings.Contains(body, "jobs") {
		t.Errorf("the API says %s", body)
	}
	if _, body := worker.get("/readyz"); !strings.Contains(body, `"jobs":"running"`) {
		t.Errorf("the worker says %s", body)
	}
	if status, _ := worker.get("/v1/projects"); status != http.StatusNotFound {
		t.Errorf("the worker answers the API with %d", status)
	}
	worker.eventually(t, `windlass_job_attempts_total{kind="retention",verdict="done"} 1`)
	if _, body := api.get("/metrics"); strings.Contains(body, "windlass_job_attempts_total{") {
		t.Error("the API runs jobs")
	}
}

// eventually waits for a line of the metrics.
func (r *running) eventually(t *testing.T, line string) {
	t.Helper()
	const patience = 20 * time.Second // never spent when all is well
	body := ""
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(20 * time.Millisecond) {
		if _, body = r.get("/metrics"); strings.Contains(body, line+"\n") {
			return
		}
	}
	t.Fatalf("the metrics never said %s, but: %s", line, body)
}

func TestMetricsHaveAnAddressOfTheirOwn(t *testing.T) {
	t.Parallel()
	config := configOf(t, "sqlite")
	config.MetricsAddr = "127.0.0.1:0"
	r := start(t, config)
	if status, _ := r.get("/metrics"); status != http.StatusNotFound {
		t.Errorf("/metrics answered %d at the public address", status)
	}
	resp, err := http.Get(r.MetricsURL() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the metrics' own address answered %d", resp.StatusCode)
	}
}

func TestMetricsHaveLabelsOfOursOnly(t *testing.T) {
	t.Parallel()
	r := start(t, configOf(t, "sqlite"))
	for _, path := range []string{"/v1/made-up-by-a-client", "/v1/projects/secret-name/connections", "/x%2Fy", "//evil"} {
		r.get(path)
	}
	_, body := r.get("/metrics")
	for _, want := range []string{`windlass_http_requests_total{operation="none",status="404"}`, `operation="listConnections"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	for _, never := range []string{"made-up", "secret-name", "evil"} {
		if strings.Contains(body, never) {
			t.Errorf("the metrics hold %q", never)
		}
	}
}

func TestStopLetsRequestsEnd(t *testing.T) {
	t.Parallel()
	bitbucket := sandbox.New(&sandbox.Options{Repositories: 3})
	slow := &slowly{base: bitbucket.Transport(), asked: make(chan struct{}, 16)}
	config := configOf(t, "sqlite")
	config.Base = slow
	r := start(t, config)
	r.product(bitbucket)
	r.consent(bitbucket)
	slow.hold.Store(int64(300 * time.Millisecond))
	slow.drain()
	done := make(chan int)
	go func() {
		status, _ := r.call(http.MethodPost, inProject+"/integrations/bitbucket/installations", installation, nil)
		done <- status
	}()
	<-slow.asked
	if err := r.end(); err != nil { // it does not wait for its deadline: that would be an error
		t.Error(err)
	}
	if status := <-done; status != http.StatusCreated {
		t.Errorf("the request that was under way was answered %d", status)
	}
	if status, body := r.get("/healthz"); status != 0 {
		t.Errorf("after the stop: %d %s", status, body)
	}
}

func TestStopHasADeadline(t *testing.T) {
	t.Parallel()
	bitbucket := sandbox.New(&sandbox.Options{Repositories: 3})
	slow := &slowly{base: bitbucket.Transport(), asked: make(chan struct{}, 16)}
	config := configOf(t, "sqlite")
	config.Base, config.StopDeadline = slow, 300*time.Millisecond
	r := start(t, config)
	r.product(bitbucket)
	r.consent(bitbucket)
	slow.hold.Store(int64(time.Minute))
	slow.drain()
	done := make(chan int, 1)
	go func() {
		status, _ := r.call(http.MethodPost, inProject+"/integrations/bitbucket/installations", installation, nil)
		done <- status
	}()
	<-slow.asked
	err := r.end()
	if status := <-done; status == http.StatusCreated {
		t.Error("it waited for the request")
	}
	if !errors.Is(err, windlass.Unavailable) || !strings.Contains(err.Error(), "300ms") {
		t.Errorf("it said %v", err)
	}
}

func TestNothingRunsWhenTheContextHasEnded(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := server.New(ctx, configOf(t, "sqlite")); err == nil {
		t.Error("it started")
	}
}

// What stands in front of a server forbids /metrics by comparing it as it was sent.
func TestOwnPathsHaveOneSpelling(t *testing.T) {
	t.Parallel()
	r := start(t, configOf(t, "sqlite"))
	for _, path := range []string{"/%6detrics", "/%6Detrics", "/metric%73", "/%68ealthz", "/read%79z", "/%2e/metrics", "//metrics", "/metrics%2f"} {
		if status, body := r.get(path); status != http.StatusNotFound {
			t.Errorf("%s: %d %.80s", path, status, body)
		}
	}
	if status, _ := r.get("/metrics"); status != http.StatusOK {
		t.Errorf("/metrics: %d", status)
	}
}
