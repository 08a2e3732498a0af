package read_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"windlass"
	"windlass/connector"
	"windlass/internal/operation"
	"windlass/internal/read"
	"windlass/internal/sink/sinktest"
	"windlass/internal/sink/webhook"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

// noon is when the tests begin.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// clock is a clock that tests set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// world is a store with one of everything in it, a provider, and a flow.
type world struct {
	*testing.T
	*store.Store

	clock    *clock
	provider *provider
	outbox   *outbox
	flow     *read.Flow
	webhooks *webhook.Sink
	config   read.Config
	checked  []string // what became of checks

	project      windlass.Project
	integration  windlass.Integration
	connection   windlass.Connection
	destination  windlass.Destination
	installation windlass.Installation
}

// each runs a test in a new world on each database.
func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) { test(t, newWorld(t, open())) })
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("%+v", err)
	}
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

const revision = `{"name":"repos","provider":"bitbucket","read":{"objects":[
	{"objectName":"repositories","destination":"hook","schedule":"*/10 * * * *",
	 "requiredFields":[{"fieldName":"slug"},{"fieldName":"full_name","mapToName":"name"}],
	 "backfill":{"defaultPeriod":{"fullHistory":true}}},
	{"objectName":"hooks","mapToName":"webhooks","destination":"hook","schedule":"","requiredFields":[{"fieldName":"uuid"}]}]}}`

// configOf is a config that reads repositories; change is spliced into it.
func configOf(change string) json.RawMessage {
	if change == "" {
		change = `"backfill":{"defaultPeriod":{"fullHistory":true}}`
	}
	return json.RawMessage(`{"provider":"bitbucket","read":{"objects":{
		"repositories":{"objectName":"repositories","schedule":"*/10 * * * *","destination":"hook",
			"selectedFields":{"slug":true},"selectedFieldMappings":{"name":"full_name"},` + change + `},
		"hooks":{"objectName":"hooks","destination":"hook","selectedFields":{"uuid":true},"selectedFieldMappings":{},"disabled":true}}}}`)
}

func newWorld(t *testing.T, s *store.Store) *world {
	t.Helper()
	w := &world{T: t, Store: s, clock: &clock{at: noon}, provider: &provider{}}
	w.outbox = newOutbox(t, s)
	w.project = windlass.Project{ID: newID(), Name: "acme", AppName: "Acme", Created: noon, Updated: noon}
	integrationID := newID()
	w.integration = windlass.Integration{
		ID: integrationID, ProjectID: w.project.ID, Name: "repos", Provider: "bitbucket", Created: noon, Updated: noon,
		Latest: windlass.Revision{ID: newID(), IntegrationID: integrationID, SpecVersion: "1.0.0", Content: json.RawMessage(revision), Created: noon},
	}
	w.destination = windlass.Destination{ID: newID(), ProjectID: w.project.ID, Name: "hook", Created: noon, Updated: noon}
	sinktest.At(&w.destination, "https://example.com", nil)
	ctx := t.Context()
	w.must(s.CreateProject(ctx, w.project))
	w.must(s.SaveIntegrations(ctx, w.project.ID, []windlass.Integration{w.integration}))
	w.must(s.CreateDestination(ctx, w.destination))
	w.config = read.Config{
		Store: s, Outbox: w.outbox, Jobs: w.outbox, Notifier: w.outbox, Options: operation.Options{Now: w.clock.now},
		Checked: func(result string) { w.checked = append(w.checked, result) },
		Open:    func(context.Context, windlass.Connection, string) (connector.Reader, error) { return w.provider, nil },
	}
	w.flow = w.process(nil)
	return w
}

// anew is the world of a test within a test: the same store, and nothing else of
// what was before.
func (w *world) anew(t *testing.T) *world {
	t.Helper()
	next := *w
	next.T, next.clock, next.provider = t, &clock{at: noon}, &provider{}
	next.config.Now = next.clock.now
	next.config.Open = func(context.Context, windlass.Connection, string) (connector.Reader, error) {
		return next.provider, nil
	}
	next.outbox.clear()
	next.flow = next.process(nil)
	return &next
}

// process is a flow as another process would have it.
func (w *world) process(change func(*read.Config)) *read.Flow {
	w.Helper()
	c := w.config
	c.Sinks, w.webhooks = sinktest.Webhook(w, func(to *webhook.Config) {
		to.Records, to.LastAttempt, to.Now = w.Store, w.outbox.lastAttempt, w.clock.now
		to.DownloadURL = func(id string, token windlass.Secret) string {
			return "https://windlass.example/v1/records/" + id + "?token=" + token.Reveal()
		}
	})
	if change != nil {
		change(&c)
	}
	f, err := read.New(c)
	w.must(err)
	return f
}

// install installs the integration for a new group, and begins to read.
func (w *world) install(content json.RawMessage) {
	w.Helper()
	ctx, now := w.Context(), w.clock.now()
	group := windlass.Group{ProjectID: w.project.ID, Ref: "group-" + newID(), Name: "Group One", Created: now, Updated: now}
	w.connection = windlass.Connection{
		ID: newID(), ProjectID: w.project.ID, Provider: "bitbucket", Group: group, Workspace: "acme",
		Consumer: windlass.Consumer{ProjectID: w.project.ID, Ref: "person-1", Name: "Person One", Created: now, Updated: now},
		Scheme:   windlass.AuthAPIKey, Status: windlass.ConnectionWorking, Created: now, Updated: now,
	}
	w.must(w.CreateConnection(ctx, w.connection, windlass.Credentials{APIKey: windlass.NewSecret("key")}))
	in := windlass.Installation{
		ID: newID(), ProjectID: w.project.ID, IntegrationID: w.integration.ID, Group: group, Connection: w.connection,
		Config:    windlass.Config{ID: newID(), RevisionID: w.integration.Latest.ID, Content: content, CreatedBy: "api", Created: now},
		CreatedBy: "api", Healthy: true, Created: now, Updated: now,
	}
	w.must(w.In(ctx, func(ctx context.Context) error {
		if err := w.CreateInstallation(ctx, in, []windlass.Schedule{w.schedule(in)}); err != nil {
			return err
		}
		var err error
		if w.installation, err = w.Installation(ctx, w.project.ID, in.ID); err != nil {
			return err
		}
		return w.flow.Started(ctx, w.installation, []string{"repositories"})
	}))
}

func (w *world) schedule(in windlass.Installation) windlass.Schedule {
	s := windlass.Schedule{
		ID: in.ID, Kind: windlass.ScheduleRead, ProjectID: w.project.ID, InstallationID: in.ID, Object: "repositories", Cron: "*/10 * * * *",
	}
	s.Next = read.Next(s, w.clock.now())
	return s
}

// reconfigure replaces the installation's config.
func (w *world) reconfigure(content json.RawMessage) {
	w.Helper()
	w.installation.Config.ID, w.installation.Config.Content = newID(), content
	w.must(w.UpdateInstallation(w.Context(), w.installation, []windlass.Schedule{w.schedule(w.installation)}))
}

// tick lets the schedule be due.
func (w *world) tick() {
	w.Helper()
	w.must(w.flow.Due(w.Context(), w.schedule(w.installation)))
}

// last is the latest operation.
func (w *world) last() windlass.Operation {
	w.Helper()
	all, err := w.Operations(w.Context(), windlass.OperationFilter{InstallationID: w.installation.ID, Limit: 1})
	w.must(err)
	if len(all) == 0 {
		w.Fatal("there is no operation")
	}
	return all[0]
}

func (w *world) count() int {
	w.Helper()
	all, err := w.Operations(w.Context(), windlass.OperationFilter{InstallationID: w.installation.ID})
	w.must(err)
	return len(all)
}

// step does one step of the latest operation, and returns how long it waits; -1
// when it has ended.
func (w *world) step() time.Duration {
	w.Helper()
	return w.stepBy(w.flow)
}

func (w *world) stepBy(f *read.Flow) time.Duration {
	w.Helper()
	err := f.Step(w.Context(), w.last().ID)
	if err == nil {
		return -1
	}
	waiting := new(operation.Waiting)
	if !errors.As(err, &waiting) {
		w.Fatalf("Step returned %v", err)
	}
	return waiting.Wait()
}

// released ends all leases of reads, as a process does that starts alone.
func (w *world) released() {
	w.Helper()
	_, err := w.ReleaseLeases(w.Context(), windlass.ActionRead, "")
	w.must(err)
}

// finish carries the latest operation on until it has ended, and waits when that
// is wanted.
func (w *world) finish() windlass.Operation {
	w.Helper()
	for range 1000 {
		wait := w.step()
		if wait < 0 {
			return w.last()
		}
		w.clock.pass(wait)
	}
	w.Fatal("the operation does not end")
	return windlass.Operation{}
}

// succeed is finish for what has to be a success.
func (w *world) succeed() windlass.Operation {
	w.Helper()
	p := w.finish()
	if p.Status != windlass.OperationSuccess {
		w.Fatalf("%s: %s\n%s", p.Status, p.Result, w.log())
	}
	return p
}

// log is the log of the latest operation.
func (w *world) log() string {
	w.Helper()
	lines, err := w.OperationLogs(w.Context(), w.last().ID, "", 0)
	w.must(err)
	var text strings.Builder
	for _, line := range lines {
		fmt.Fprintf(&text, "%s %s %s %v\n", line.Time.Format(time.TimeOnly), line.Severity, line.Message, line.Details)
	}
	return text.String()
}

func (w *world) logSays(want string) {
	w.Helper()
	if log := w.log(); !strings.Contains(log, want) {
		w.Fatalf("the log does not say %q:\n%s", want, log)
	}
}

func (w *world) wantResult(want string) {
	w.Helper()
	if p := w.last(); !strings.Contains(p.Result, want) {
		w.Fatalf("the result is %q, want %q", p.Result, want)
	}
}
