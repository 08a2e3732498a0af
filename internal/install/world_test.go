package install_test

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
	"windlass/internal/install"
	"windlass/internal/sink/sinktest"
	"windlass/internal/sink/webhook"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

// The store is the one that the product has.
var _ install.Store = (*store.Store)(nil)

// A world is a flow over a store that has one project in it.
type world struct {
	*testing.T

	ctx     context.Context
	store   *store.Store
	flow    *install.Flow
	project windlass.Project
	hooks   webhook.Config // for restart: AllowHTTP and CheckAddress
	opts    *install.Options
	now     time.Time
	started []string // the objects that the reads were told of

	provider *provider
}

var noon = time.Date(2026, time.November, 24, 12, 3, 0, 0, time.UTC)

// each runs a test on both databases.
func each(t *testing.T, test func(w *world)) {
	t.Helper()
	t.Parallel()
	for _, driver := range []string{store.SQLite, store.Postgres} {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			test(newWorld(t, storetest.New(t, driver).Open(t, nil)))
		})
	}
}

// in returns the same world in a subtest.
func (w *world) in(t *testing.T) *world {
	t.Helper()
	inner := *w
	inner.T = t
	return &inner
}

// once runs a test on SQLite, where nothing depends on the database.
func once(t *testing.T) *world {
	t.Helper()
	return newWorld(t, storetest.New(t, store.SQLite).Open(t, nil))
}

func newWorld(t *testing.T, s *store.Store) *world {
	t.Helper()
	w := &world{T: t, ctx: t.Context(), store: s, now: noon, provider: &provider{}}
	w.opts = &install.Options{
		Now: func() time.Time { return w.now },
		Started: func(_ context.Context, _ windlass.Installation, objects []string) error {
			w.started = append(w.started, objects...)
			return nil
		},
	}
	w.restart()
	var err error
	w.project, err = w.flow.CreateProject(w.ctx, install.CreateProjectRequest{Name: "mailmonkey", AppName: "MailMonkey"})
	w.ok(err)
	return w
}

// at are the settings of a webhook.
func at(url string) install.DestinationMetadata {
	return install.DestinationMetadata{RawMessage: fmt.Appendf(nil, `{"url":%q}`, url)}
}

// newEmpty makes a flow over a new database of the same sort, without a project.
func newEmpty(t *testing.T, w *world) *install.Flow {
	t.Helper()
	s := storetest.New(t, w.store.Driver()).Open(t, nil)
	return install.New(s, connector.Providers{&provider{}}, nil)
}

// restart makes the flow again, with options that a test has changed.
func (w *world) restart() {
	w.opts.Destinations, _ = sinktest.Webhook(w, func(c *webhook.Config) {
		c.AllowHTTP, c.CheckAddress = w.hooks.AllowHTTP, w.hooks.CheckAddress
	})
	w.flow = install.New(w.store, connector.Providers{w.provider}, w.opts)
}

// provider is Bitbucket, by another name or without fields where a test says so.
type provider struct {
	bitbucket.Provider
	name string
	down bool
}

func (p *provider) Info() connector.Info {
	info := p.Provider.Info()
	info.Name = cmp.Or(p.name, info.Name)
	return info
}

func (p *provider) Fields(object string) ([]connector.Field, error) {
	if p.down {
		return nil, &windlass.Error{Kind: windlass.Unavailable, Message: "503 Service Unavailable", Provider: &windlass.ProviderDetails{}}
	}
	return p.Provider.Fields(object)
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// refused checks that an error has a kind, and that it says each of the texts.
func (w *world) refused(err error, kind windlass.Kind, says ...string) {
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

// issues returns the names of an error's issues, each with its message.
func issues(err error) string {
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

func (w *world) destination(name string) windlass.Destination {
	w.Helper()
	d, err := w.flow.CreateDestination(w.ctx, w.project.ID, install.CreateDestinationRequest{
		Name: name, Type: "webhook", Metadata: at("https://example.com/" + name),
	})
	w.ok(err)
	return d
}

// connection connects a group, as the connect flow would.
func (w *world) connection(id, group string) windlass.Connection {
	w.Helper()
	c := windlass.Connection{
		ID: id, ProjectID: w.project.ID, Provider: "bitbucket", Scheme: windlass.AuthAPIKey, Status: windlass.ConnectionWorking,
		Group:     windlass.Group{ProjectID: w.project.ID, Ref: group, Name: strings.ToUpper(group), Created: noon, Updated: noon},
		Consumer:  windlass.Consumer{ProjectID: w.project.ID, Ref: "person", Created: noon, Updated: noon},
		Workspace: group, Created: noon, Updated: noon,
	}
	w.ok(w.store.CreateConnection(w.ctx, c, windlass.Credentials{APIKey: windlass.NewSecret("token of " + group)}))
	return c
}

func (w *world) deploy(yaml string, destructive bool) install.Deployment {
	w.Helper()
	d, err := w.flow.Deploy(w.ctx, w.project.ID, install.Source{YAML: []byte(yaml)}, destructive)
	w.ok(err)
	return d
}

// install installs the integration "reader" for a group that has one connection.
func (w *world) install(group, content string) (windlass.Installation, error) {
	w.Helper()
	return w.flow.CreateInstallation(w.ctx, w.project.ID, "reader", install.CreateInstallationRequest{
		GroupRef: group, Config: install.ConfigRequest{Content: json.RawMessage(content)},
	})
}

// ready makes a world with a destination, the integration "reader", and a
// connection of the group "acme".
func (w *world) ready(yaml string) {
	w.Helper()
	w.destination("hook")
	w.deploy(yaml, false)
	w.connection("con-acme", "acme")
}

func (w *world) config(in windlass.Installation) config.Config {
	w.Helper()
	c, err := config.Parse(in.Config.Content)
	w.ok(err)
	return c
}

// golden compares JSON with a file, which UPDATE=1 writes.
func golden(t *testing.T, name string, got any) {
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

// shared returns the path of a document of the published contract. Where the
// documents are not at hand the test is skipped, unless they are required.
func shared(t *testing.T, name string) string {
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

const reader = `
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

// withoutMembers returns the manifest without the object that stands last in its reads.
func withoutMembers(t *testing.T) string {
	t.Helper()
	begin := strings.Index(reader, membersEntry)
	end := strings.Index(reader, writeEntry)
	if begin < 0 || end < begin {
		t.Fatalf("the manifest does not hold %q and %q behind it", membersEntry, writeEntry)
	}
	return reader[:begin] + reader[end:]
}

const membersEntry, writeEntry = "        - objectName: members", "    write:"
