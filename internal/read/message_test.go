package read_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"windlass"
	"windlass/connector"
	"windlass/internal/read"
	"windlass/internal/sink/webhook"
)

var update = flag.Bool("update", false, "write the golden files anew")

// sized makes a repository whose raw JSON has exactly so many bytes.
func sized(i, size int) connector.Record {
	r := repository(i, noon.Add(-time.Hour), 0)
	r.Raw = repository(i, noon.Add(-time.Hour), size-len(r.Raw)).Raw
	return r
}

// readAll installs, reads everything, and returns the messages' bodies.
func (w *world) readAll(records ...connector.Record) []string {
	w.Helper()
	w.outbox.clear()
	w.provider.records = records
	w.install(configOf(""))
	w.succeed()
	var bodies []string
	for _, e := range w.outbox.all("batch") {
		bodies = append(bodies, e.body)
	}
	return bodies
}

func TestMessagesAreSplitAtTheLastByte(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const small = 1000
		bodies := w.readAll(sized(1, small), sized(2, small))
		if len(bodies) != 1 {
			t.Fatalf("%d messages", len(bodies))
		}
		room := webhook.MaxMessage - len(bodies[0])
		bodies = w.readAll(sized(1, small), sized(2, small+room))
		if len(bodies) != 1 || len(bodies[0]) != webhook.MaxMessage {
			t.Fatalf("%d messages, the first of %d bytes", len(bodies), len(bodies[0]))
		}
		w.wantAll()
		bodies = w.readAll(sized(1, small), sized(2, small+room+1))
		if len(bodies) != 2 || len(bodies[0])+len(bodies[1]) < webhook.MaxMessage {
			t.Fatalf("one byte more: %d messages", len(bodies))
		}
		w.wantAll()
		// Ten records make the count one digit longer.
		var ten []connector.Record
		for i := range 10 {
			ten = append(ten, sized(i, small))
		}
		bodies = w.readAll(ten...)
		ten[9] = sized(9, small+webhook.MaxMessage-len(bodies[0]))
		if bodies = w.readAll(ten...); len(bodies) != 1 || len(bodies[0]) != webhook.MaxMessage {
			t.Fatalf("%d messages", len(bodies))
		}
		w.wantAll()
		ten[9] = sized(9, len(ten[9].Raw)+1)
		if bodies = w.readAll(ten...); len(bodies) != 2 {
			t.Fatalf("one byte more: %d messages", len(bodies))
		}
		w.wantAll()

		// One record alone, at the last byte and behind it.
		bodies = w.readAll(sized(1, small))
		room = webhook.MaxMessage - len(bodies[0])
		if bodies = w.readAll(sized(1, small+room)); len(bodies) != 1 || len(bodies[0]) != webhook.MaxMessage {
			t.Fatalf("%d messages", len(bodies))
		}
		w.wantAll()
		if bodies = w.readAll(sized(1, small+room+1)); !strings.Contains(bodies[0], `"type":"url"`) {
			t.Fatalf("%.300s", bodies[0])
		}
	})
}

func TestALargeRecordIsSetAside(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := t.Context()
		w.readAll(sized(1, 1000), sized(2, 400_000), sized(3, 1000))
		all := w.outbox.messages()
		if len(all) != 3 || all[0].Result == nil || all[2].Result == nil { // in the order of reading
			t.Fatalf("%+v", all)
		}
		info := all[1].ResultInfo
		if info.Type != "url" || info.NumRecords != 1 || all[1].Result != nil || all[1].ReadType != "backfill" {
			t.Fatalf("%+v", all[1])
		}
		at, err := url.Parse(info.DownloadURL)
		w.must(err)
		id, token := filepath.Base(at.Path), windlass.NewSecret(at.Query().Get("token"))
		get := func() (entries []struct{ Raw json.RawMessage }, err error) {
			body, err := w.webhooks.Download(ctx, id, token)
			if err == nil {
				err = json.Unmarshal(body, &entries)
			}
			return entries, err
		}
		if entries, err := get(); err != nil || len(entries) != 1 || !bytes.Equal(entries[0].Raw, w.provider.records[1].Raw) {
			t.Fatalf("%v %v", entries, err)
		}
		for _, stranger := range []struct{ id, token string }{{id, "another"}, {id, ""}, {newID(), token.Reveal()}} {
			if _, err := w.webhooks.Download(ctx, stranger.id, windlass.NewSecret(stranger.token)); !errors.Is(err, windlass.NotFound) {
				t.Fatal(err)
			}
		}
		w.clock.pass(15 * time.Minute)
		if _, err := get(); !errors.Is(err, windlass.Gone) {
			t.Fatal(err)
		}
		// The message is retried with the same bytes, and its URL works again.
		w.outbox.tried[w.outbox.all("batch")[1].id] = w.clock.now().Add(-time.Minute)
		if _, err := get(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestMostRecordsOfAMessage(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.integration.Latest.ID = newID()
		w.integration.Latest.Content = json.RawMessage(strings.Replace(revision, `"schedule":"*/10 * * * *",`, `"schedule":"*/10 * * * *","delivery":{"pageSize":50},`, 1))
		w.must(w.SaveIntegrations(t.Context(), w.project.ID, []windlass.Integration{w.integration}))
		w.provider.fill(120, 0)
		w.install(configOf(""))
		if p := w.succeed(); p.Batches != 3 {
			t.Fatalf("%+v", p)
		}
		w.wantAll()
	})
}

var (
	anID   = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)
	aToken = regexp.MustCompile(`token=[A-Z0-9]+`)
)

// What is sent is what receivers were written for: a change here breaks them.
func TestGoldenMessages(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		sets := map[string][]string{"backfill": w.readAll(sized(1, 200), sized(2, 200)), "large": w.readAll(sized(1, 300_000))}
		sets["scheduled"] = func() []string {
			w.provider.records = nil
			w.provider.fill(1, 0)
			w.outbox.clear()
			w.clock.pass(10 * time.Minute)
			w.provider.edit(0, w.clock.now())
			w.tick()
			w.succeed()
			return []string{w.outbox.all("batch")[0].body}
		}()
		w.must(w.flow.Pause(t.Context(), "acme", "repos", w.installation.ID, read.PauseRequest{}))
		w.readAll(sized(1, 200))
		sets["notification-backfill"] = []string{w.outbox.all("notification")[0].body}
		for name, bodies := range sets {
			got := strings.Join(bodies, "\n") + "\n"
			seen := map[string]string{}
			got = anID.ReplaceAllStringFunc(got, func(id string) string {
				if seen[id] == "" {
					seen[id] = fmt.Sprintf("id-%d", len(seen)+1)
				}
				return seen[id]
			})
			got = aToken.ReplaceAllString(got, "token=secret")
			file := filepath.Join("testdata", name+".golden")
			if *update {
				w.must(os.MkdirAll("testdata", 0o750))
				w.must(os.WriteFile(file, []byte(got), 0o600))
				continue
			}
			want, err := os.ReadFile(file)
			w.must(err)
			if got != string(want) {
				t.Errorf("%s: got\n%s, want\n%s", name, got, want)
			}
		}
	})
}

// shared returns a schema of the published contract. Where the documents are not
// at hand the test is skipped, unless they are required.
func shared(t *testing.T, document string) map[string]*openapi3.SchemaRef {
	t.Helper()
	folder := os.Getenv("WINDLASS_SHARED")
	if folder == "" {
		folder = filepath.Join("..", "..", "..", "shared")
	}
	file := filepath.Join(folder, "contract", "ampersand", document)
	if _, err := os.Stat(file); err != nil {
		if os.Getenv("WINDLASS_SHARED_REQUIRED") == "1" {
			t.Fatalf("WINDLASS_SHARED_REQUIRED=1, but: %v", err)
		}
		t.Skipf("the published contract is not beside the repository: %v", err)
	}
	doc, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return doc.Components.Schemas
}

func check(t *testing.T, schema *openapi3.SchemaRef, body string) {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(body), &value); err != nil {
		t.Fatal(err)
	}
	if err := schema.Value.VisitJSON(value); err != nil {
		t.Errorf("%v in %.500s", err, body)
	}
	if strings.Contains(body, "null") {
		t.Errorf("there is a null in %.500s", body)
	}
}

func TestMessagesAreTheContracts(t *testing.T) {
	messages, notifications := shared(t, "webhook.json"), shared(t, "notifications.json")
	each(t, func(t *testing.T, w *world) {
		bodies := w.readAll(sized(1, 1000), sized(2, 400_000))
		told := w.outbox.all("notification")
		w.outbox.clear()
		_, err := w.flow.Trigger(t.Context(), "acme", "repos", "repositories", trigger(w, "2026-01-01T00:00:00Z", ""))
		w.must(err)
		w.succeed()
		told = append(told, w.outbox.all("notification")...)
		w.provider.before = func(connector.ReadRequest) error {
			return &windlass.Error{Kind: windlass.Gone, Message: "gone", Provider: &windlass.ProviderDetails{}}
		}
		w.outbox.clear()
		_, err = w.flow.Trigger(t.Context(), "acme", "repos", "repositories", trigger(w, "", ""))
		w.must(err)
		w.finish()
		for range 5 {
			w.clock.pass(10 * time.Minute)
			w.tick()
			w.finish()
		}
		told = append(told, w.outbox.all("notification")...)
		for _, body := range bodies {
			check(t, messages["WebhookMessage"], body)
		}
		names := map[string]string{
			"read.backfill.done": "ReadBackfillDone", "read.triggered.done": "ReadTriggeredDone",
			"read.triggered.error": "ReadTriggeredError", "read.schedule.paused": "ReadSchedulePaused",
		}
		if len(told) != len(names) {
			t.Fatalf("%+v", told)
		}
		for _, e := range told {
			schema := notifications[names[e.id]+"NotificationPayload"]
			if schema == nil {
				schema = notifications["TriggeredReadErrorNotificationPayload"]
			}
			check(t, schema, e.body)
			delete(names, e.id)
		}
		if len(names) > 0 {
			t.Errorf("never told: %v", names)
		}
	})
}

// By their keys deliveries tell that two messages have a record in common: each
// record is counted with the message that holds it, and with no other.
func TestMessagesNameTheirRecords(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		records := []connector.Record{sized(1, 200_000), sized(2, 50_000), sized(3, 100_000), sized(4, 400_000), sized(5, 1000)}
		var got [][]uint32
		w.outbox.sink = func(batches []windlass.Batch) {
			for _, b := range batches {
				got = append(got, b.RecordKeys)
			}
		}
		w.provider.records = records
		w.install(configOf(""))
		w.succeed()
		key := func(i int) uint32 { return windlass.KeyOf(records[i-1].ID) }
		want := [][]uint32{{key(1), key(2)}, {key(3)}, {key(4)}, {key(5)}}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("the messages hold %v, want %v", got, want)
		}
	})
}
