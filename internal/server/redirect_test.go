package server_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"windlass/bitbucket/sandbox"
	"windlass/internal/server"
)

// A write that Bitbucket answers with a redirect is a failure in the product's
// eyes, synchronous or not, and says where the thing is.
func TestARedirectedWriteFails(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, config server.Config) {
		bitbucket := sandbox.New(nil)
		r := writing(t, config, bitbucket)
		var made struct{ Result struct{ RecordID string } }
		for _, key := range []string{"ROPE", "WIRE"} {
			r.must(http.MethodPost, projectsOf, map[string]any{"groupRef": "group-1", "type": "create", "record": map[string]string{"name": key, "key": key}}, &made)
		}
		inject := func(text string) {
			t.Helper()
			f, err := sandbox.ParseFault(text)
			if err != nil {
				t.Fatal(err)
			}
			bitbucket.Inject(f)
		}
		const says = "it has moved to /2.0/workspaces/acme/projects/ROPE"
		inject("redirect=302,method=DELETE,to=/2.0/workspaces/acme/projects/ROPE")
		inject("redirect=303,method=POST,path=/2.0/**,to=/2.0/workspaces/acme/projects/ROPE")
		for kind, record := range map[string]map[string]string{
			"delete": {"id": made.Result.RecordID}, "create": {"name": "Line", "key": "LINE"},
		} {
			status, body := r.call(http.MethodPost, projectsOf, map[string]any{"groupRef": "group-1", "type": kind, "record": record}, nil)
			if status != http.StatusUnprocessableEntity || !strings.Contains(body, says) {
				t.Errorf("%s: %d %s", kind, status, body)
			}
			if kind == "delete" {
				continue // always synchronous
			}
			var begun struct{ OperationID string }
			r.must(http.MethodPost, projectsOf, map[string]any{"groupRef": "group-1", "type": kind, "mode": "asynchronous", "record": record}, &begun)
			if operation := r.outcome(begun.OperationID); !strings.Contains(operation, `"status":"failure"`) || !strings.Contains(operation, says) {
				t.Errorf("%s: %s", kind, operation)
			}
		}
		if found := projects(t, bitbucket); found["ROPE"] != 1 || found["WIRE"] != 1 || found["LINE"] != 0 {
			t.Errorf("the projects are %v", found)
		}
	})
}

// outcome waits for an operation to end, and returns it.
func (r *running) outcome(id string) (operation string) {
	r.tb.Helper()
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		operation = r.must(http.MethodGet, inProject+"/operations/"+id, nil, nil)
		if !strings.Contains(operation, `"status":"in_progress"`) {
			return operation
		}
		if time.Since(began) > time.Minute {
			r.tb.Fatal(operation)
		}
	}
}
