package write_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"windlass"
	"windlass/bitbucket"
	"windlass/bitbucket/sandbox"
	"windlass/connector"
	"windlass/internal/ids"
	"windlass/internal/operation"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
	"windlass/internal/write"
)

// noon is when the tests begin.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// clock is a clock that tests set. It moves by a microsecond with each look, as
// real ones do.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(time.Microsecond)
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// provider is the look-alike of Bitbucket, in-process.
type provider struct {
	server *sandbox.Server
	mu     sync.Mutex
	before func(req *http.Request) error // of each request; its error is the network's
	sent   []string                      // methods and paths
	opens  error                         // why Open fails
}

func (p *provider) Open(_ context.Context, c windlass.Connection, _ string) (write.Target, error) {
	if p.opens != nil {
		return nil, p.opens
	}
	token, err := bitbucket.AccessToken(p.server.Credentials().AccessToken)
	if err != nil {
		return nil, err
	}
	transport, err := bitbucket.NewTransport(token, "", p)
	if err != nil {
		return nil, err
	}
	return bitbucket.New(&http.Client{Transport: transport}, &bitbucket.Options{Workspace: c.Workspace})
}

func (p *provider) RoundTrip(req *http.Request) (*http.Response, error) {
	p.mu.Lock()
	p.sent = append(p.sent, req.Method+" "+req.URL.Path)
	before := p.before
	p.mu.Unlock()
	if before != nil {
		if err := before(req); err != nil {
			return nil, err
		}
	}
	return p.server.Transport().RoundTrip(req)
}

// creates counts the requests that create something.
func (p *provider) creates() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.sent {
		if strings.HasPrefix(one, "POST ") {
			n++
		}
	}
	return n
}

func (p *provider) inject(tb testing.TB, text string) {
	tb.Helper()
	fault, err := sandbox.ParseFault(text)
	if err != nil {
		tb.Fatal(err)
	}
	p.server.Inject(fault)
}

// office takes jobs and notifications. Like the real ones it forgets what belongs
// to a transaction that was not committed, because it keeps them in the store.
type office struct {
	store *store.Store
	mu    sync.Mutex
	jobs  []job
	told  []notice
}

type job struct {
	operation string
	at        time.Time
}

type notice struct {
	event string
	data  json.RawMessage
}

func (o *office) Enqueue(_ context.Context, operationID string, at time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.jobs = append(o.jobs, job{operationID, at})
	return nil
}

func (o *office) Notify(_ context.Context, _, event string, data any) error {
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.told = append(o.told, notice{event, text})
	return nil
}

// world is a store with one installation in it, a provider, and a flow.
type world struct {
	*testing.T
	*store.Store

	clock    *clock
	provider *provider
	office   *office
	logs     *bytes.Buffer
	config   write.Config
	flow     *write.Flow

	project      windlass.Project
	integration  windlass.Integration
	installation windlass.Installation
}

// each runs a test in a new world on each database.
func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) { test(t, newWorld(t, open())) })
}

// lite runs a test in a new world on SQLite, for what does not depend on it.
func lite(t *testing.T) *world {
	t.Helper()
	return newWorld(t, storetest.New(t, store.SQLite).Open(t, nil))
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("%+v", err)
	}
}

func newID() string { return ids.New() }

const revision = `{"name":"repos","provider":"bitbucket",
	"read":{"objects":[{"objectName":"projects","destination":"hook","requiredFields":[
		{"fieldName":"name","mapToName":"title"},{"fieldName":"description"}]}]},
	"write":{"objects":[{"objectName":"projects"},{"objectName":"repositories"},{"objectName":"hooks"},
		{"objectName":"snippets"},{"objectName":"pipelines-config/variables"},{"objectName":"members"}]}}`

const allObjects = `"projects":{"objectName":"projects","deletionSettings":{"enabled":true}},
	"repositories":{"objectName":"repositories","deletionSettings":{"enabled":true}},
	"hooks":{"objectName":"hooks","deletionSettings":{"enabled":true}},
	"snippets":{"objectName":"snippets","deletionSettings":{"enabled":true}},
	"pipelines-config/variables":{"objectName":"pipelines-config/variables","deletionSettings":{"enabled":true}}`

// configOf is a config that writes objects.
func configOf(objects string) json.RawMessage {
	return json.RawMessage(`{"provider":"bitbucket","read":{"objects":{"projects":{"objectName":"projects","destination":"hook",
		"selectedFields":{},"selectedFieldMappings":{}}}},"write":{"objects":{` + objects + `}}}`)
}

func newWorld(t *testing.T, s *store.Store) *world {
	t.Helper()
	w := &world{T: t, Store: s, clock: &clock{at: noon}, office: &office{store: s}, logs: &bytes.Buffer{}}
	w.provider = &provider{server: sandbox.New(&sandbox.Options{Now: w.clock.now, Limit: -1})}
	w.project = windlass.Project{ID: newID(), Name: "acme", AppName: "Acme", Created: noon, Updated: noon}
	w.must(s.CreateProject(t.Context(), w.project))
	w.integration = w.deploy("repos", revision)
	w.installation = w.install("group-1", configOf(allObjects), nil)
	w.config = write.Config{
		Store: s, Jobs: w.office, Notifier: w.office, Providers: connector.Providers{&bitbucket.Provider{}}, Open: w.provider.Open,
		Options: operation.Options{Now: w.clock.now, Logger: slog.New(slog.NewTextHandler(w.logs, nil))},
	}
	w.flow = w.process(nil)
	return w
}

func (w *world) deploy(name, content string) windlass.Integration {
	w.Helper()
	id := newID()
	i := windlass.Integration{
		ID: id, ProjectID: w.project.ID, Name: name, Provider: "bitbucket", Created: noon, Updated: noon,
		Latest: windlass.Revision{ID: newID(), IntegrationID: id, SpecVersion: "1.0.0", Content: json.RawMessage(content), Created: noon},
	}
	w.must(w.SaveIntegrations(w.Context(), w.project.ID, []windlass.Integration{i}))
	return i
}

func (w *world) install(groupRef string, content json.RawMessage, scopes []string) windlass.Installation {
	w.Helper()
	group := windlass.Group{ProjectID: w.project.ID, Ref: groupRef, Name: "Group One", Created: noon, Updated: noon}
	connection := windlass.Connection{
		ID: newID(), ProjectID: w.project.ID, Provider: "bitbucket", Group: group, Workspace: "acme", Scopes: scopes,
		Consumer: windlass.Consumer{ProjectID: w.project.ID, Ref: "person-1", Name: "Person One", Created: noon, Updated: noon},
		Scheme:   windlass.AuthAPIKey, Status: windlass.ConnectionWorking, Created: noon, Updated: noon,
	}
	w.must(w.CreateConnection(w.Context(), connection, windlass.Credentials{APIKey: windlass.NewSecret("key")}))
	in := windlass.Installation{
		ID: newID(), ProjectID: w.project.ID, IntegrationID: w.integration.ID, Group: group, Connection: connection,
		Config:    windlass.Config{ID: newID(), RevisionID: w.integration.Latest.ID, Content: content, CreatedBy: "api", Created: noon},
		CreatedBy: "api", Healthy: true, Created: noon, Updated: noon,
	}
	w.must(w.CreateInstallation(w.Context(), in, nil))
	return in
}

// process is a flow as another process would have it.
func (w *world) process(change func(*write.Config)) *write.Flow {
	w.Helper()
	c := w.config
	if change != nil {
		change(&c)
	}
	f, err := write.New(c)
	w.must(err)
	return f
}

// ask reads a request as the API would.
func ask(tb testing.TB, body string) write.Request {
	tb.Helper()
	r := write.Request{GroupRef: "group-1"}
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		tb.Fatal(err)
	}
	return r
}

// write asks for a write, with a key if there is one.
func (w *world) write(object, body string, key ...string) (write.Answer, error) {
	w.Helper()
	return w.flow.Write(w.Context(), "acme", "repos", object, ask(w, body), strings.Join(key, ""))
}

// ok is write for what has to be answered.
func (w *world) ok(object, body string, key ...string) write.Answer {
	w.Helper()
	a, err := w.write(object, body, key...)
	w.must(err)
	w.valid(a)
	return a
}

// created is ok for a single create that succeeds.
func (w *world) created(object, record string) {
	w.Helper()
	a := w.ok(object, `{"type":"create","record":`+record+`}`)
	if a.Result == nil || !a.Result.Success || a.Result.RecordID == "" {
		w.Fatalf("%s", text(a))
	}
}

func text(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

func (w *world) operation(id string) windlass.Operation {
	w.Helper()
	p, err := w.Operation(w.Context(), w.project.ID, id)
	w.must(err)
	return p
}

// step does one step, and returns how long it waits; -1 when the write has ended.
func (w *world) step(f *write.Flow, id string) time.Duration {
	w.Helper()
	err := f.Step(w.Context(), id)
	if err == nil {
		return -1
	}
	waiting := new(operation.Waiting)
	if !errors.As(err, &waiting) {
		w.Fatalf("Step returned %v", err)
	}
	return waiting.Wait()
}

// released ends all leases of writes, as a process does that starts alone.
func (w *world) released() {
	w.Helper()
	_, err := w.ReleaseLeases(w.Context(), windlass.ActionWrite, "")
	w.must(err)
}

// finish carries a write on until it has ended, and waits when that is wanted.
func (w *world) finish(id string) windlass.Operation {
	w.Helper()
	for range 500 {
		wait := w.step(w.flow, id)
		if wait < 0 {
			return w.operation(id)
		}
		w.clock.pass(wait)
	}
	w.Fatalf("the write does not end:\n%s", w.log(id))
	return windlass.Operation{}
}

// log is the log of an operation.
func (w *world) log(id string) string {
	w.Helper()
	lines, err := w.OperationLogs(w.Context(), id, "", 0)
	w.must(err)
	var all strings.Builder
	for _, line := range lines {
		fmt.Fprintf(&all, "%s %s %v\n", line.Severity, line.Message, line.Details)
	}
	return all.String()
}

// told are the notifications of finished writes, each held against the contract.
func (w *world) told() []windlass.WriteNotice {
	w.Helper()
	w.office.mu.Lock()
	defer w.office.mu.Unlock()
	var all []windlass.WriteNotice
	for _, n := range w.office.told {
		if n.event != windlass.AsyncWriteDoneEvent {
			w.Fatalf("told of %s", n.event)
		}
		w.validNotice(n.data)
		var one windlass.WriteNotice
		w.must(json.Unmarshal(n.data, &one))
		all = append(all, one)
	}
	return all
}

// records are the provider's of an object, by the value of a field.
func (w *world) records(object, field string) map[string]int {
	w.Helper()
	found := map[string]int{}
	target, err := w.provider.Open(w.Context(), w.installation.Connection, "")
	w.must(err)
	reader := target.(connector.Reader)
	for record, err := range connector.All(w.Context(), reader, connector.ReadRequest{Object: object}) {
		w.must(err)
		var fields map[string]json.RawMessage
		w.must(json.Unmarshal(record.Raw, &fields))
		var value string
		w.must(json.Unmarshal(fields[field], &value))
		found[value]++
	}
	return found
}
