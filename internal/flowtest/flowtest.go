// Package flowtest is what tests of setup, deploy and install stand on: the three flows
// over one store, with a project in it.
package flowtest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/bitbucket"
	"windlass/connector"
	"windlass/internal/config"
	"windlass/internal/deploy"
	"windlass/internal/install"
	"windlass/internal/setup"
	"windlass/internal/sink/sinktest"
	"windlass/internal/sink/webhook"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

// A World is the flows over a store that has one project in it.
type World struct {
	*testing.T

	Store   *store.Store
	Setup   *setup.Flow
	Deploys *deploy.Flow
	Install *install.Flow
	Project windlass.Project
	Now     time.Time
	Started []string // the objects that the reads were told of

	// What Restart makes the flows with, besides a clock.
	Provider *Provider
	More     []connector.Provider
	Hooks    webhook.Config // of which AllowHTTP and CheckAddress count
	Sampler  install.Sampler
	OnStart  func(ctx context.Context, in windlass.Installation, objects []string) error // nil: Started is told
}

// Noon is when a World begins.
var Noon = time.Date(2026, time.November, 24, 12, 3, 0, 0, time.UTC)

// Each runs a test on both databases.
func Each(t *testing.T, test func(w *World)) {
	t.Helper()
	t.Parallel()
	for _, driver := range []string{store.SQLite, store.Postgres} {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			test(newWorld(t, storetest.New(t, driver).Open(t, nil)))
		})
	}
}

// In returns the same world in a subtest.
func (w *World) In(t *testing.T) *World {
	t.Helper()
	inner := *w
	inner.T = t
	return &inner
}

// Once runs a test on SQLite, where nothing depends on the database.
func Once(t *testing.T) *World {
	t.Helper()
	return newWorld(t, storetest.New(t, store.SQLite).Open(t, nil))
}

func newWorld(t *testing.T, s *store.Store) *World {
	t.Helper()
	w := &World{T: t, Store: s, Now: Noon, Provider: &Provider{}}
	w.Restart()
	var err error
	w.Project, err = w.Setup.CreateProject(w.Context(), setup.CreateProjectRequest{Name: "mailmonkey", AppName: "MailMonkey"})
	w.OK(err)
	return w
}

// At are the settings of a webhook.
func At(url string) setup.DestinationMetadata {
	return setup.DestinationMetadata{RawMessage: fmt.Appendf(nil, `{"url":%q}`, url)}
}

// Empty makes a flow over a new database of the same sort, without a project.
func (w *World) Empty() *setup.Flow {
	w.Helper()
	return setup.New(storetest.New(w, w.Store.Driver()).Open(w, nil), connector.Providers{&Provider{}}, nil)
}

// Restart makes the flows again, with what a test has changed.
func (w *World) Restart() {
	providers := append(connector.Providers{w.Provider}, w.More...)
	now := func() time.Time { return w.Now }
	started := w.OnStart
	if started == nil {
		started = func(_ context.Context, _ windlass.Installation, objects []string) error {
			w.Started = append(w.Started, objects...)
			return nil
		}
	}
	sinks, _ := sinktest.Webhook(w, func(c *webhook.Config) {
		c.AllowHTTP, c.CheckAddress = w.Hooks.AllowHTTP, w.Hooks.CheckAddress
	})
	w.Setup = setup.New(w.Store, providers, &setup.Options{Now: now, Destinations: sinks})
	w.Deploys = deploy.New(w.Store, providers, &deploy.Options{Now: now, Started: started})
	w.Install = install.New(w.Store, providers, &install.Options{Now: now, Started: started, Sampler: w.Sampler})
}

// Provider is Bitbucket, by another name or without fields where a test says so.
type Provider struct {
	bitbucket.Provider

	Name string // empty: its own
	Down bool
}

// Info renames it.
func (p *Provider) Info() connector.Info {
	info := p.Provider.Info()
	info.Name = cmp.Or(p.Name, info.Name)
	return info
}

// Fields fails while it is down.
func (p *Provider) Fields(object string) ([]connector.Field, error) {
	if p.Down {
		return nil, &windlass.Error{Kind: windlass.Unavailable, Message: "503 Service Unavailable", Provider: &windlass.ProviderDetails{}}
	}
	return p.Provider.Fields(object)
}

// OK ends the test at an error.
func (w *World) OK(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// Refused checks that an error has a kind, and that it says each of the texts.
func (w *World) Refused(err error, kind windlass.Kind, says ...string) {
	w.Helper()
	if !errors.Is(err, kind) {
		w.Fatalf("got %v, want an error of kind %q", err, kind)
	}
	for _, want := range says {
		if !strings.Contains(err.Error(), want) {
			w.Errorf("got %q, want it to say %q", err, want)
		}
	}
}

// Issues returns the names of an error's issues, each with its message.
func Issues(err error) string {
	failure, found := windlass.Own(err)
	if !found {
		return ""
	}
	var lines []string
	for _, issue := range failure.Issues {
		lines = append(lines, issue.In+" "+issue.Name+": "+issue.Message)
	}
	return strings.Join(lines, "\n")
}

// Destination makes a webhook destination.
func (w *World) Destination(name string) windlass.Destination {
	w.Helper()
	d, err := w.Setup.CreateDestination(w.Context(), w.Project.ID, setup.CreateDestinationRequest{
		Name: name, Type: "webhook", Metadata: At("https://example.com/" + name),
	})
	w.OK(err)
	return d
}

// Connection connects a group, as the connect flow would.
func (w *World) Connection(id, group string) windlass.Connection {
	w.Helper()
	c := windlass.Connection{
		ID: id, ProjectID: w.Project.ID, Provider: "bitbucket", Scheme: windlass.AuthAPIKey, Status: windlass.ConnectionWorking,
		Group:     windlass.Group{ProjectID: w.Project.ID, Ref: group, Name: strings.ToUpper(group), Created: Noon, Updated: Noon},
		Consumer:  windlass.Consumer{ProjectID: w.Project.ID, Ref: "person", Created: Noon, Updated: Noon},
		Workspace: group, Created: Noon, Updated: Noon,
	}
	w.OK(w.Store.CreateConnection(w.Context(), c, windlass.Credentials{APIKey: windlass.NewSecret("token of " + group)}))
	return c
}

// Deployed deploys a manifest.
func (w *World) Deployed(yaml string, destructive bool) deploy.Deployment {
	w.Helper()
	d, err := w.Deploys.Deploy(w.Context(), w.Project.ID, deploy.Source{YAML: []byte(yaml)}, destructive)
	w.OK(err)
	return d
}

// Installed installs the integration "reader" for a group that has one connection.
func (w *World) Installed(group, content string) (windlass.Installation, error) {
	w.Helper()
	return w.Install.CreateInstallation(w.Context(), w.Project.ID, "reader", install.CreateInstallationRequest{
		GroupRef: group, Config: install.ConfigRequest{Content: json.RawMessage(content)},
	})
}

// Ready makes a world with a destination, the integration "reader", and a
// Connection of the group "acme".
func (w *World) Ready(yaml string) {
	w.Helper()
	w.Destination("hook")
	w.Deployed(yaml, false)
	w.Connection("con-acme", "acme")
}

// Config reads an installation's config.
func (w *World) Config(in windlass.Installation) config.Config {
	w.Helper()
	c, err := config.Parse(in.Config.Content)
	w.OK(err)
	return c
}

// Golden compares JSON with a file, which UPDATE=1 writes.
func Golden(t *testing.T, name string, got any) {
	t.Helper()
	text, err := json.MarshalIndent(got, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, '\n')
	file := filepath.Join("testdata", name)
	if os.Getenv("UPDATE") == "1" {
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != string(text) {
		t.Errorf("%s differs (UPDATE=1 go test writes it):\n%s", file, text)
	}
}

// Shared returns the path of a document of the published contract. Where the
// documents are not at hand the test is skipped, unless they are required.
func Shared(t *testing.T, name string) string {
	t.Helper()
	file := filepath.Join(sharedFolder(), "contract", "ampersand", name)
	if _, err := os.Stat(file); err != nil {
		if os.Getenv("WINDLASS_SHARED_REQUIRED") == "1" {
			t.Fatalf("WINDLASS_SHARED_REQUIRED=1, but: %v", err)
		}
		t.Skipf("the published contract is not beside the repository: %v", err)
	}
	return file
}

func sharedFolder() string {
	if folder := os.Getenv("WINDLASS_SHARED"); folder != "" {
		return folder
	}
	return filepath.Join("..", "..", "..", "shared")
}

// Reader is a manifest with the integration "reader".
const Reader = `
specVersion: 1.0.0
integrations:
  - name: reader
    displayName: Bitbucket
    provider: bitbucket
    read:
      objects:
        - objectName: repositories
          mapToName: repos
          mapToDisplayName: Repos
          destination: hook
          schedule: "*/10 * * * *"
          requiredFields:
            - fieldName: full_name
            - fieldName: $['project']['key']
              mapToName: projectKey
          optionalFields:
            - fieldName: language
              mapToName: tongue
            - mapToName: about
              prompt: Which field describes it?
          optionalFieldsAuto: all
          backfill:
            defaultPeriod:
              days: 30
        - objectName: members
          destination: hook
          schedule: "0 * * * *"
          requiredFields:
            - mapToName: person
              mapToDisplayName: Person
    write:
      objects:
        - objectName: projects
    proxy:
      enabled: true
`

// WithoutMembers returns the manifest without the object that stands last in its reads.
func WithoutMembers(t *testing.T) string {
	t.Helper()
	begin := strings.Index(Reader, membersEntry)
	end := strings.Index(Reader, writeEntry)
	if begin < 0 || end < begin {
		t.Fatalf("the manifest does not hold %q and %q behind it", membersEntry, writeEntry)
	}
	return Reader[:begin] + Reader[end:]
}

const membersEntry, writeEntry = "        - objectName: members", "    write:"

// Minimal is the smallest config that reads something.
const Minimal = `{"provider":"bitbucket","read":{"objects":{"repositories":{"objectName":"repositories","selectedFields":{},"selectedFieldMappings":{}}}}}`
