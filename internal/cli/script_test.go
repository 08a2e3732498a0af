package cli_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"windlass/bitbucket/sandbox"
	"windlass/internal/cli"
	"windlass/internal/server"
	"windlass/internal/store/storetest"
)

// TestMain lets the test binary be the windlass command, too, so that scripts
// run the program as its users do: as a process.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"windlass": asProgram})
}

// asProgram is what cmd/windlass does.
func asProgram() {
	os.Exit(cli.Main(cli.Interruptible(), cli.System()))
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exit":     exit,
			"sandbox":  startSandbox,
			"fault":    inject,
			"push":     push,
			"serve":    serve,
			"token":    newToken,
			"requests": requests,
			"lines":    lines,
			"same":     same,
			"record":   record,
			"waitfor":  waitFor,
			"server":   runServer,
			"port":     freePort,
			"consent":  consent,
			"consumer": newConsumer,
			"envfile":  envFile,
			"postgres": func(ts *testscript.TestScript, _ bool, _ []string) {
				ts.Setenv("WINDLASS_DATABASE_URL", storetest.New(t, "postgres").URL)
				keyset, err := server.NewKeyset()
				ts.Check(err)
				ts.Setenv("WINDLASS_KEYSET", keyset.Reveal())
			},
		},
		Setup: func(env *testscript.Env) error {
			env.Values[sandboxKey{}] = new(*world)
			// The race detector has every process wait a second before it ends.
			env.Setenv("GORACE", "atexit_sleep_ms=0")
			return nil
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

type sandboxKey struct{}

// world is the sandbox of one script, and its server.
type world struct {
	*sandbox.Server

	counted int // requests up to the last time they were counted
	process *process
}

func worldOf(ts *testscript.TestScript) *world {
	w, ok := ts.Value(sandboxKey{}).(**world)
	if !ok || *w == nil {
		ts.Fatalf("the script has no sandbox: begin with sandbox")
	}
	return *w
}

// exit CODE COMMAND…: the command ends with just this code.
func exit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exit CODE COMMAND ARG…")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if ended := (*exec.ExitError)(nil); errors.As(err, &ended) {
		code = ended.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// sandbox [FLAG…] serves one, and sets the variables that lead to it.
func startSandbox(ts *testscript.TestScript, _ bool, args []string) {
	var options sandbox.Options
	flags := flag.NewFlagSet("sandbox", flag.ContinueOnError)
	flags.IntVar(&options.Repositories, "repositories", 250, "")
	flags.IntVar(&options.Limit, "limit", 1000, "")
	flags.BoolVar(&options.LimitHeaders, "limit-headers", false, "")
	flags.BoolVar(&options.OmitSize, "omit-size", false, "")
	flags.BoolVar(&options.ProjectsIgnoreQ, "projects-ignore-q", false, "")
	ts.Check(flags.Parse(args))
	server := sandbox.New(&options)
	listener := httptest.NewServer(server)
	ts.Defer(listener.Close)
	w, ok := ts.Value(sandboxKey{}).(**world)
	if !ok {
		ts.Fatalf("no place for a sandbox")
	}
	*w = &world{Server: server}

	known := server.Credentials()
	for name, value := range map[string]string{
		"BITBUCKET_API_URL":   listener.URL + "/2.0",
		"BITBUCKET_WORKSPACE": known.Workspace,
		"BITBUCKET_TOKEN":     known.AccessToken,
		"EMAIL":               known.Email,
		"API_TOKEN":           known.APIToken,
		"APP_KEY":             known.ConnectAppKey,
		"CLIENT_KEY":          known.ConnectClientKey,
		"SHARED_SECRET":       known.ConnectSharedSecret,
		"SITE":                listener.URL,
	} {
		ts.Setenv(name, value)
	}
}

// fault [SPEC…] replaces what goes wrong; without any, nothing does.
func inject(ts *testscript.TestScript, _ bool, args []string) {
	w := worldOf(ts)
	w.ClearFaults()
	for _, spec := range args {
		fault, err := sandbox.ParseFault(spec)
		ts.Check(err)
		w.Inject(fault)
	}
}

// push SLUG changes a repository as a push does.
func push(ts *testscript.TestScript, _ bool, args []string) {
	for _, slug := range args {
		ts.Check(worldOf(ts).Push(slug))
	}
}

// serve PATH FILE answers GET PATH with the file from now on.
func serve(ts *testscript.TestScript, _ bool, args []string) {
	worldOf(ts).ServeBody(http.MethodGet, args[0], http.StatusOK, []byte(ts.ReadFile(args[1])))
}

// token SCOPE… makes the script's credential one with these scopes.
func newToken(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv("BITBUCKET_TOKEN", worldOf(ts).NewAccessToken(args...))
}

// requests N: so many were made since the last time. Without N it only starts
// to count.
func requests(ts *testscript.TestScript, _ bool, args []string) {
	w := worldOf(ts)
	now := w.Requests()
	made := now - w.counted
	w.counted = now
	if len(args) > 0 && fmt.Sprint(made) != args[0] {
		ts.Fatalf("%d requests were made, want %s", made, args[0])
	}
}

// lines FILE N: the file (or stdout) has so many lines, each of them JSON if it
// is not CSV.
func lines(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	if text != "" && !strings.HasSuffix(text, "\n") {
		ts.Fatalf("%s ends in the middle of a line", args[0])
	}
	n := strings.Count(text, "\n")
	if want, err := strconv.Atoi(args[1]); err != nil || n != want {
		ts.Fatalf("%s has %d lines, want %s", args[0], n, args[1])
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "{") && !json.Valid([]byte(line)) {
			ts.Fatalf("%s holds a line that is not JSON: %s", args[0], line)
		}
	}
}

// same A B: the files hold the same lines, in whatever order.
func same(ts *testscript.TestScript, neg bool, args []string) {
	sorted := func(name string) []string {
		all := strings.Split(ts.ReadFile(name), "\n")
		slices.Sort(all)
		return all
	}
	if slices.Equal(sorted(args[0]), sorted(args[1])) == neg {
		ts.Fatalf("%s and %s: same is %v", args[0], args[1], !neg)
	}
}

// record VARIABLE FILE FIELD sets a variable to a field of the JSON in the
// file's first line: names and places in lists, with dots between.
func record(ts *testscript.TestScript, _ bool, args []string) {
	line, _, _ := strings.Cut(ts.ReadFile(args[1]), "\n")
	var value any
	ts.Check(json.Unmarshal([]byte(line), &value))
	for name := range strings.SplitSeq(args[2], ".") {
		if list, ok := value.([]any); ok {
			i, err := strconv.Atoi(name)
			ts.Check(err)
			value = list[i]
			continue
		}
		object, _ := value.(map[string]any)
		value = object[name]
	}
	if value == nil {
		ts.Fatalf("%s has no %s", args[1], args[2])
	}
	ts.Setenv(args[0], fmt.Sprint(value))
}

// waitfor STATE N [REQUESTS]: a read in the background has saved so many records,
// and so many requests have arrived since the last time they were counted.
func waitFor(ts *testscript.TestScript, _ bool, args []string) {
	arrived := func() bool {
		if len(args) < 3 {
			return true
		}
		w := worldOf(ts)
		return fmt.Sprint(w.Requests()-w.counted) == args[2]
	}
	const patience = 30 * time.Second // never spent when all is well
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(5 * time.Millisecond) {
		data, err := os.ReadFile(ts.MkAbs(args[0]))
		if err == nil && strings.Contains(string(data), `"records": `+args[1]+",") && arrived() {
			return
		}
	}
	ts.Fatalf("%s never said %s records, or other requests than %v arrived", args[0], args[1], args[2:])
}

// envfile VARIABLE FILE sets a variable to the file's first line.
func envFile(ts *testscript.TestScript, _ bool, args []string) {
	line, _, _ := strings.Cut(ts.ReadFile(args[1]), "\n")
	ts.Setenv(args[0], line)
}
