package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"windlass"
	"windlass/internal/notify"
	"windlass/internal/sink/sinktest"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

type world struct {
	*testing.T
	store *store.Store
	*notify.Service
}

func each(t *testing.T, test func(w *world)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		w := &world{T: t, store: open()}
		var err error
		sinks, _ := sinktest.Webhook(t, nil)
		w.Service, err = notify.New(notify.Config{Store: w.store, Sinks: sinks, Now: func() time.Time { return noon }})
		w.must(err)
		for _, name := range []string{"acme", "other"} {
			w.must(w.store.CreateProject(t.Context(), windlass.Project{ID: "p-" + name, Name: name, Created: noon, Updated: noon}))
			for _, d := range []string{"one", "two"} {
				w.must(w.store.CreateDestination(t.Context(), windlass.Destination{
					ID: "d-" + d + "-" + name, ProjectID: "p-" + name, Name: d, Type: "webhook", Created: noon, Updated: noon,
				}))
			}
		}
		test(w)
	})
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("%+v", err)
	}
}

// sent lists what is on its way, the first one first, with its body.
func (w *world) sent() []windlass.Batch {
	w.Helper()
	all, err := w.store.Batches(w.Context(), windlass.BatchFilter{})
	w.must(err)
	slices.Reverse(all)
	for i := range all {
		all[i], err = w.store.Batch(w.Context(), all[i].ProjectID, all[i].ID)
		w.must(err)
	}
	return all
}

func kindOf(err error) windlass.Kind {
	for _, kind := range []windlass.Kind{windlass.NotFound, windlass.Conflict, windlass.Invalid, windlass.Internal} {
		if errors.Is(err, kind) {
			return kind
		}
	}
	return ""
}

func TestEventsReachWhoListens(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		ctx := t.Context()
		tell := func(project string, data any) {
			w.must(w.Notify(ctx, project, windlass.BackfillDoneEvent, data))
		}
		data := windlass.ReadNotice{Installed: installed, ObjectName: "repositories"}
		tell("p-acme", data) // no topic is routed
		for _, topic := range []string{"alerts", "reads"} {
			made, err := w.CreateTopic(ctx, "acme", topic)
			w.must(err)
			_, err = w.RouteEvent(ctx, "acme", windlass.BackfillDoneEvent, made.ID)
			w.must(err)
			_, err = w.RouteTopic(ctx, "acme", topic, "one")
			w.must(err)
		}
		_, err := w.RouteTopic(ctx, "acme", "reads", "d-two-acme")
		w.must(err)
		tell("p-acme", data)
		tell("p-other", data)
		w.must(w.Notify(ctx, "p-acme", windlass.ConnectionCreatedEvent, windlass.ConnectionNotice{}))

		sent := w.sent()
		if len(sent) != 2 || sent[0].DestinationID != "d-one-acme" || sent[1].DestinationID != "d-two-acme" {
			t.Fatalf("sent: %+v", sent)
		}
		one := sent[0]
		if one.Lane != notify.Lane || one.Kind != windlass.BackfillDoneEvent || one.InstallationID != "in-1" ||
			one.Object != "repositories" || one.Status != windlass.BatchPending {
			t.Errorf("the batch is %+v", one)
		}
		const want = `{"notificationType":"read.backfill.done","data":{"projectId":"p-acme","provider":"bitbucket","integrationId":"i-1",` +
			`"integrationName":"repos","installationId":"in-1","connectionId":"c-1","groupRef":"g-1","groupName":"","consumerRef":"u-1",` +
			`"consumerName":"Ada","objectName":"repositories"}}`
		if string(one.Body) != want {
			t.Errorf("got\n%s, want\n%s", one.Body, want)
		}

		// It is told exactly if the transaction is kept.
		sorry := errors.New("sorry")
		if err := w.store.In(ctx, func(ctx context.Context) error {
			w.must(w.Notify(ctx, "p-acme", windlass.BackfillDoneEvent, data))
			return sorry
		}); !errors.Is(err, sorry) || len(w.sent()) != 2 {
			t.Errorf("got %v, and %d batches", err, len(w.sent()))
		}
		for event, what := range map[string]any{"read.began": data, windlass.BackfillDoneEvent: []int{1}} {
			if w.Notify(ctx, "p-acme", event, what) == nil {
				t.Errorf("%s with %v is told", event, what)
			}
		}
	})
}

func TestTopicsAndRoutes(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		ctx := t.Context()
		topic, err := w.CreateTopic(ctx, "acme", "alerts")
		w.must(err)
		foreign, err := w.CreateTopic(ctx, "other", "alerts")
		w.must(err)
		event, err := w.RouteEvent(ctx, "p-acme", windlass.ConnectionErrorEvent, topic.ID)
		w.must(err)
		route, err := w.RouteTopic(ctx, "acme", topic.ID, "one")
		w.must(err)
		for _, row := range []struct {
			name string
			do   func() error
			want windlass.Kind
		}{
			{"a topic whose name is taken", func() error { _, err := w.CreateTopic(ctx, "acme", "alerts"); return err }, windlass.Conflict},
			{"a topic without a name", func() error { _, err := w.CreateTopic(ctx, "acme", ""); return err }, windlass.Invalid},
			{"a topic with a space", func() error { _, err := w.CreateTopic(ctx, "acme", "my alerts"); return err }, windlass.Invalid},
			{"a topic with a long name", func() error { _, err := w.CreateTopic(ctx, "acme", strings.Repeat("a", 65)); return err }, windlass.Invalid},
			{"a project that does not exist", func() error { _, err := w.CreateTopic(ctx, "unknown", "a"); return err }, windlass.NotFound},
			{"an event that there is not", func() error { _, err := w.RouteEvent(ctx, "acme", "x.y", "alerts"); return err }, windlass.Invalid},
			{"an event that is routed already", func() error { _, err := w.RouteEvent(ctx, "acme", event.Event, "alerts"); return err }, windlass.Conflict},
			{"an event to a foreign topic", func() error { _, err := w.RouteEvent(ctx, "acme", event.Event, foreign.ID); return err }, windlass.NotFound},
			{"a foreign topic", func() error { _, err := w.RouteTopic(ctx, "acme", foreign.ID, "one"); return err }, windlass.NotFound},
			{"a foreign destination", func() error { _, err := w.RouteTopic(ctx, "acme", "alerts", "d-one-other"); return err }, windlass.NotFound},
			{"a topic that is routed already", func() error { _, err := w.RouteTopic(ctx, "acme", "alerts", "one"); return err }, windlass.Conflict},
			{"a filter for an event that there is not", func() error { _, err := w.EventRoutes(ctx, "acme", "", "x.y", windlass.Page{}); return err }, windlass.Invalid},
			{"a foreign route, deleted", func() error { return w.UnrouteEvent(ctx, "other", event.ID) }, windlass.NotFound},
			{"another one", func() error { return w.UnrouteTopic(ctx, "other", route.ID) }, windlass.NotFound},
			{"a foreign topic, deleted", func() error { return w.DeleteTopic(ctx, "other", topic.ID) }, windlass.NotFound},
			{"a foreign topic, renamed", func() error { _, err := w.RenameTopic(ctx, "acme", foreign.ID, "x"); return err }, windlass.NotFound},
		} {
			if err := row.do(); kindOf(err) != row.want {
				t.Errorf("%s: got %v, want it %s", row.name, err, row.want)
			}
		}
		renamed, err := w.RenameTopic(ctx, "acme", "alerts", "System-Alerts-2")
		w.must(err)
		topics, err := w.Topics(ctx, "acme", windlass.Page{})
		w.must(err)
		if len(topics) != 1 || topics[0] != renamed || renamed.ID != topic.ID {
			t.Errorf("topics: %+v", topics)
		}
		events, err := w.EventRoutes(ctx, "acme", topic.ID, windlass.ConnectionErrorEvent, windlass.Page{})
		w.must(err)
		topicRoutes, err := w.TopicRoutes(ctx, "acme", topic.ID, "d-one-acme", windlass.Page{})
		w.must(err)
		if len(events) != 1 || events[0] != event || len(topicRoutes) != 1 || topicRoutes[0] != route {
			t.Errorf("routes: %+v and %+v", events, topicRoutes)
		}
		none, err := w.TopicRoutes(ctx, "acme", "", "d-two-acme", windlass.Page{})
		w.must(err)
		if len(none) != 0 {
			t.Errorf("routes of another destination: %+v", none)
		}
		w.must(w.DeleteTopic(ctx, "acme", renamed.Name)) // and its routes with it
		if left, err := w.EventRoutes(ctx, "acme", "", "", windlass.Page{}); err != nil || len(left) != 0 {
			t.Errorf("routes of a deleted topic: %+v, %v", left, err)
		}
	})
}

var installed = windlass.Installed{
	ProjectID: "p-acme", Provider: "bitbucket", IntegrationID: "i-1", IntegrationName: "repos", InstallationID: "in-1",
	ConnectionID: "c-1", GroupRef: "g-1", ConsumerRef: "u-1", ConsumerName: "Ada",
}

// notices are what is said with each event.
func notices() map[string]any {
	connection := windlass.ConnectionNotice{ProjectID: "p", ConnectionID: "c", Provider: "bitbucket", GroupRef: "g", ConsumerRef: "u"}
	failed := connection
	failed.Errors = []string{"the refresh token was refused"}
	installation := windlass.InstallationNotice{Installed: installed, Config: json.RawMessage(`{"provider":"bitbucket"}`)}
	updated, paused := installation, installation
	updated.LastConfig = json.RawMessage(`{}`)
	paused.Error = "404"
	read := windlass.ReadNotice{Installed: installed, ObjectName: "repositories"}
	triggered := read
	triggered.FromTimestamp, triggered.Error = noon, "it did not work"
	return map[string]any{
		windlass.ConnectionCreatedEvent: connection, windlass.ConnectionErrorEvent: failed,
		windlass.ConnectionRefreshedEvent: connection, windlass.ConnectionUpdatedEvent: connection, windlass.ConnectionDeletedEvent: connection,
		windlass.InstallationCreatedEvent: installation, windlass.InstallationUpdatedEvent: updated, windlass.InstallationDeletedEvent: installation,
		windlass.ReadPausedEvent: paused, windlass.BackfillDoneEvent: read,
		windlass.TriggeredReadDoneEvent: read, windlass.TriggeredReadErrorEvent: triggered,
		windlass.AsyncWriteDoneEvent:      windlass.WriteNotice{Installed: installed, ObjectName: "hooks", Errors: []string{"no"}},
		windlass.SubscribeErrorEvent:      windlass.SubscribeNotice{Installed: installed, Error: "not built"},
		windlass.DestinationDisabledEvent: windlass.DestinationNotice{ProjectID: "p", DestinationID: "d", DestinationName: "n", URL: "https://example.com"},
	}
}

// Every event is said as the published contract has it.
func TestNotificationsKeepToTheContract(t *testing.T) {
	t.Parallel()
	schemas := published(t)
	each(t, func(w *world) {
		ctx := t.Context()
		_, err := w.CreateTopic(ctx, "acme", "all")
		w.must(err)
		_, err = w.RouteTopic(ctx, "acme", "all", "one")
		w.must(err)
		said := notices()
		for _, event := range windlass.Events() {
			_, err := w.RouteEvent(ctx, "acme", event, "all")
			w.must(err)
			w.must(w.Notify(ctx, "p-acme", event, said[event]))
		}
		sent := w.sent()
		if len(sent) != len(schemas) || len(sent) != len(windlass.Events()) {
			t.Errorf("%d were sent, the contract has %d", len(sent), len(schemas))
		}
		for _, b := range sent {
			var decoded any
			w.must(json.Unmarshal(b.Body, &decoded))
			schema, found := schemas[b.Kind]
			if !found {
				t.Errorf("the contract has no %s", b.Kind)
				continue
			}
			if err := schema.VisitJSON(decoded); err != nil {
				t.Errorf("%s: %s: %v", b.Kind, b.Body, err)
			}
			if strings.Contains(string(b.Body), "null") {
				t.Errorf("%s says null: %s", b.Kind, b.Body)
			}
		}
	})
}

// published reads the contract's notifications, by their types.
func published(t *testing.T) map[string]*openapi3.Schema {
	t.Helper()
	file := filepath.Join(os.Getenv("WINDLASS_SHARED"), "contract", "ampersand", "notifications.json")
	if _, err := os.Stat(file); err != nil {
		if os.Getenv("WINDLASS_SHARED_REQUIRED") == "1" {
			t.Fatalf("WINDLASS_SHARED_REQUIRED=1, but: %v", err)
		}
		t.Skip("the published contract is not on this machine (set WINDLASS_SHARED to its folder): ", err)
	}
	document, err := openapi3.NewLoader().LoadFromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	schemas := map[string]*openapi3.Schema{}
	for name, ref := range document.Components.Schemas {
		if strings.HasSuffix(name, "NotificationPayload") {
			for _, kind := range ref.Value.Properties["notificationType"].Value.Enum {
				schemas[kind.(string)] = ref.Value
			}
		}
	}
	return schemas
}
