// Package demo is the command that shows what windlass does: it runs the commands of
// the whole program against a mock Bitbucket server on this machine, and checks
// what they do.
package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"windlass"
	"windlass/bitbucket/sandbox"
	"windlass/internal/cli/command"
	"windlass/internal/cli/try"
)

// New makes the command. run runs one command of the program and returns its
// exit code, as a shell would.
func New(env *command.Env, run func(context.Context, command.Env) int) *cobra.Command {
	var keep bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show what windlass does, against a mock Bitbucket server on this machine",
		Long: `Start a sandbox with made-up data, a server and a receiver, and run commands against
them, each as it would be typed, with what it prints and what that shows. Nothing
leaves this machine. It ends with a table of what it has checked, and with exit code
0 only if all of that held.

With --keep all three stay up afterwards, to be tried out, until interrupted.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDemo(cmd.Context(), env, run, keep) },
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "stay up afterwards, until interrupted, and keep the files")
	return cmd
}

func runDemo(ctx context.Context, env *command.Env, run func(context.Context, command.Env) int, keep bool) (err error) {
	d, err := newShow(ctx, env, run)
	if err != nil {
		return err
	}
	defer func() {
		d.serving.kill()
		if d.inbox != nil {
			err = errors.Join(err, d.inbox.site.Stop())
		}
		if stopped := d.site.Stop(); err == nil {
			err = stopped
		}
		if keep {
			command.Tellf(env.Stdout, "\nThe files are in %s\n", d.dir)
		} else if removed := os.RemoveAll(d.dir); err == nil && removed != nil {
			err = command.Internal("demo", removed)
		}
	}()
	for _, scene := range story(keep) {
		if ctx.Err() != nil {
			return &command.Failure{Kind: windlass.Canceled, Text: "the demo was interrupted"}
		}
		d.title(scene.title)
		if err := scene.play(ctx, d); err != nil {
			return command.Internal("demo: "+scene.title, err)
		}
	}
	if err := d.verdict(); err != nil || !keep {
		return err
	}
	d.stayUp(ctx)
	return nil
}

// stayUp keeps everything running for the user to try out, until interrupted. The
// clock runs meanwhile.
func (d *show) stayUp(ctx context.Context) {
	began := time.Now()
	d.since.Store(&began)
	command.Tellf(d.out, `
Staying up until Ctrl-C. In another terminal:

  export %s=%s
  export %s=%s
  windlass operations list --group customer-1 --integration bitbucket
  windlass trigger repositories --group customer-1 --integration bitbucket --follow

Bitbucket is at %s, the receiver at %s.
`, command.EnvServer, d.vars[command.EnvServer], command.EnvKey, d.vars[command.EnvKey], d.site.URL, d.inbox.site.URL)
	<-ctx.Done()
}

// show is a demo that is running: a sandbox, and the commands that are run
// against it through the whole program, as if they had been typed. Its clock moves only when
// the story says so, and nothing that differs from run to run is printed, so
// that the whole text can be compared.
type show struct {
	program func(context.Context, command.Env) int
	out     io.Writer
	bold    bool
	clock   atomic.Pointer[time.Time]
	since   atomic.Pointer[time.Time] // from when on it goes by itself
	server  *sandbox.Server
	site    *try.Site
	dir     string
	vars    map[string]string // the environment of the commands
	scenes  int
	typed   bool // something was, in this scene
	checks  []check

	serving *serving       // the server, once it runs
	inbox   *inbox         // the product's webhook, likewise
	heard   memo           // what it says
	spent   int            // requests to Bitbucket for the server's reads
	masks   [][2]string    // what differs from run to run, and what is shown instead
	ids     map[string]int // the ids that were shown, in the order of their first appearance

	// onRequest, when set, is told of every request before it is answered.
	onRequest atomic.Pointer[func()]
}

type check struct {
	what string
	held bool
	saw  string
}

func newShow(ctx context.Context, env *command.Env, run func(context.Context, command.Env) int) (*show, error) {
	d := &show{program: run, out: env.Stdout, bold: env.StdoutTerminal}
	start := time.Date(2026, time.December, 1, 9, 0, 0, 0, time.UTC)
	d.clock.Store(&start)
	d.ids = map[string]int{}
	d.server = sandbox.New(&sandbox.Options{Repositories: 1000, Now: d.now})
	var err error
	if d.dir, err = os.MkdirTemp("", "windlass-demo-"); err != nil {
		return nil, command.Internal("demo", err)
	}
	d.site, err = try.StartSite(ctx, "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if told := d.onRequest.Load(); told != nil {
			(*told)()
		}
		d.server.ServeHTTP(w, r)
	}))
	if err != nil {
		return nil, err
	}
	credentials := d.server.Credentials()
	d.vars = map[string]string{
		command.EnvAPIURL:    d.site.APIURL(),
		command.EnvWorkspace: credentials.Workspace,
		command.EnvToken:     credentials.AccessToken,
	}
	return d, nil
}

func (d *show) now() time.Time {
	if since := d.since.Load(); since != nil {
		return d.clock.Load().Add(time.Since(*since))
	}
	return *d.clock.Load()
}

// pass lets time go by.
func (d *show) pass(span time.Duration) {
	later := d.now().Add(span)
	d.clock.Store(&later)
}

// typed is a command as the story types it, and what came of it.
type typed struct {
	stdin    string   // given by echo
	args     []string // windlass …
	maxLines int      // lines of output to show; 0: ten

	stdout, stderr string
	code           int
	requests       int
}

// run types a command, shows it with its output, and returns what came of it.
func (d *show) run(ctx context.Context, c typed) typed {
	if d.typed {
		command.Tellf(d.out, "\n")
	}
	d.typed = true
	command.Tellf(d.out, "%s\n", d.loud("$ "+d.masked(d.commandLine(c))))
	before := d.server.Requests()
	var stdout, stderr bytes.Buffer
	args := make([]string, len(c.args))
	for i, arg := range c.args {
		if i > 0 && (c.args[i-1] == "--output" || arg == manifestFile) {
			arg = filepath.Join(d.dir, arg) // shown without the folder
		}
		args[i] = arg
	}
	c.code = d.program(ctx, command.Env{
		Args: args, Stdin: strings.NewReader(c.stdin), Stdout: &stdout, Stderr: &stderr,
		Getenv: func(name string) string { return d.vars[name] }, Now: d.now,
	})
	c.stdout, c.stderr = stdout.String(), strings.ReplaceAll(stderr.String(), d.dir+string(filepath.Separator), "")
	c.requests = d.server.Requests() - before
	d.print(c.stdout, c.maxLines)
	d.print(c.stderr, 0)
	return c
}

// commandLine is what one would type.
func (d *show) commandLine(c typed) string {
	words := []string{"windlass"}
	for _, arg := range c.args {
		if strings.ContainsAny(arg, " {}'\"$&|;<>*") {
			arg = "'" + arg + "'"
		}
		words = append(words, arg)
	}
	line := strings.Join(words, " ")
	if c.stdin != "" {
		line = "echo '" + c.stdin + "' | " + line
	}
	return line
}

// print shows text, shortened to what fits a screen.
func (d *show) print(text string, maxLines int) {
	const (
		columns = 110
		usual   = 10
	)
	if text = d.masked(text); text == "" {
		return
	}
	if maxLines == 0 {
		maxLines = usual
	}
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, line := range lines {
		if i == maxLines && len(lines) > maxLines+1 {
			command.Tellf(d.out, "… and %s\n", command.Counted(len(lines)-maxLines, "more line"))
			return
		}
		if runes := []rune(line); len(runes) > columns && !strings.HasPrefix(line, "windlass: ") {
			line = string(runes[:columns-1]) + "…"
		}
		command.Tellf(d.out, "%s\n", strings.TrimRight(line, " "))
	}
}

func (d *show) title(text string) {
	d.scenes++
	d.typed = false
	command.Tellf(d.out, "\n%s\n\n", d.loud(fmt.Sprintf("%d. %s", d.scenes, text)))
}

// sayf explains in a sentence what was just shown.
func (d *show) sayf(format string, args ...any) {
	command.Tellf(d.out, "  -> "+format+"\n", args...)
}

// checkf notes something that must hold.
func (d *show) checkf(what string, held bool, saw string, args ...any) {
	d.checks = append(d.checks, check{what, held, fmt.Sprintf(saw, args...)})
}

// loud makes text stand out on a terminal.
func (d *show) loud(text string) string {
	if !d.bold {
		return text
	}
	return "\x1b[1m" + text + "\x1b[0m"
}

// verdict prints what was checked.
func (d *show) verdict() error {
	command.Tellf(d.out, "\n%s\n\n", d.loud("What was checked"))
	failed := 0
	for _, check := range d.checks {
		if check.held {
			command.Tellf(d.out, "  ✓ %s\n", check.what)
			continue
		}
		failed++
		command.Tellf(d.out, "  ✗ %s: %s\n", check.what, check.saw)
	}
	if failed > 0 {
		return command.Internal("demo", fmt.Errorf("%d of %d checks failed", failed, len(d.checks)))
	}
	command.Tellf(d.out, "\nAll %d held. With a workspace of your own: export BITBUCKET_TOKEN=…, and\n  windlass read repositories --workspace YOURS\nFor your customers' workspaces: windlass serve\n", len(d.checks))
	return nil
}
