package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"windlass/bitbucket/sandbox"
	"windlass/internal/cli/command"
)

// scene is one part of the demo's story. It returns an error only when it
// cannot go on; what turns out otherwise than it should is a failed check.
type scene struct {
	title string
	play  func(context.Context, *show) error
}

// story is a function because the scenes run commands, of which demo is one.
// Without its end the server is left running.
func story(open bool) []scene {
	scenes := []scene{
		{"A mock Bitbucket server on this machine", playSandbox},
		{"What can be read and written", playObjects},
		{"Every repository, for the fewest requests", playFullRead},
		{"An interrupted read goes on where it was", playResume},
		{"Creating and updating", playWrite},
		{"Only what changed", playIncremental},
		{"A read waits when it reaches the rate limit", playRateLimit},
		{"Errors say what is wrong", playMistakes},
		{"Deleting", playDelete},
		{"A server, for many customers at once", playServe},
		{"What the product asks for: a manifest", playDeploy},
		{"A customer connects a workspace", playConsent},
		{"A Connect app, for what only such an app may read", playConnectApp},
		{"And installs the integration", playInstall},
		{"Then only what changed", playScheduled},
		{"A receiver that is down, and comes back", playDown},
		{"Tokens expire, connections do not", playRefresh},
		{"A customer takes the consent back", playRevoked},
		{"What was read, sent and spent", playAccount},
	}
	if !open {
		scenes = append(scenes, scene{"The server shuts down gracefully", playStop})
	}
	return scenes
}

const (
	demoRepositories = 1000
	demoRequests     = 10
	allFile          = "all.jsonl"
	againFile        = "again.jsonl"
)

func playSandbox(_ context.Context, d *show) error {
	d.print(fmt.Sprintf("export %s=http://127.0.0.1:…/2.0\nexport %s=…\nexport %s=%s",
		command.EnvAPIURL, command.EnvToken, command.EnvWorkspace, d.vars[command.EnvWorkspace]), 0)
	d.sayf("It serves %s made-up repositories. `windlass sandbox` starts one like it for you.", command.Count(demoRepositories))
	return nil
}

func playObjects(ctx context.Context, d *show) error {
	objects := d.run(ctx, typed{args: []string{"objects"}, maxLines: 20})
	const all = 14
	n := strings.Count(objects.stdout, "\n") - 1
	d.sayf("%d objects. Every one can be read; five can be written.", n)
	d.checkf("14 objects are known", n == all, "there are %d", n)

	fields := d.run(ctx, typed{args: []string{"describe", "projects"}, maxLines: 8})
	d.sayf("Each field has a type, and says whether a write may set it. No request was made.")
	d.checkf("describing costs no request", fields.requests == 0 && fields.code == 0, "%d requests, exit code %d", fields.requests, fields.code)

	events := d.run(ctx, typed{args: []string{"read", "hook_events", "--fields", "subject,event"}, maxLines: 3})
	d.sayf("What Bitbucket keeps as an object of lists comes out as records like any other.")
	d.checkf("hook_events are read", events.code == 0 && strings.Contains(events.stdout, `"event":"repo:push"`), "exit code %d", events.code)
	return nil
}

func playFullRead(ctx context.Context, d *show) error {
	read := d.run(ctx, typed{args: []string{"read", "repositories", "--output", allFile}})
	lines, err := d.lines(allFile)
	if err != nil {
		return err
	}
	d.sayf("100 records a request, the most that Bitbucket gives. The file got its name when its last record was on disk.")
	d.checkf("a full read of 1,000 repositories gives 1,000 different records", len(lines) == demoRepositories && len(slices.Compact(lines)) == demoRepositories, "%d lines", len(lines))
	d.checkf("and costs 10 requests", read.requests == demoRequests, "%d", read.requests)

	table := d.run(ctx, typed{args: []string{"read", "repositories", "--format", "csv", "--fields", "slug,project.key,created_on", "--limit", "3"}})
	d.sayf("The same as CSV, with the fields one wants.")
	d.checkf("CSV has a header and a line for each record", strings.Count(table.stdout, "\n") == 4, "%q", table.stdout)
	return nil
}

func playResume(ctx context.Context, d *show) error {
	// The fifth request gets no answer, and while it waits, Ctrl-C is pressed.
	const answered = 4
	hang, err := sandbox.ParseFault(fmt.Sprintf("hang,after=%d,times=1", answered))
	if err != nil {
		return err
	}
	d.server.Inject(hang)
	running, interrupt := context.WithCancel(ctx)
	defer interrupt()
	var asked atomic.Int64
	press := func() {
		if asked.Add(1) > answered {
			interrupt()
		}
	}
	d.onRequest.Store(&press)
	cut := d.run(running, typed{args: []string{"read", "repositories", "--output", againFile}})
	d.onRequest.Store(nil)
	d.server.ClearFaults()
	_, missing := os.Stat(filepath.Join(d.dir, againFile))
	d.sayf("Interrupted by Ctrl-C after four pages: exit code %d, and no %s that would look complete.", cut.code, againFile)
	d.checkf("an interrupted read leaves no file that looks complete", cut.code == 130 && errors.Is(missing, os.ErrNotExist), "exit code %d", cut.code)

	resumed := d.run(ctx, typed{args: []string{"read", "repositories", "--output", againFile, "--resume"}})
	all, err := d.lines(allFile)
	if err != nil {
		return err
	}
	again, err := d.lines(againFile)
	if err != nil {
		return err
	}
	d.sayf("It paid for the six pages that were missing, and has the same records as the read that was not interrupted.")
	d.checkf("a resumed read ends with exactly the same records", slices.Equal(all, again), "%d lines against %d", len(again), len(all))
	d.checkf("and pays only for what was missing", resumed.requests == demoRequests-answered, "%d requests", resumed.requests)
	return nil
}

func playWrite(ctx context.Context, d *show) error {
	created := d.run(ctx, typed{stdin: `{"key":"HOIST","name":"Hoist"}`, args: []string{"write", "projects"}})
	var made struct {
		ID     string `json:"id"`
		Record struct {
			Key  string `json:"key"`
			Name string `json:"name"`
		} `json:"record"`
	}
	if err := json.Unmarshal([]byte(created.stdout), &made); err != nil {
		return err
	}
	d.vars["ID"] = made.ID // for the scene that deletes it
	d.sayf("The id of the new project, and the record as Bitbucket has it.")
	updated := d.run(ctx, typed{stdin: `{"name":"Hoist and haul"}`, args: []string{"write", "projects", "--id", made.ID}})
	if err := json.Unmarshal([]byte(updated.stdout), &made); err != nil {
		return err
	}
	d.sayf("Only the name was given, and only the name changed.")
	d.checkf("a project is created and updated by its id", made.ID == d.vars["ID"] && made.Record.Key == "HOIST" && made.Record.Name == "Hoist and haul", "%+v", made)
	return nil
}

func playIncremental(ctx context.Context, d *show) error {
	d.pass(time.Hour)
	mark := d.now().Format(time.RFC3339)
	quiet := d.run(ctx, typed{args: []string{"read", "repositories", "--since", mark}})
	d.sayf("Nothing changed since %s: one request to find out.", mark)
	d.checkf("an incremental read that finds nothing costs 1 request", quiet.requests == 1 && quiet.stdout == "", "%d requests, %q", quiet.requests, quiet.stdout)

	d.pass(time.Minute)
	slug := "slate-catalog-0"
	if err := d.server.Push(slug); err != nil {
		return err
	}
	d.sayf("A developer pushes to %s.", slug)
	changed := d.run(ctx, typed{args: []string{"read", "repositories", "--since", mark, "--fields", "slug,updated_on"}})
	d.sayf("Just that change, again for one request.")
	d.checkf("an incremental read finds exactly what changed", strings.Count(changed.stdout, "\n") == 1 && strings.Contains(changed.stdout, slug), "%q", changed.stdout)
	d.checkf("for 1 request", changed.requests == 1, "%d", changed.requests)
	return nil
}

func playRateLimit(ctx context.Context, d *show) error {
	limit, err := sandbox.ParseFault("status=429,retry-after=1s,after=1,times=1")
	if err != nil {
		return err
	}
	d.server.Inject(limit)
	read := d.run(ctx, typed{args: []string{"read", "repositories", "--limit", "300", "--fields", "slug"}, maxLines: 1})
	d.server.ClearFaults()
	d.sayf("The second request was answered 429, wait a second: it waited, asked again, and lost nothing.")
	d.checkf("a rate limit is waited for and nothing is lost", read.code == 0 && strings.Count(read.stdout, "\n") == 300, "exit code %d, %d lines", read.code, strings.Count(read.stdout, "\n"))
	return nil
}

func playMistakes(ctx context.Context, d *show) error {
	unknown := d.run(ctx, typed{args: []string{"read", "repositoris"}})
	d.checkf("an unknown object is named with the nearest", unknown.code == 2 && strings.Contains(unknown.stderr, `"repositories"`), "exit code %d, %q", unknown.code, unknown.stderr)
	good := d.vars[command.EnvToken]
	d.vars[command.EnvToken] = d.server.NewAccessToken("account")
	forbidden := d.run(ctx, typed{args: []string{"read", "repositories"}})
	d.vars[command.EnvToken] = good
	d.sayf("This token has only the scope account. Exit codes tell kinds of errors apart (%d and %d here): windlass help exit-codes.", unknown.code, forbidden.code)
	d.checkf("a missing scope is named", forbidden.code == 4 && strings.Contains(forbidden.stderr, "missing scope: repository"), "exit code %d, %q", forbidden.code, forbidden.stderr)
	return nil
}

func playDelete(ctx context.Context, d *show) error {
	deleted := d.run(ctx, typed{args: []string{"delete", "projects", "--id", d.vars["ID"], "--yes"}})
	left := d.run(ctx, typed{args: []string{"read", "projects", "--fields", "key"}, maxLines: 2})
	d.sayf("The project is gone.")
	d.checkf("a deleted project is gone", deleted.code == 0 && !strings.Contains(left.stdout, "HOIST"), "exit code %d", deleted.code)
	return nil
}

// lines returns the sorted lines of a file that a command has written.
func (d *show) lines(name string) ([]string, error) {
	data, err := os.ReadFile(filepath.Join(d.dir, name))
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	slices.Sort(lines)
	return lines, nil
}
