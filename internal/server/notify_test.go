package server_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"windlass/bitbucket/sandbox"
	"windlass/internal/server"
)

// A product hears of everything that it has asked to hear of, through its topic.
func TestAProductIsToldWhatHappens(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, config server.Config) {
		bitbucket := sandbox.New(&sandbox.Options{Repositories: 3})
		to := newReceiver(t)
		r := start(t, delivering(config, bitbucket))
		r.product(bitbucket)
		r.receives(to)
		var topic struct {
			ID string `json:"id"`
		}
		r.must(http.MethodPost, inProject+"/topics", map[string]string{"name": "events"}, &topic)
		for _, event := range []string{
			"connection.created", "connection.refreshed", "connection.deleted", "installation.created", "installation.updated",
			"installation.deleted", "read.backfill.done", "read.triggered.done",
		} {
			r.must(http.MethodPost, inProject+"/notification-event-topic-routes", map[string]string{"eventType": event, "topicId": topic.ID}, nil)
		}
		r.must(http.MethodPost, inProject+"/topic-destination-routes", map[string]string{"topicId": topic.ID, "destinationId": "webhook"}, nil)

		connection, _ := r.consent(bitbucket)
		var made struct {
			ID string `json:"id"`
		}
		r.must(http.MethodPost, inProject+"/integrations/bitbucket/installations", installation, &made)
		to.hears(t, "read.backfill.done")
		path := inProject + "/integrations/bitbucket/installations/" + made.ID
		r.must(http.MethodPatch, path, map[string]any{"updateMask": []string{"config.createdBy"}, "installation": map[string]any{"config": map[string]string{"createdBy": "builder:x"}}}, nil)
		r.must(http.MethodPost, inProject+"/integrations/bitbucket/objects/repositories", map[string]string{"groupRef": "group-1", "mode": "async"}, nil)
		to.hears(t, "read.triggered.done")
		r.must(http.MethodGet, inProject+"/connections/"+connection+"?refresh=force", nil, nil)
		r.must(http.MethodDelete, path, nil, nil)
		r.must(http.MethodDelete, inProject+"/connections/"+connection, nil, nil)
		for _, event := range []string{
			"connection.created", "connection.refreshed", "connection.deleted", "installation.created", "installation.updated", "installation.deleted",
		} {
			to.hears(t, event)
		}
		to.check(t)
		to.published(t)
	})
}

// published holds the messages that came against the published contract. Where its
// documents are not at hand nothing is done, unless they are required.
func (r *receiver) published(t *testing.T) {
	t.Helper()
	folder := os.Getenv("WINDLASS_SHARED")
	if folder == "" {
		folder = filepath.Join("..", "..", "..", "shared")
	}
	schemas := map[string]openapi3.Schemas{}
	for _, name := range []string{"webhook.json", "notifications.json"} {
		file := filepath.Join(folder, "contract", "ampersand", name)
		if _, err := os.Stat(file); err != nil {
			if os.Getenv("WINDLASS_SHARED_REQUIRED") == "1" {
				t.Fatalf("WINDLASS_SHARED_REQUIRED=1, but: %v", err)
			}
			t.Logf("not held against the contract, which is not beside the repository: %v", err)
			return
		}
		doc, err := openapi3.NewLoader().LoadFromFile(file)
		if err != nil {
			t.Fatal(err)
		}
		schemas[name] = doc.Components.Schemas
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, body := range r.bodies {
		var value map[string]any
		if err := json.Unmarshal(body, &value); err != nil {
			t.Fatal(err)
		}
		schema := schemas["webhook.json"]["WebhookMessage"]
		if event, ok := value["notificationType"].(string); ok {
			schema = schemas["notifications.json"][payloadOf(event)]
		}
		if schema == nil {
			t.Errorf("the contract has no schema for %.200s", body)
		} else if err := schema.Value.VisitJSON(value); err != nil {
			t.Errorf("%v in %.300s", err, body)
		}
	}
}

// payloadOf is the schema of an event: ReadBackfillDone… for read.backfill.done.
func payloadOf(event string) string {
	name := ""
	for word := range strings.SplitSeq(event, ".") {
		name += strings.ToUpper(word[:1]) + word[1:]
	}
	return name + "NotificationPayload"
}

// hears waits until a notification has come.
func (r *receiver) hears(tb testing.TB, event string) {
	tb.Helper()
	const patience = 20 * time.Second
	for begun := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		r.mu.Lock()
		n := r.kinds[event]
		r.mu.Unlock()
		if n > 0 {
			return
		}
		if time.Since(begun) > patience {
			tb.Fatalf("%s never came", event)
		}
	}
}
