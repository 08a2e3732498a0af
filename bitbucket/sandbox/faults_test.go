package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"windlass/bitbucket/sandbox"
)

func (c *client) inject(text string) {
	c.t.Helper()
	f, err := sandbox.ParseFault(text)
	if err != nil {
		c.t.Fatal(err)
	}
	c.server.Inject(f)
}

func TestFaultsInAnswers(t *testing.T) {
	for _, row := range []struct {
		fault string
		check func(r reply, err error) bool
	}{
		{"status=503,retry-after=7s", func(r reply, _ error) bool {
			return r.status == 503 && r.header.Get("Retry-After") == "7" && r.at("type") == "error"
		}},
		{"status=429,text", func(r reply, _ error) bool { return r.status == 429 && r.body == nil }},
		{"html", func(r reply, _ error) bool { return r.status == 502 && strings.Contains(r.text, "<html") }},
		{"reset", func(_ reply, err error) bool { return err != nil }},
		{"cut", func(_ reply, err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
		{"cut=10", func(_ reply, err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }},
		{"malformed", func(r reply, err error) bool { return err == nil && r.status == 200 && r.body["values"] == nil }},
		{"skew=-1h", func(r reply, _ error) bool {
			at, err := http.ParseTime(r.header.Get("Date"))
			return err == nil && time.Since(at) > 59*time.Minute && time.Since(at) < 61*time.Minute
		}},
		{"foreign-next", func(r reply, _ error) bool {
			return strings.HasPrefix(fmt.Sprint(r.at("next")), "https://elsewhere.example/2.0/repositories/acme?")
		}},
		{"foreign-next=evil.example", func(r reply, _ error) bool {
			return strings.HasPrefix(fmt.Sprint(r.at("next")), "https://evil.example/")
		}},
	} {
		t.Run(row.fault, func(t *testing.T) {
			c := newClient(t, nil)
			c.inject(row.fault + ",path=/2.0/repositories/*,times=1")
			c.get("/user")
			if r, err := c.try("GET", "/repositories/acme", nil); !row.check(r, err) {
				t.Errorf("in process: %v, %d %s", err, r.status, r.text)
			}
			c.get("/repositories/acme")
			if n := c.server.Requests(); n != 3 || len(c.server.Log()) != 3 {
				t.Errorf("%d requests, 3 were made", n)
			}

			web := httptest.NewServer(c.server)
			defer web.Close()
			c.inject(row.fault + ",times=1")
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, web.URL+"/2.0/repositories/acme", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+c.token)
			var r reply
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err == nil {
				var b []byte
				b, err = io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				r = reply{status: resp.StatusCode, header: resp.Header, text: string(b), body: lenient(string(b))}
			}
			if !row.check(r, err) {
				t.Errorf("over a socket: %v, %d %s", err, r.status, r.text)
			}
		})
	}
}

func TestFaultsInPaging(t *testing.T) {
	c := newClient(t, &sandbox.Options{Repositories: 40})
	want := each(c.walk("/repositories/acme"), "uuid")

	c.inject("duplicate-page,after=1,times=1")
	got := each(c.walk("/repositories/acme"), "uuid")
	if fmt.Sprint(got) != fmt.Sprint(append(append([]any{}, want[:20]...), want[10:]...)) {
		t.Errorf("the second page should come twice: %d records", len(got))
	}
	c.inject("duplicate-page")
	if got := each(c.walk("/repositories/acme"), "uuid"); len(got) != 70 {
		t.Errorf("every page but the last should come twice: %d records of 70", len(got))
	}
	c.server.ClearFaults()

	c.inject("shift-page=2,after=1,times=1")
	if got := each(c.walk("/repositories/acme"), "uuid"); got[10] != want[12] || len(got) != 40 {
		t.Errorf("the second page should begin two later: %d records", len(got))
	}
	c.inject("shift-page=-3,after=1,times=1")
	if got := each(c.walk("/repositories/acme"), "uuid"); got[10] != want[7] {
		t.Error("the second page should begin three earlier")
	}
	c.inject("unstable=10,after=1,times=1")
	if got := each(c.walk("/repositories/acme"), "uuid"); got[10] != want[20] || got[20] != want[20] || len(got) != 40 {
		t.Error("the second page should show the third's records")
	}
	c.inject("no-next,after=1,times=1")
	if got := each(c.walk("/repositories/acme"), "uuid"); len(got) != 20 {
		t.Errorf("the second page should be the last: %d records", len(got))
	}
	for fault, want := range map[string]string{
		"lossy-next":         "/2.0/repositories/acme?pagelen=10&page=2",
		"lossy-next=pagelen": "/2.0/repositories/acme?sort=name&page=2",
		"bad-next":           "/2.0/repositories/acme&sort=name&pagelen=10&page=2",
	} {
		c.inject(fault + ",times=1")
		if next := fmt.Sprint(c.get("/repositories/acme?sort=name&pagelen=10").at("next")); !strings.HasSuffix(next, want) {
			t.Errorf("%s: next is %s", fault, next)
		}
	}
}

func TestListsWithHoles(t *testing.T) {
	c := newClient(t, &sandbox.Options{NullMemberships: 2, HookSubjects: []string{"team", "user"}})
	values, ok := c.get("/user/workspaces").at("values").([]any)
	if !ok || len(values) != 5 {
		t.Fatalf("%d memberships", len(values))
	}
	nulls := 0
	for _, value := range values {
		if workspace, there := value.(map[string]any)["workspace"]; there && workspace == nil {
			nulls++
		}
	}
	if nulls != 2 {
		t.Errorf("%d memberships have no workspace", nulls)
	}
	if subjects := c.get("/hook_events"); subjects.at("user") == nil || subjects.at("team") == nil {
		t.Errorf("the subjects are %s", subjects.text)
	}
	if r, err := c.try("GET", "/hook_events/user", nil); err != nil || r.status != 404 {
		t.Errorf("the events of a user are %d, %v", r.status, err)
	}
}

func TestSkewDatesChanges(t *testing.T) {
	now := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	c := newClient(t, &sandbox.Options{Now: func() time.Time { return now }})
	c.inject("skew=48h,times=1")
	made := c.do("POST", "/repositories/acme/ahead", nil)
	if got := made.at("created_on"); got != "2027-01-03T00:00:00.000000+00:00" {
		t.Errorf("created on %v", got)
	}
}

func TestFaultsInTheTokenEndpoint(t *testing.T) {
	c := newClient(t, nil)
	c.inject("status=503,path=/site/**,times=1")
	creds := c.server.Credentials()
	form := url.Values{"grant_type": {"client_credentials"}}
	if r := c.tokens(creds.ConsumerKey, creds.ConsumerSecret, form); r.status != 503 {
		t.Errorf("%d", r.status)
	}
	if r := c.tokens(creds.ConsumerKey, creds.ConsumerSecret, form); r.status != 200 || r.body["refresh_token"] != nil {
		t.Errorf("%d %s", r.status, r.text)
	}
}

func TestHangAndLatencyUnderAFakeClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, &sandbox.Options{Latency: 3 * time.Second})
		started := time.Now()
		c.get("/user")
		if took := time.Since(started); took != 3*time.Second {
			t.Errorf("took %v", took)
		}
		c.inject("hang")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := fetch(ctx, c.server, c.token, "/user"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a hang ends with %v", err)
		}
		if log := c.server.Log(); log[len(log)-1].Status != 0 {
			t.Errorf("a hang is logged as %d", log[len(log)-1].Status)
		}
	})
}

func lenient(text string) map[string]any {
	body, err := tryDecode(text)
	if err != nil {
		return nil
	}
	return body
}
