package cli_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// A process is a windlass serve of its own, as its users run it: started, killed
// and sent signals.
type process struct {
	url, key       string
	command        *exec.Cmd
	stdout, stderr *output
	ended          chan error
}

// output is what a process has written so far.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// startProcess starts a server with an environment and waits until it serves.
func startProcess(env []string, args ...string) (*process, error) {
	p := &process{stdout: &output{}, stderr: &output{}, ended: make(chan error, 1)}
	binary, err := find(env, "windlass")
	if err != nil {
		return nil, err
	}
	p.command = exec.CommandContext(context.Background(), binary, append([]string{"serve"}, args...)...)
	p.command.Args[0] = "windlass"
	p.command.Env = slices.Concat(env, []string{"WINDLASS_ADDR=127.0.0.1:0", "GORACE=atexit_sleep_ms=0"})
	p.command.Stdout, p.command.Stderr = p.stdout, p.stderr
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	go func() { p.ended <- p.command.Wait() }()
	const patience = time.Minute // never spent when all is well
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(5 * time.Millisecond) {
		select {
		case err := <-p.ended:
			p.ended <- err
			return p, fmt.Errorf("it ended: %w: %s", err, p.stderr)
		default:
		}
		said := p.stdout.String()
		if address, whole := firstLineOf(said, "windlass: serving at "); whole {
			p.url = address
			p.key, _ = firstLineOf(said, "WINDLASS_API_KEY=")
			return p, nil // all of it was written at once
		}
	}
	return p, fmt.Errorf("it never served: %s", p.stderr)
}

// firstLineOf returns what follows a text on its line, if the line is whole.
func firstLineOf(said, after string) (rest string, whole bool) {
	_, rest, _ = strings.Cut(said, after)
	return cutLine(rest)
}

func cutLine(text string) (string, bool) {
	line, _, whole := strings.Cut(text, "\n")
	return line, whole
}

// find looks a program up in the PATH of an environment.
func find(env []string, name string) (string, error) {
	for _, pair := range env {
		path, found := strings.CutPrefix(pair, "PATH=")
		if !found {
			continue
		}
		for _, dir := range filepath.SplitList(path) {
			if file := filepath.Join(dir, name); isFile(file) {
				return file, nil
			}
		}
	}
	return "", errors.New(name + " is not in the PATH")
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// end sends a signal and returns the exit code.
func (p *process) end(signal os.Signal) (int, error) {
	if p == nil || p.command.Process == nil {
		return 0, nil
	}
	_ = p.command.Process.Signal(signal) // it may have ended
	const patience = 40 * time.Second
	select {
	case err := <-p.ended:
		p.ended <- err
		if ended := (*exec.ExitError)(nil); errors.As(err, &ended) {
			return ended.ExitCode(), nil
		}
		return 0, err
	case <-time.After(patience):
		_ = p.command.Process.Kill()
		return 0, fmt.Errorf("it did not end within %s: %s", patience, p.stderr)
	}
}

// server starts a windlass serve for the script, with the flags that are given;
// "server stop" ends it and checks that it ended well.
func runServer(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	if len(args) == 1 && args[0] == "stop" {
		code, err := w.process.end(syscall.SIGTERM)
		ts.Check(err)
		if code != 0 {
			ts.Fatalf("the server ended with %d: %s", code, w.process.stderr)
		}
		w.process = nil
		return
	}
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "WINDLASS_DATABASE_URL", "WINDLASS_KEYSET", "WINDLASS_FIRST_PROJECT", "WINDLASS_OPERATOR_KEY"} {
		if value := ts.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	env = append(env, "WINDLASS_DATA_DIR="+ts.MkAbs("data"),
		"WINDLASS_BITBUCKET_API_URL="+ts.Getenv("BITBUCKET_API_URL"), "WINDLASS_BITBUCKET_SITE_URL="+ts.Getenv("SITE"))
	started, err := startProcess(env, args...)
	if started != nil {
		ts.Defer(func() { _, _ = started.end(syscall.SIGKILL) })
	}
	if (err != nil) != neg {
		ts.Fatalf("the server: %v", err)
	}
	if neg {
		ts.Check(os.WriteFile(ts.MkAbs("server.log"), []byte(started.stderr.String()), 0o600))
		return
	}
	w.process = started
	ts.Setenv("WINDLASS_URL", started.url)
	if started.key != "" {
		ts.Setenv("WINDLASS_API_KEY", started.key)
	}
}

// consumer sets CONSUMER and WINDLASS_CLIENT_SECRET to an OAuth consumer of the
// sandbox's that comes back to the server.
func newConsumer(ts *testscript.TestScript, _ bool, scopes []string) {
	w := worldOf(ts)
	key, secret := w.NewConsumer(w.process.url+"/callbacks/v1/oauth", scopes...)
	ts.Setenv("CONSUMER", key)
	ts.Setenv("WINDLASS_CLIENT_SECRET", secret)
}

// consent FILE: the customer opens the address in the file, and grants access.
func consent(ts *testscript.TestScript, neg bool, args []string) {
	jar, err := cookiejar.New(nil)
	ts.Check(err)
	browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	open := func(address string) *http.Response {
		resp, err := browser.Get(address)
		ts.Check(err)
		return resp
	}
	first := open(strings.TrimSpace(ts.ReadFile(args[0])))
	page, err := io.ReadAll(first.Body)
	ts.Check(err)
	first.Body.Close()
	link := regexp.MustCompile(`<a id="continue" href="([^"]*)">`).FindSubmatch(page)
	if link == nil {
		ts.Fatalf("the page leads nowhere: %s", page)
	}
	next := open(html.UnescapeString(string(link[1])))
	next.Body.Close()
	back, err := worldOf(ts).Consent(next.Header.Get("Location"))
	ts.Check(err)
	resp := open(back)
	defer resp.Body.Close()
	if (resp.StatusCode != http.StatusOK) != neg {
		ts.Fatalf("the callback answered %d", resp.StatusCode)
	}
}

// environ is what a process of a test's own is started with.
func environ(t *testing.T, more ...string) []string {
	t.Helper()
	return append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}, more...)
}
