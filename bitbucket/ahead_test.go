package bitbucket_test

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"windlass/bitbucket/sandbox"
	"windlass/connector"
)

// TestAskingAheadIsTheSameRead compares Connector.All with connector.All, for
// every object, on good days and bad.
func TestAskingAheadIsTheSameRead(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{
		"latency=1ms", "status=503", "status=429", "cut", "malformed", "reset", "html",
		"foreign-next", "duplicate-page", "shift-page=7", "shift-page=-7",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			for _, object := range []string{"repositories", "hooks", "hook_events", "workspaces", "members", "projects"} {
				opts := &sandbox.Options{Repositories: 450, Hooks: 150, Members: 250, Limit: -1}
				req := connector.ReadRequest{Object: object}
				if object == "projects" {
					req.Since = req.Since.AddDate(2000, 0, 0)
				}
				ahead, stepwise := setUp(t, opts), setUp(t, opts)
				ahead.inject(t, fault+",after=1,times=1")
				stepwise.inject(t, fault+",after=1,times=1")
				var ids [2][]string
				var ends [2]error
				for record, err := range ahead.All(t.Context(), req) {
					ids[0], ends[0] = append(ids[0], record.ID), err
				}
				for record, err := range connector.All(t.Context(), stepwise, req) {
					ids[1], ends[1] = append(ids[1], record.ID), err
				}
				if strings.Join(ids[0], " ") != strings.Join(ids[1], " ") || errorText(ends[0]) != errorText(ends[1]) {
					t.Errorf("%s: %d records and %v ahead; %d records and %v page by page", object, len(ids[0]), ends[0], len(ids[1]), ends[1])
				}
				if ends[0] == nil && ahead.sent != stepwise.sent {
					t.Errorf("%s: %d requests ahead, %d page by page", object, ahead.sent, stepwise.sent)
				}
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestAskingAheadStopsWithItsCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // which fails if a goroutine is left
		r := setUp(t, &sandbox.Options{Repositories: 1000})
		for _, err := range r.All(t.Context(), connector.ReadRequest{Object: "repositories"}) {
			if err != nil {
				t.Error(err)
			}
			break
		}
		if r.sent > 2 {
			t.Errorf("%d requests for the first record", r.sent)
		}
		r.inject(t, "hang,after=1")
		var records int
		for _, err := range r.All(t.Context(), connector.ReadRequest{Object: "repositories"}) {
			if err != nil {
				t.Error(err)
			}
			if records++; records == 100 {
				break // the next page is under way, and hangs
			}
		}
	})
}

func TestAskingAheadFollowsNothingThatIsNoPage(t *testing.T) {
	t.Parallel()
	const list = "https://api.bitbucket.org/2.0/workspaces/acme/hooks"
	for name, body := range map[string]string{
		"a next inside the last record": `{"values":[{"uuid":"{1}","next":"` + list + `?page=9"}]}`,
		"a next of another list":        `{"values":[{"uuid":"{1}"}],"next":"https://api.bitbucket.org/2.0/user?page=2"}`,
		"a next elsewhere":              `{"values":[{"uuid":"{1}"}],"next":"https://evil.example/2.0/workspaces/acme/hooks?page=2"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var strays atomic.Int32
			c := over(t, transportFunc(func(req *http.Request) (*http.Response, error) {
				switch {
				case req.URL.Host != "api.bitbucket.org":
					strays.Add(1)
				case strings.HasSuffix(req.URL.Path, "/user"):
					return reply(200, `{"values":[]}`), nil
				case req.URL.Query().Get("page") != "":
					return nil, errors.New("not to be used")
				}
				return reply(200, body), nil
			}))
			records := 0
			for _, err := range c.All(t.Context(), readHooks) {
				if err == nil {
					records++
				}
			}
			if strays.Load() != 0 || records > 1 {
				t.Errorf("%d requests went elsewhere, %d records", strays.Load(), records)
			}
		})
	}
}
