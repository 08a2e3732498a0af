package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"windlass"
	"windlass/bitbucket"
	"windlass/connector"
	"windlass/internal/cli/command"
	"windlass/internal/cli/try"
)

// connectObject is the object that only a Connect app may read.
const connectObject = "addon/linkers"

// demoObjects are the objects that a customer's consent opens.
var demoObjects = []string{
	"repositories", "workspaces", "pipelines-config/variables", "user/emails", "hook_events", "hooks", "members", "projects",
}

// patience is for what is expected at once.
const patience = 20 * time.Second

// inbox is the product's side of the demo: what it has received.
type inbox struct {
	*try.Listener

	site    *try.Site
	mu      sync.Mutex
	records map[string]map[string]bool // different ones, by object
	repeats map[string]int             // records that came more than once, by object
	last    try.Received
}

// openInbox starts a receiver, as windlass listen does.
func (d *show) openInbox(ctx context.Context) error {
	env := &command.Env{Stdout: &d.heard, Getenv: func(string) string { return "" }, Now: d.now}
	l, err := try.NewListener(env, &try.ListenOptions{Status: 503})
	if err != nil {
		return err
	}
	d.inbox = &inbox{Listener: l, records: map[string]map[string]bool{}, repeats: map[string]int{}}
	l.OnMessage = d.inbox.keep
	d.inbox.site, err = try.StartSite(ctx, "127.0.0.1:0", l)
	if err == nil {
		d.mask(d.inbox.site.URL, "http://127.0.0.1:8899")
	}
	return err
}

// keep sorts what has come.
func (i *inbox) keep(m try.Received) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.last = m
	if i.records[m.ObjectName] == nil {
		i.records[m.ObjectName] = map[string]bool{}
	}
	for _, r := range m.Result {
		id := string(r.Raw)
		if i.records[m.ObjectName][id] {
			i.repeats[m.ObjectName]++
		}
		i.records[m.ObjectName][id] = true
	}
}

// distinct is how many different records of an object have come.
func (i *inbox) distinct(object string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.records[object])
}

// quiet runs a command without showing it.
func (d *show) quiet(ctx context.Context, args ...string) typed {
	out := d.out
	d.out = &memo{}
	defer func() { d.out = out }()
	before := d.typed
	defer func() { d.typed = before }()
	return d.run(ctx, typed{args: args})
}

// operations lists those of an integration's objects.
func (d *show) operations(ctx context.Context, integration, object string) (all []operationSeen) {
	args := []string{"operations", "list", "--group", "customer-1", "--integration", integration, "--json"}
	if object != "" {
		args = append(args, "--object", object)
	}
	if json.Unmarshal([]byte(d.quiet(ctx, args...).stdout), &all) != nil {
		return nil
	}
	return all
}

type operationSeen struct {
	ID     string `json:"id"`
	Status string `json:"status"`
}

// ended waits until so many operations have ended well.
func (d *show) ended(ctx context.Context, integration, object string, n int) bool {
	for begun := time.Now(); time.Since(begun) < patience && ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
		all := d.operations(ctx, integration, object)
		if len(all) == n && !slices.ContainsFunc(all, func(o operationSeen) bool { return o.Status != "success" }) {
			return true
		}
	}
	return false
}

// there is how many records of each object there are, to compare with.
func (d *show) there(ctx context.Context) (map[string]int, error) {
	there := map[string]int{}
	for _, object := range demoObjects {
		there[object] = strings.Count(d.quiet(ctx, "read", object).stdout, "\n")
	}
	// A Connect app signs by the clock, and the demo has its own.
	app := d.server.Credentials()
	transport, err := (&bitbucket.Provider{Endpoints: connector.Endpoints{API: d.site.APIURL()}, Now: d.now}).Transport(windlass.Credentials{
		AppKey: app.ConnectAppKey, ClientKey: app.ConnectClientKey, SharedSecret: windlass.NewSecret(app.ConnectSharedSecret),
	}, nil)
	if err != nil {
		return nil, err
	}
	c, err := bitbucket.New(&http.Client{Transport: transport}, &bitbucket.Options{Workspace: app.Workspace, APIURL: d.site.APIURL()})
	if err != nil {
		return nil, err
	}
	for _, err := range c.All(ctx, connector.ReadRequest{Object: connectObject}) {
		if err != nil {
			return nil, err
		}
		there[connectObject]++
	}
	return there, nil
}

func playConnectApp(ctx context.Context, d *show) error {
	app := d.server.Credentials()
	token := d.vars[command.EnvToken]
	delete(d.vars, command.EnvToken)
	d.vars["BITBUCKET_CONNECT_APP_KEY"], d.vars["BITBUCKET_CONNECT_CLIENT_KEY"] = app.ConnectAppKey, app.ConnectClientKey
	d.vars["BITBUCKET_CONNECT_SHARED_SECRET"] = app.ConnectSharedSecret
	d.print("export BITBUCKET_CONNECT_APP_KEY=… BITBUCKET_CONNECT_CLIENT_KEY=… BITBUCKET_CONNECT_SHARED_SECRET=…", 0)
	made := d.run(ctx, typed{args: []string{"connections", "generate", "--group", "customer-1", "--consumer", "app", "--workspace", "acme", "--json"}, maxLines: 1})
	d.vars[command.EnvToken] = token
	for _, name := range []string{"BITBUCKET_CONNECT_APP_KEY", "BITBUCKET_CONNECT_CLIENT_KEY", "BITBUCKET_CONNECT_SHARED_SECRET"} {
		delete(d.vars, name)
	}
	d.vars["CONNECT"] = command.Cell(json.RawMessage(made.stdout), "id")
	d.sayf("Every request is signed anew, with a JWT of its own. Only such an app may read %s.", connectObject)
	d.checkf("a Connect app is a connection, too", made.code == 0 && d.vars["CONNECT"] != "", "exit code %d, %s", made.code, made.stderr)
	return nil
}

func playInstall(ctx context.Context, d *show) error {
	before := d.server.Requests()
	made := d.run(ctx, typed{args: []string{"installations", "create", "--integration", "bitbucket", "--group", "customer-1", "--connection", d.vars["CONNECTION"]}, maxLines: 12})
	d.sayf("Before it was saved, one record of each object was read: what would not work is said now.")
	d.checkf("an installation is made, and tried first", made.code == 0 && strings.Contains(made.stdout, "working"), "exit code %d, %s", made.code, made.stderr)
	d.quiet(ctx, "installations", "create", "--integration", "linkers", "--group", "customer-1", "--connection", d.vars["CONNECT"])

	whole := d.ended(ctx, "bitbucket", "", len(demoObjects)) && d.ended(ctx, "linkers", "", 1)
	spent := d.server.Requests() - before
	there, err := d.there(ctx)
	if err != nil {
		return err
	}
	arrived := d.inbox.Await(ctx, patience, func(try.Figures) bool {
		came := d.inbox.counts()
		for object, n := range there {
			if came[object] < n {
				return false
			}
		}
		return true
	})
	d.run(ctx, typed{args: []string{"operations", "list", "--group", "customer-1", "--integration", "bitbucket"}, maxLines: 10})
	d.sayf("With the installation its history began to be read: %s for the nine objects, each tried once before.", command.Counted(spent, "request"))
	if all := d.operations(ctx, "bitbucket", "repositories"); len(all) > 0 {
		d.run(ctx, typed{args: []string{"operations", "logs", all[0].ID}})
	}
	d.checkf("every record of nine objects arrives at the webhook", whole && arrived, "%v of %v, ended %v", d.inbox.counts(), there, whole)
	d.spent += spent
	return nil
}

func (i *inbox) counts() map[string]int {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := map[string]int{}
	for object, records := range i.records {
		n[object] = len(records)
	}
	return n
}

func playScheduled(ctx context.Context, d *show) error {
	const slug = "slate-catalog-0"
	if err := d.server.Push(slug); err != nil {
		return err
	}
	messages, before := d.inbox.Count().Messages, d.server.Requests()
	d.sayf("A developer pushes to %s, and ten minutes go by.", slug)
	d.pass(11 * time.Minute)
	ended := d.ended(ctx, "bitbucket", "repositories", 2)
	spent := d.server.Requests() - before
	came := d.inbox.Await(ctx, patience, func(f try.Figures) bool { return f.Messages > messages })
	d.inbox.mu.Lock()
	last := d.inbox.last
	d.inbox.mu.Unlock()
	only := len(last.Result) == 1 && strings.Contains(string(last.Result[0].Raw), slug)
	d.print(fmt.Sprintf("%s of %s, %s", command.Counted(len(last.Result), "record"), last.ObjectName, last.ReadType), 0)
	d.sayf("The schedule came round, and just the change was sent, for %s.", command.Counted(spent, "request"))
	d.checkf("a scheduled read brings just the change", ended && came && only && d.inbox.Count().Messages == messages+1, "%+v, %d messages", last, d.inbox.Count().Messages-messages)
	d.checkf("for 1 request to Bitbucket", spent == 1, "%d", spent)
	d.spent += spent
	return nil
}

func playDown(ctx context.Context, d *show) error {
	before := d.server.Requests()
	refused := d.inbox.Count().Refused
	d.inbox.RefuseNext(1)
	d.sayf("The product's receiver is down: it answers 503.")
	asked := d.run(ctx, typed{args: []string{"trigger", "projects", "--group", "customer-1", "--integration", "bitbucket"}})
	met := d.inbox.Await(ctx, patience, func(f try.Figures) bool { return f.Refused > refused })
	pending := d.awaitPending(ctx, 1)
	d.run(ctx, typed{args: []string{"deliveries", "list", "--status", "pending"}})
	d.spent += d.server.Requests() - before
	if len(pending) != 1 {
		d.checkf("a message that is refused waits", false, "%d wait", len(pending))
		return errors.New("no message waits")
	}
	d.pass(6 * time.Second)
	gone := d.awaitPending(ctx, 0)
	shown := d.run(ctx, typed{args: []string{"deliveries", "get", pending[0]}, maxLines: 20})
	d.sayf("It came back, and five seconds later the same message was sent again: the same id, the same bytes.")
	d.checkf("a receiver that was down gets its message when it is back",
		asked.code == 0 && met && len(gone) == 0 && strings.Contains(shown.stdout, "delivered") && strings.Contains(shown.stdout, "503"), "%s", shown.stdout)
	return nil
}

// awaitPending waits until so many messages wait, and returns their ids.
func (d *show) awaitPending(ctx context.Context, n int) (ids []string) {
	for begun := time.Now(); time.Since(begun) < patience && ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
		var all []struct {
			ID       string `json:"id"`
			Attempts int    `json:"attempts"`
		}
		ids = nil
		if json.Unmarshal([]byte(d.quiet(ctx, "deliveries", "list", "--status", "pending", "--json").stdout), &all) != nil {
			continue
		}
		tried := true
		for _, one := range all {
			ids, tried = append(ids, one.ID), tried && one.Attempts > 0
		}
		if len(ids) == n && tried {
			return ids
		}
	}
	return ids
}

// madeUp waits for the reads that a new consent begins, and for their messages.
func (d *show) madeUp(ctx context.Context) bool {
	for _, object := range demoObjects[1:] {
		// The history, and now. Of projects the second was asked for: the check of what
		// has changed since finds nothing, and leaves no operation.
		if !d.ended(ctx, "bitbucket", object, 2) {
			return false
		}
	}
	return len(d.awaitPending(ctx, 0)) == 0
}

// playAccount is the table at the end: what was read, sent and spent.
func playAccount(ctx context.Context, d *show) error {
	there, err := d.there(ctx)
	if err != nil {
		return err
	}
	d.typed = false
	table := command.NewTable(d.out, "OBJECT", "AT BITBUCKET", "RECEIVED", "MISSING")
	missing := 0
	for _, object := range append(slices.Clone(demoObjects), connectObject) {
		received := d.inbox.distinct(object)
		lacks := max(0, there[object]-received)
		missing += lacks
		table.Row(object, command.Count(there[object]), command.Count(received), command.Count(lacks))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	d.inbox.mu.Lock()
	repeated := d.inbox.repeats["repositories"]
	d.inbox.mu.Unlock()
	came := d.inbox.Count()
	command.Tellf(d.out, "\n%s, %d signatures verified; %s to Bitbucket for the history, the change and what was asked for.\n", command.Counted(came.Distinct, "message"), came.Verified, command.Counted(d.spent, "request"))
	d.sayf("%s is there twice: as it was in the history, and as it was after the push.", "slate-catalog-0")
	d.checkf("nothing is missing", missing == 0 && there["repositories"] >= demoRepositories, "%d records", missing)
	d.checkf("every message is signed, and none came twice", came.Distinct == came.Verified && came.Changed == 0 && repeated == 0, "%d messages, %d verified, %d changed", came.Distinct, came.Verified, came.Changed)
	return nil
}
