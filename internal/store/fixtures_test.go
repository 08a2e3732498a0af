package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"windlass"
	"windlass/internal/store"
)

// noon is when everything in these tests happens.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 123456000, time.UTC)

func newID(tb testing.TB) string {
	tb.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		tb.Fatal(err)
	}
	return id.String()
}

// must fails the test on an error.
func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatalf("%+v", err)
	}
}

// got is must for a call with a result.
func got[T any](value T, err error) func(testing.TB) T {
	return func(tb testing.TB) T {
		tb.Helper()
		must(tb, err)
		return value
	}
}

func wantKind(tb testing.TB, err error, kind windlass.Kind) {
	tb.Helper()
	failure := new(windlass.Error)
	if !errors.Is(err, kind) || !errors.As(err, &failure) {
		tb.Fatalf("got %v, want a failure of kind %q", err, kind)
	}
	if failure.Op == "" || failure.Message == "" {
		tb.Errorf("the failure %#v says too little", failure)
	}
}

func wantSame[T any](tb testing.TB, got, want T) {
	tb.Helper()
	if !reflect.DeepEqual(got, want) {
		tb.Fatalf("got\n%s, want\n%s", reveal(got), reveal(want))
	}
}

func reveal(v any) string {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// A world has one of everything.
type world struct {
	project      windlass.Project
	app          windlass.ProviderApp
	integration  windlass.Integration
	connection   windlass.Connection
	credentials  windlass.Credentials
	installation windlass.Installation
	schedule     windlass.Schedule
	destination  windlass.Destination
}

// imagine makes up a world that is in no database yet.
func imagine(tb testing.TB) world {
	tb.Helper()
	var w world
	w.project = windlass.Project{ID: newID(tb), Name: "acme-" + newID(tb), AppName: "Acme", OrgID: "org", Created: noon, Updated: noon}
	w.app = windlass.ProviderApp{
		ID: newID(tb), ProjectID: w.project.ID, ExternalRef: "ext", Provider: "bitbucket", ClientID: "client",
		ClientSecret: windlass.NewSecret("app-secret"), Scopes: []string{"repository", "account"},
		AuthParams: map[string][]string{"prompt": {"consent"}}, Params: map[string]string{"a": "b"},
		HourlyLimit: 900, Created: noon, Updated: noon,
	}
	integrationID := newID(tb)
	w.integration = windlass.Integration{
		ID: integrationID, ProjectID: w.project.ID, Name: "repos", Provider: "bitbucket", Created: noon, Updated: noon,
		Latest: windlass.Revision{
			ID: newID(tb), IntegrationID: integrationID, SpecVersion: "1.0.0", Content: json.RawMessage(`{"b": 1, "a":[2]}`), Created: noon,
		},
	}
	w.connection = windlass.Connection{
		ID: newID(tb), ProjectID: w.project.ID, Provider: "bitbucket", ProviderAppID: w.app.ID,
		Group:     windlass.Group{ProjectID: w.project.ID, Ref: "group-1", Name: "Group One", Created: noon, Updated: noon},
		Consumer:  windlass.Consumer{ProjectID: w.project.ID, Ref: "person-1", Name: "Person One", Created: noon, Updated: noon},
		Workspace: "acme", ConsumerRef: "{uuid}",
		Metadata: map[string]windlass.MetadataValue{"workspace": {Value: "acme", Source: "input"}},
		Scheme:   windlass.AuthOAuth, Status: windlass.ConnectionCreated, Scopes: []string{"repository"},
		Created: noon, Updated: noon,
	}
	w.credentials = windlass.Credentials{
		AccessToken: windlass.NewSecret("access-token"), AccessExpiry: noon.Add(2 * time.Hour), AccessIssued: noon,
		RefreshToken: windlass.NewSecret("refresh-token"), APIKey: windlass.NewSecret("api-key"), Username: "user",
		Password: windlass.NewSecret("password"), AppKey: "app", ClientKey: "client", SharedSecret: windlass.NewSecret("shared"),
	}
	w.installation = windlass.Installation{
		ID: newID(tb), ProjectID: w.project.ID, IntegrationID: w.integration.ID, Group: w.connection.Group, Connection: w.connection,
		Config: windlass.Config{
			ID: newID(tb), RevisionID: w.integration.Latest.ID, Content: json.RawMessage(`{"read":{}}`), CreatedBy: "person-1", Created: noon,
		},
		CreatedBy: "person-1", Healthy: true, Created: noon, Updated: noon,
	}
	w.schedule = windlass.Schedule{
		ID: newID(tb), Kind: windlass.ScheduleRead, ProjectID: w.project.ID, InstallationID: w.installation.ID,
		Object: "repositories", Cron: "*/10 * * * *", Next: noon.Add(time.Minute),
	}
	w.destination = windlass.Destination{
		ID: newID(tb), ProjectID: w.project.ID, Name: "hook", Type: "webhook", Address: "https://example.com/hook",
		Settings: json.RawMessage(`{"url":"https://example.com/hook","headers":{"X-Token":"header-secret"}}`),
		Secrets:  []windlass.Secret{windlass.NewSecret("whsec_new"), windlass.NewSecret("whsec_old")}, Created: noon, Updated: noon,
	}
	return w
}

// found puts a world into a store.
func found(tb testing.TB, s *store.Store) world {
	tb.Helper()
	w := imagine(tb)
	ctx := tb.Context()
	must(tb, s.CreateProject(ctx, w.project))
	must(tb, s.CreateProviderApp(ctx, w.app))
	must(tb, s.SaveIntegrations(ctx, w.project.ID, []windlass.Integration{w.integration}))
	must(tb, s.CreateConnection(ctx, w.connection, w.credentials))
	must(tb, s.CreateInstallation(ctx, w.installation, []windlass.Schedule{w.schedule}))
	must(tb, s.CreateDestination(ctx, w.destination))
	w.credentials.Version = 1
	return w
}

// inside runs fn in a transaction and returns what In returns.
func inside(tb testing.TB, s *store.Store, fn func(ctx context.Context) error) error {
	tb.Helper()
	return s.In(tb.Context(), fn)
}

// wantText checks an error's text: none, or one that holds want.
func wantText(tb testing.TB, err error, want string) {
	tb.Helper()
	if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
		tb.Fatalf("got the error %v, want one that says %q", err, want)
	}
}
