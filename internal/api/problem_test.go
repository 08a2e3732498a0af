package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/internal/api"
	"windlass/internal/deploy"
	"windlass/internal/input"
	"windlass/internal/install"
	"windlass/internal/setup"
)

// failing is the real store, except that looking a destination up goes wrong.
type failing struct {
	setup.Store
	fail func(ctx context.Context) error
}

func (f failing) Destination(ctx context.Context, _, _ string) (windlass.Destination, error) {
	return windlass.Destination{}, f.fail(ctx)
}

// failure sends a request that fails with an error, and returns the answer.
func failure(t *testing.T, fail func(ctx context.Context) error, change func(*api.Config)) (answer, *world) {
	t.Helper()
	w := newWorldWith(t, func(c *api.Config) {
		c.Setup = setup.New(failing{c.Lookup.(setup.Store), fail}, nil, nil)
		if change != nil {
			change(c)
		}
	})
	return w.get(w.in("/destinations/x")), w
}

func TestEveryKindHasItsStatus(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		kind         windlass.Kind
		ours, theirs int // the status when we say so, and when the provider does
		slug         string
		retryable    bool
	}{
		{windlass.Invalid, 400, 422, "invalid", false},
		{windlass.Unauthorized, 401, 422, "unauthorized", false},
		{windlass.NeedsReconnect, 422, 422, "needs-reconnect", false},
		{windlass.Forbidden, 403, 422, "forbidden", false},
		{windlass.NotFound, 404, 422, "not-found", false},
		{windlass.Conflict, 409, 409, "conflict", false},
		{windlass.Gone, 410, 422, "gone", false},
		{windlass.RateLimited, 429, 429, "rate-limited", true},
		{windlass.CursorExpired, 410, 422, "cursor-expired", false},
		{windlass.Unavailable, 503, 503, "unavailable", true},
		{windlass.Malformed, 502, 502, "malformed-answer", true},
		{windlass.Incomplete, 502, 502, "incomplete", true},
		{windlass.Canceled, 499, 499, "canceled", true},
		{windlass.Internal, 500, 500, "internal", false},
	} {
		t.Run(string(test.kind), func(t *testing.T) {
			t.Parallel()
			ours, _ := failure(t, func(context.Context) error {
				return fmt.Errorf("wrapped: %w", &windlass.Error{Kind: test.kind, Op: "look", Message: "it is so", Remedy: "do this"})
			}, nil)
			p := ours.problem(test.ours, test.slug)
			if p["detail"] != "it is so" || p["remedy"] != "do this" || p["retryable"] != test.retryable || p["subsystem"] != "api" {
				t.Errorf("the problem is %v", p)
			}
			theirs, _ := failure(t, func(context.Context) error {
				said := &windlass.Error{
					Kind: test.kind, Provider: &windlass.ProviderDetails{Status: 418, RequestID: "r-1", Required: []string{"a", "b"}, Granted: []string{"a"}}, Message: "said the provider", Remedy: "do that",
				}
				return &windlass.Error{Kind: test.kind, Message: "it is so", Err: said}
			}, nil)
			p = theirs.problem(test.theirs, test.slug)
			context, _ := p["context"].(map[string]any)
			if p["subsystem"] != "provider" || context["providerStatus"] != 418.0 || context["providerRequestId"] != "r-1" ||
				fmt.Sprint(context["missingScopes"]) != "[b]" || !strings.Contains(fmt.Sprint(p["causes"]), "said the provider") {
				t.Errorf("the problem is %v", p)
			}
		})
	}
}

func TestUnprocessableInputIsToldFromWrongInput(t *testing.T) {
	t.Parallel()
	got, _ := failure(t, func(context.Context) error {
		return &windlass.Error{Kind: windlass.Invalid, Message: "no", Err: input.Unprocessable, Issues: []windlass.Issue{
			{In: "path", Name: "destination", Message: "wrong"}, {Name: "x", Message: "wrong too"},
		}}
	}, nil)
	p := got.problem(422, "unprocessable")
	first, _ := p["issues"].([]any)[0].(map[string]any)
	second, _ := p["issues"].([]any)[1].(map[string]any)
	if first["in"] != "path" || first["name"] != "destination" || first["detail"] != "wrong" || second["in"] != "body" {
		t.Errorf("issues: %v", p["issues"])
	}
}

func TestHowLongToWaitIsSaidTwice(t *testing.T) {
	t.Parallel()
	got, w := failure(t, func(context.Context) error {
		return &windlass.Error{Kind: windlass.RateLimited, Message: "slow down", RetryAfter: 90*time.Second + time.Millisecond, Provider: &windlass.ProviderDetails{}}
	}, nil)
	p := got.problem(429, "rate-limited")
	if after := got.header.Get("Retry-After"); after != "91" {
		t.Errorf("Retry-After is %q", after)
	}
	at, err := time.Parse(time.RFC3339, p["retryAfter"].(string))
	if err != nil || at.Sub(w.clock.Now()) != 90*time.Second+time.Millisecond {
		t.Errorf("retryAfter is %v", p["retryAfter"])
	}
}

// What was not written to be shown is not: it may hold a query, a path, a secret.
func TestDefectsShowNothingAndAreLogged(t *testing.T) {
	t.Parallel()
	got, w := failure(t, func(context.Context) error {
		return errors.New("pq: password authentication failed for user \"x\" with hunter2")
	}, nil)
	p := got.problem(500, "internal")
	if strings.Contains(got.body, "hunter2") || strings.Contains(got.body, "pq:") {
		t.Errorf("it shows %s", got.body)
	}
	log := w.logs.String()
	if !strings.Contains(log, "hunter2") || !strings.Contains(log, p["requestId"].(string)) || !strings.Contains(log, "endpoint=getDestination") {
		t.Errorf("the log is %s", log)
	}
}

func TestPanicsAreAnsweredAndLogged(t *testing.T) {
	t.Parallel()
	got, w := failure(t, func(context.Context) error {
		panic("a nail in the works")
	}, nil)
	p := got.problem(500, "internal")
	log := w.logs.String()
	if strings.Contains(got.body, "a nail in the works") {
		t.Errorf("it shows %s", got.body)
	}
	for _, part := range []string{"a nail in the works", "problem_test.go", p["requestId"].(string), "status=500"} {
		if !strings.Contains(log, part) {
			t.Errorf("the log has no %q: %s", part, log)
		}
	}
}

func TestAbortedAnswersStayAborted(t *testing.T) {
	t.Parallel()
	defer func() {
		if recovered := recover(); recovered != http.ErrAbortHandler { //nolint:errorlint // net/http itself compares it so
			t.Errorf("recovered %v", recovered)
		}
	}()
	failure(t, func(context.Context) error { panic(http.ErrAbortHandler) }, nil)
}

func TestRequestsEndInTime(t *testing.T) {
	t.Parallel()
	got, _ := failure(t, func(ctx context.Context) error {
		<-ctx.Done()
		return &windlass.Error{Kind: windlass.Internal, Err: fmt.Errorf("query: %w", ctx.Err())}
	}, func(c *api.Config) { c.Timeout = 20 * time.Millisecond })
	got.problem(504, "timed-out")
}

func TestLogSaysWhoDidWhatAndHolds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.send("POST", w.in("/api-keys"), `{"label":"ci"}`).is(201)
	w.get("/v1/projects/acme?groupRef=secret-query").is(200)
	w.get(w.in("/api-keys/" + w.key)).is(200)
	log := w.logs.String()
	for _, part := range []string{
		"endpoint=createApiKey", "method=POST", "status=201", "level=INFO", "level=DEBUG",
		"route=/v1/projects/{projectIdOrName}/api-keys", "project_id=" + w.project.ID,
		"caller=" + w.key[:strings.LastIndex(w.key, "_")],
	} {
		if !strings.Contains(log, part) {
			t.Errorf("the log has no %q: %s", part, log)
		}
	}
	for _, secret := range []string{w.key, "secret-query"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

func TestConfigThatCannotWork(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := api.Config{Setup: w.setup, Deploy: new(deploy.Flow), Install: new(install.Flow), Connect: w.connect, Lookup: w.store, PublicURL: "https://windlass.example.com/base/"}
	w.addReads(t, &good)
	if _, err := api.New(good); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*api.Config){
		"no setup":                 func(c *api.Config) { c.Setup = nil },
		"no deploys":               func(c *api.Config) { c.Deploy = nil },
		"no installations":         func(c *api.Config) { c.Install = nil },
		"no connections":           func(c *api.Config) { c.Connect = nil },
		"no reads":                 func(c *api.Config) { c.Reads = nil },
		"no types of destinations": func(c *api.Config) { c.Destinations = nil },
		"no store":                 func(c *api.Config) { c.Lookup = nil },
		"no URL":                   func(c *api.Config) { c.PublicURL = "" },
		"a URL without a scheme":   func(c *api.Config) { c.PublicURL = "windlass.example.com" },
		"a URL of another scheme":  func(c *api.Config) { c.PublicURL = "ftp://windlass.example.com" },
		"a URL that cannot be one": func(c *api.Config) { c.PublicURL = "https://%zz" },
	} {
		config := good
		change(&config)
		if _, err := api.New(config); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// withNulls answers with a stored manifest that contains nulls.
type withNulls struct{ deploy.Store }

func (withNulls) Integrations(context.Context, string, windlass.Page) ([]windlass.Integration, error) {
	return []windlass.Integration{{Name: "nullable", Latest: windlass.Revision{
		Content: []byte(`{"name":"nullable","provider":"bitbucket","read":null,"write":{"objects":[null,{"objectName":"big","inheritMapping":null}]}}`),
	}}}, nil
}

// An action without objects has a list of them all the same.
func TestConfigWithoutObjectsHasAnEmptyList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deployed()
	connection := w.connected("cust", "person")
	got := w.send("POST", w.in("/integrations/repos/installations"), map[string]any{
		"groupRef": "cust", "connectionId": connection,
		"config": map[string]any{"content": map[string]any{"provider": "bitbucket", "read": map[string]any{"objects": map[string]any{}}}},
	}).is(201)
	if !strings.Contains(got.body, `"read":{"objects":{}}`) {
		t.Errorf("got %s", got.body)
	}
}

func TestStoredNullsAreLeftOut(t *testing.T) {
	t.Parallel()
	w := newWorldWith(t, func(c *api.Config) { c.Deploy = deploy.New(withNulls{c.Lookup.(deploy.Store)}, nil, nil) })
	got := w.get(w.in("/integrations")).is(200).list()
	revision, _ := got[0]["latestRevision"].(map[string]any)
	if content := fmt.Sprint(revision["content"]); content != "map[name:nullable provider:bitbucket write:map[objects:[map[objectName:big]]]]" {
		t.Errorf("got %s", content)
	}
}
