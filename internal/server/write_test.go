package server_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/bitbucket/sandbox"
	"windlass/internal/server"
)

const projectsOf = inProject + "/integrations/bitbucket/objects/projects"

// writing sets a server up whose one customer lets projects be written.
func writing(t *testing.T, config server.Config, bitbucket *sandbox.Server) *running {
	t.Helper()
	r := start(t, delivering(config, bitbucket))
	r.product(bitbucket)
	r.consent(bitbucket)
	r.must(http.MethodPost, inProject+"/integrations/bitbucket/installations?skipSampling=true", map[string]any{
		"groupRef": "group-1", "config": map[string]any{"createdBy": "test", "content": map[string]any{
			"provider": "bitbucket",
			"write":    map[string]any{"objects": map[string]any{"projects": map[string]any{"objectName": "projects", "deletionSettings": map[string]bool{"enabled": true}}}},
		}},
	}, nil)
	return r
}

// projects counts the workspace's projects by their keys, as Bitbucket has them.
func projects(t *testing.T, bitbucket *sandbox.Server) map[string]int {
	t.Helper()
	found := map[string]int{}
	for next := "https://api.bitbucket.org/2.0/workspaces/acme/projects?pagelen=100"; next != ""; {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, next, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+bitbucket.Credentials().AccessToken)
		resp, err := bitbucket.Transport().RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		var page struct {
			Next   string
			Values []struct{ Key string }
		}
		if err := json.Unmarshal(data, &page); err != nil {
			t.Fatalf("%v: %s", err, data)
		}
		for _, p := range page.Values {
			found[p.Key]++
		}
		next = page.Next
	}
	return found
}

func TestWritesGoAllTheWay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, config server.Config) {
		bitbucket := sandbox.New(nil)
		r := writing(t, config, bitbucket)
		var made struct {
			OperationID string
			Result      struct{ RecordID string }
		}
		r.must(http.MethodPost, projectsOf, map[string]any{"groupRef": "group-1", "type": "create", "record": map[string]string{"name": "Rope", "key": "ROPE"}}, &made)
		r.must(http.MethodPost, projectsOf, map[string]any{"groupRef": "group-1", "type": "create", "mode": "synchronous", "batch": []any{map[string]any{"record": map[string]string{"name": "Wire", "key": "WIRE"}}}}, nil)
		if found := projects(t, bitbucket); found["ROPE"] != 1 || found["WIRE"] != 1 {
			t.Errorf("the projects are %v", found)
		}
		r.must(http.MethodPost, projectsOf, map[string]any{"groupRef": "group-1", "type": "update", "record": map[string]string{"id": made.Result.RecordID, "key": "LINE"}}, nil)
		r.must(http.MethodPost, projectsOf, map[string]any{"groupRef": "group-1", "type": "delete", "record": map[string]string{"id": made.Result.RecordID}}, nil)
		if found := projects(t, bitbucket); found["ROPE"]+found["LINE"] != 0 {
			t.Errorf("the projects are %v", found)
		}
		status, body := r.call(http.MethodPost, projectsOf, map[string]any{"groupRef": "group-1", "type": "create", "record": map[string]string{"name": "Wire", "key": "WIRE"}}, nil)
		if status != http.StatusUnprocessableEntity || !strings.Contains(body, `"errors":[{"message":"create projects: `) {
			t.Errorf("%d %s", status, body)
		}
		operation := r.must(http.MethodGet, inProject+"/operations/"+made.OperationID, nil, nil)
		if !strings.Contains(operation, `"actionType":"write"`) || !strings.Contains(operation, `"status":"success"`) {
			t.Error(operation)
		}
	})
}

// The published notification of an asynchronous write does not say which write it
// is about: a header does.
func TestTheNotificationOfAWriteNamesItsOperation(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, config server.Config) {
		bitbucket, to := sandbox.New(nil), newReceiver(t)
		r := writing(t, config, bitbucket)
		r.receives(to)
		var topic struct {
			ID string `json:"id"`
		}
		r.must(http.MethodPost, inProject+"/topics", map[string]string{"name": "events"}, &topic)
		r.must(http.MethodPost, inProject+"/notification-event-topic-routes", map[string]string{"eventType": windlass.AsyncWriteDoneEvent, "topicId": topic.ID}, nil)
		r.must(http.MethodPost, inProject+"/topic-destination-routes", map[string]string{"topicId": topic.ID, "destinationId": "webhook"}, nil)
		var begun []string
		for _, key := range []string{"ROPE", "WIRE"} {
			var one struct{ OperationID string }
			r.must(http.MethodPost, projectsOf, map[string]any{
				"groupRef": "group-1", "type": "create", "mode": "asynchronous", "batch": []any{map[string]any{"record": map[string]string{"name": key, "key": key}}},
			}, &one)
			begun = append(begun, one.OperationID)
		}
		for patience := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
			to.mu.Lock()
			told := slices.Clone(to.about[windlass.AsyncWriteDoneEvent])
			to.mu.Unlock()
			if len(told) == len(begun) {
				slices.Sort(told)
				slices.Sort(begun)
				if !slices.Equal(told, begun) || begun[0] == "" {
					t.Errorf("the notifications name %q, the writes are %q", told, begun)
				}
				return
			}
			if time.Now().After(patience) {
				t.Fatalf("%d notifications came", len(told))
			}
		}
	})
}

// A server stops in the middle of an asynchronous write; the next one finishes it.
func TestAWriteOutlivesItsServer(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, config server.Config) {
		const records = 40
		bitbucket := sandbox.New(&sandbox.Options{Latency: 30 * time.Millisecond})
		config.StopDeadline = 400 * time.Millisecond // too short for the write
		r := writing(t, config, bitbucket)
		var batch []map[string]any
		for i := range records {
			batch = append(batch, map[string]any{"record": map[string]string{"name": fmt.Sprint("Rope ", i), "key": fmt.Sprint("ROPE", i)}})
		}
		var begun struct{ OperationID string }
		r.must(http.MethodPost, projectsOf, map[string]any{"groupRef": "group-1", "type": "create", "mode": "asynchronous", "batch": batch}, &begun)
		for len(projects(t, bitbucket)) < 12+5 { // the seeded ones, and some
			time.Sleep(5 * time.Millisecond)
		}
		// Whether it gives way in time or is broken off, the next one goes on.
		if err := r.end(); err != nil && !errors.Is(err, windlass.Unavailable) {
			t.Fatal(err)
		}
		if n := len(projects(t, bitbucket)); n >= 12+records {
			t.Fatalf("it was too fast: %d", n)
		}
		key := r.key
		r = start(t, delivering(config, bitbucket))
		r.key = key
		operation := ""
		for began := time.Now(); !strings.Contains(operation, `"status":"success"`); time.Sleep(20 * time.Millisecond) {
			if operation = r.must(http.MethodGet, inProject+"/operations/"+begun.OperationID, nil, nil); time.Since(began) > time.Minute {
				t.Fatal(operation)
			}
		}
		found := projects(t, bitbucket)
		for i := range records {
			if found[fmt.Sprint("ROPE", i)] != 1 {
				t.Errorf("there are %d of ROPE%d", found[fmt.Sprint("ROPE", i)], i)
			}
		}
	})
}
