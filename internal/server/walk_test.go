package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"windlass/bitbucket/sandbox"
	"windlass/internal/server"
)

// reads deploys an integration that reads one object, and installs it. It returns
// the path of the installation.
func (r *running) reads(object string) string {
	r.tb.Helper()
	r.must(http.MethodPut, inProject+"/integrations:batch", map[string]string{
		"sourceYaml": strings.ReplaceAll(amp, "repositories", object),
	}, nil)
	var made struct{ ID string }
	const installations = inProject + "/integrations/bitbucket/installations"
	r.must(http.MethodPost, installations+"?skipSampling=true", map[string]any{
		"groupRef": "group-1",
		"config": map[string]any{"content": map[string]any{"provider": "bitbucket", "read": map[string]any{"objects": map[string]any{
			object: map[string]any{"objectName": object, "selectedFields": map[string]bool{}, "selectedFieldMappings": map[string]string{}},
		}}}},
	}, &made)
	return installations + "/" + made.ID
}

// logOf waits until the log of the installation's first read says something, and
// returns how the read stands.
func (r *running) logOf(installation, want string) (status string) {
	r.tb.Helper()
	log := ""
	for begun := time.Now(); time.Since(begun) < time.Minute; time.Sleep(20 * time.Millisecond) {
		var operations struct{ Results []struct{ ID, Status string } }
		r.must(http.MethodGet, installation+"/operations", nil, &operations)
		if len(operations.Results) == 0 {
			continue
		}
		first := operations.Results[len(operations.Results)-1]
		if log = r.must(http.MethodGet, inProject+"/operations/"+first.ID+"/logs", nil, nil); strings.Contains(log, want) {
			return first.Status
		}
	}
	r.tb.Fatalf("the log never said %q: %s", want, log)
	return ""
}

// What Bitbucket's lists do wrong, as far as a receiver: what there is arrives,
// once, and the log says what was wrong.
func TestWhatListsDoWrong(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		object  string
		options sandbox.Options
		fault   string
		records int
		says    []string
	}{
		{
			"rows repeat and others are missing", "repositories",
			sandbox.Options{Repositories: 250},
			"unstable=100,path=/2.0/repositories/*,after=1,times=1", 250,
			[]string{"The records came in another order than by created_on", "once more (pass 2 of at most 4): 200 of the 250 records that the provider counts arrived", "Read 250 records"},
		},
		{
			"rows repeat in a list without an order", "members",
			sandbox.Options{Members: 250},
			"unstable=100,path=/2.0/workspaces/*/members,after=1,times=1", 250,
			[]string{"once more (pass 2 of at most 4): 150 of the 250 records that the provider counts arrived", "Read 250 records"},
		},
		{
			"a link loses the page length", "members",
			sandbox.Options{Members: 250},
			"lossy-next=pagelen", 250,
			[]string{"The link to the next page has lost or changed pagelen", "Read 250 records of members in 3 requests"},
		},
		{
			"a link is missing", "members",
			sandbox.Options{Members: 250},
			"no-next,path=/2.0/workspaces/*/members", 250,
			[]string{"The link to the next page is missing, although the provider counts 250 records", "Read 250 records of members in 3 requests"},
		},
		{
			"memberships have no workspace", "workspaces",
			sandbox.Options{NullMemberships: 2},
			"", 3,
			[]string{"Bitbucket returned 2 of the memberships without a workspace: they were passed over.", "Read 3 records"},
		},
		{
			"subjects of events are refused", "hook_events",
			sandbox.Options{HookSubjects: []string{"team", "user"}},
			"", 57,
			[]string{"refused the events of", "Read 57 records"},
		},
		{
			"a link is malformed", "members",
			sandbox.Options{Members: 250},
			"bad-next,times=1", 250,
			[]string{"link to the next page is malformed: ", "/members\\u0026", "Read 250 records"},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, config server.Config) {
				options := row.options
				options.Limit = -1
				bitbucket := sandbox.New(&options)
				to := newReceiver(t)
				r := connectedTo(t, delivering(config, bitbucket), bitbucket, to)
				if row.fault != "" {
					fault, err := sandbox.ParseFault(row.fault)
					if err != nil {
						t.Fatal(err)
					}
					bitbucket.Inject(fault)
				}
				installation := r.reads(row.object)
				for _, want := range row.says {
					r.logOf(installation, want)
				}
				to.await(t, row.records, time.Minute)
				to.check(t)
				status := r.logOf(installation, fmt.Sprintf("Read %d records", row.records))
				if records, _, _ := to.seen(); records != row.records || to.twice() != 0 || status != "success" {
					t.Errorf("%d records came, %d of them twice; the read is a %s", records, to.twice(), status)
				}
			})
		})
	}
}
