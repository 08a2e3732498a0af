package api_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"windlass"
)

const inRepos = "/integrations/repos/installations/"

// readsOnce does everything that can be done with the reads of an installation.
func (w *world) readsOnce(t *testing.T, installation string) {
	t.Helper()
	path := w.in(inRepos + installation)
	object := w.in("/integrations/repos/objects/repositories")
	w.carryOn(t) // the backfill
	begun := w.send("POST", object, map[string]any{"groupRef": "cust", "mode": "async", "sinceTimestamp": "2026-11-01T00:00:00Z"}).is(201)
	operation := w.in("/operations/" + begun.text("operationId"))
	if got := w.get(operation).is(200); got.text("status") != "in_progress" {
		t.Errorf("it has begun: %s", got.body)
	}
	w.send("POST", object, map[string]any{"groupRef": "cust", "mode": "async"}).problem(409, "conflict")
	w.carryOn(t)
	if got := w.get(operation).is(200); got.text("status") != "success" || !strings.Contains(got.body, `"recordsProcessed":2,"recordsEstimatedTotal":2`) {
		t.Errorf("it has ended: %s", got.body)
	}
	if lines := w.get(operation + "/logs").is(200).list(); len(lines) < 2 {
		t.Errorf("its log: %v", lines)
	}
	page := w.get(path + "/operations?pageSize=1").is(200).object()
	if more, _ := page["pagination"].(map[string]any); more["done"] != false {
		t.Errorf("a page of several: %v", page)
	} else {
		token, _ := more["nextPageToken"].(string)
		w.get(path + "/operations?pageToken=" + token + "&status=success&objectName=repositories").is(200)
	}
	w.get(path+"/operations?pageSize=none").problem(400, "invalid")

	w.get(path + "/objects/repositories/backfill-progress").is(200)
	w.get(path+"/objects/workspaces/backfill-progress").problem(404, "not-found")

	w.send("POST", path+":pause", map[string]any{"objects": []string{"repositories"}, "note": "moving house"}).is(204)
	if got := w.send("POST", object, map[string]any{"groupRef": "cust", "mode": "async"}); !strings.Contains(got.problem(409, "conflict")["detail"].(string), "moving house") {
		t.Errorf("a pause says why: %s", got.body)
	}
	w.send("POST", path+":unpause", nil).is(204)
	w.carryOn(t)
	for name, test := range map[string]struct {
		body   map[string]any
		status int
		slug   string
	}{
		"a group without it":    {map[string]any{"groupRef": "other", "mode": "async"}, 404, "not-found"},
		"another mode":          {map[string]any{"groupRef": "cust", "mode": "sync"}, 400, "invalid"},
		"a time that is none":   {map[string]any{"groupRef": "cust", "mode": "async", "sinceTimestamp": "yesterday"}, 400, "invalid"},
		"a time of the future":  {map[string]any{"groupRef": "cust", "mode": "async", "sinceTimestamp": "2036-11-01T00:00:00Z"}, 400, "invalid"},
		"a key that is unknown": {map[string]any{"groupRef": "cust", "mode": "async", "since": "2026-11-01T00:00:00Z"}, 400, "invalid"},
	} {
		t.Run(name, func(t *testing.T) { w.as(t).send("POST", object, test.body).problem(test.status, test.slug) })
	}
	w.send("POST", w.in("/integrations/repos/objects/addon%2Flinkers"), map[string]any{"groupRef": "cust", "mode": "async"}).problem(400, "invalid")
	w.searchOnce(t)
	w.deliveriesOnce(t, installation)
}

func (w *world) searchOnce(t *testing.T) {
	t.Helper()
	search := func(path string, value any) answer {
		t.Helper()
		return w.send("POST", w.in(path), map[string]any{
			"objectName": "repositories", "fieldFilters": []any{map[string]any{"fieldName": "uuid", "operator": "eq", "value": value}},
		})
	}
	const entry = `{"fields":{},"mappedFields":{},"raw":{"uuid":"b","full_name":"acme/b"}}`
	if got := search("/integrations/repos?groupRef=cust", "b").is(200).body; got != `{"result":[`+entry+`],"results":[`+entry+`]}` {
		t.Errorf("found %s", got)
	}
	if got := search("/integrations/repos?groupRef=cust", "c").is(200).body; got != `{"result":[],"results":[]}` {
		t.Errorf("found %s", got)
	}
	search("/integrations/repos?groupRef=cust", []string{"b"}).problem(400, "invalid")
	search("/integrations/repos", "b").problem(400, "invalid")
	search("/integrations/repos?groupRef=other", "b").problem(404, "not-found")
	w.send("POST", w.in("/integrations/repos?groupRef=cust"), map[string]any{"objectName": "projects", "fieldFilters": []any{}}).problem(400, "invalid")
	w.do(request{method: "POST", path: w.in("/integrations/repos?groupRef=cust"), key: w.frontend, body: map[string]any{}}).problem(403, "forbidden")
}

// carryOn does what the jobs of reads do.
func (w *world) carryOn(t *testing.T) {
	t.Helper()
	w.jobs.mu.Lock()
	begun := w.jobs.begun
	w.jobs.begun = nil
	w.jobs.mu.Unlock()
	for _, id := range begun {
		if err := w.reads.Step(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
}

func (w *world) deliveriesOnce(t *testing.T, installation string) {
	t.Helper()
	listed := w.get(w.in("/deliveries?destination=hook&status=pending&installationId=" + installation + "&since=2026-01-01T00:00:00Z&pageSize=1")).is(200)
	var page struct {
		Results []struct {
			ID         string `json:"id"`
			NumRecords int    `json:"numRecords"`
		} `json:"results"`
		Pagination struct {
			NextPageToken string `json:"nextPageToken"`
		} `json:"pagination"`
	}
	if err := json.Unmarshal([]byte(listed.body), &page); err != nil || len(page.Results) != 1 || page.Results[0].NumRecords != 2 {
		t.Fatalf("deliveries: %v: %s", err, listed.body)
	}
	one := w.in("/deliveries/" + page.Results[0].ID)
	if got := w.get(one + "?includeBody=true").is(200); !strings.Contains(got.text("body"), `"full_name":"acme/a"`) {
		t.Errorf("the body: %s", got.body)
	}
	w.send("POST", one+":replay", nil).is(200)
	w.send("POST", w.in("/deliveries:replay"), map[string]any{"destination": "hook", "failed": true}).is(200)
	w.send("POST", w.in("/deliveries:replay"), map[string]any{}).problem(400, "invalid")
	w.get(w.in("/deliveries?since=now")).problem(400, "invalid")
	w.get(w.in("/deliveries/01a20c68-002c-7f27-a864-d880789ebb08")).problem(404, "not-found")
	if got := w.get(w.in("/destinations/hook/health")).is(200).object(); got["disabled"] != false {
		t.Errorf("health: %v", got)
	}
	w.send("POST", w.in("/destinations/hook:disable"), nil).is(200)
	if got := w.get(w.in("/destinations/hook/health")).is(200).object(); got["disabled"] != true ||
		got["reason"] != "it was disabled by hand: enable it" || got["disabledTime"] == nil || got["disabledBy"] == nil {
		t.Errorf("disabled: %v", got)
	}
	w.send("POST", w.in("/destinations/hook:enable"), nil).is(200)
	if got := w.get(w.in("/budgets")).is(200).list(); len(got) != 1 {
		t.Errorf("budgets: %v", got)
	}
}

func (w *world) notificationsOnce(t *testing.T) {
	t.Helper()
	made := w.send("POST", w.in("/topics"), map[string]any{"name": "alerts"}).is(201)
	topic := made.text("id")
	w.send("POST", w.in("/topics"), map[string]any{"name": "alerts"}).problem(409, "conflict")
	w.send("POST", w.in("/topics"), map[string]any{"name": "a b"}).problem(400, "invalid")
	w.send("PATCH", w.in("/topics/"+topic), map[string]any{"name": "alarms"}).is(200)
	w.get(w.in("/topics")).is(200)
	event := w.send("POST", w.in("/notification-event-topic-routes"), map[string]any{"eventType": "read.backfill.done", "topicId": topic}).is(201)
	w.send("POST", w.in("/notification-event-topic-routes"), map[string]any{"eventType": "read.done", "topicId": topic}).problem(400, "invalid")
	w.get(w.in("/notification-event-topic-routes?topicId=" + topic + "&eventType=read.backfill.done")).is(200)
	hook := w.get(w.in("/destinations/hook")).is(200).text("id")
	route := w.send("POST", w.in("/topic-destination-routes"), map[string]any{"topicId": topic, "destinationId": hook}).is(201)
	w.get(w.in("/topic-destination-routes?destinationId=" + hook)).is(200)
	w.send("DELETE", w.in("/topic-destination-routes/"+route.text("id")), nil).is(204)
	w.send("DELETE", w.in("/notification-event-topic-routes/"+event.text("id")), nil).is(204)
	w.send("DELETE", w.in("/topics/"+topic), nil).is(204)
}

func TestALargeRecordIsDownloadedByItsURLOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token := windlass.NewSecret("a-token-that-must-stay-hidden")
	record := windlass.LargeRecord{ID: "large", ProjectID: w.project.ID, BatchID: "batch", TokenHash: token.Hash(), Body: []byte(`[{"raw":{"n":1.0}}]`), Created: w.clock.Now()}
	if err := w.store.KeepLargeRecord(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	ask := func(id, token string) answer {
		return w.do(request{method: "GET", path: "/v1/large-records/" + id + "?token=" + url.QueryEscape(token), key: noKey})
	}
	recorded := len(w.logs.String())
	// Its bytes are the provider's.
	if got := ask("large", token.Reveal()); got.status != 200 || got.body != string(record.Body) {
		t.Errorf("got %d %s", got.status, got.body)
	}
	ask("large", "another").problem(404, "not-found")
	ask("none", token.Reveal()).problem(404, "not-found")
	w.clock.pass(15 * time.Minute)
	ask("large", token.Reveal()).problem(410, "gone")
	if strings.Contains(w.logs.String()[recorded:], token.Reveal()) {
		t.Error("the log holds the token")
	}
}

// A customer's browser follows its own reads, and no others.
func TestTokensSeeTheirOwnReadsOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.deployed()
	installation := w.installed("cust", w.connected("cust", "person"))
	sign := w.signer()
	own := sign.sign(t, map[string]any{"groupRef": "cust", "consumerRef": "person"})
	other := sign.sign(t, map[string]any{"groupRef": "other", "consumerRef": "person"})
	w.carryOn(t)
	begun := w.send("POST", w.in("/integrations/repos/objects/repositories"), map[string]any{"groupRef": "cust", "mode": "async"}).is(201).text("operationId")
	for _, path := range []string{inRepos + installation + "/operations", "/operations/" + begun, "/operations/" + begun + "/logs"} {
		w.do(request{method: "GET", path: w.in(path), header: map[string]string{"Authorization": "Bearer " + own}}).is(200)
		w.do(request{method: "GET", path: w.in(path), header: map[string]string{"Authorization": "Bearer " + other}}).problem(404, "not-found")
	}
	w.do(request{method: "GET", path: w.in("/deliveries"), header: map[string]string{"Authorization": "Bearer " + own}}).problem(403, "forbidden")
}
