package cli_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"windlass/bitbucket/sandbox"
	"windlass/internal/cli"
	"windlass/internal/cli/command"
)

// program is the command with a sandbox behind it, in process, without a socket.
type program struct {
	command.Env

	server         *sandbox.Server
	stdout, stderr bytes.Buffer
}

func newProgram(t *testing.T, faults ...string) *program {
	t.Helper()
	p := &program{server: sandbox.New(&sandbox.Options{Now: time.Now})}
	for _, spec := range faults {
		fault, err := sandbox.ParseFault(spec)
		if err != nil {
			t.Fatal(err)
		}
		p.server.Inject(fault)
	}
	known := p.server.Credentials()
	p.Env = command.Env{
		Stdin: strings.NewReader(""), Stdout: &p.stdout, Stderr: &p.stderr,
		Getenv: func(name string) string {
			return map[string]string{"BITBUCKET_TOKEN": known.AccessToken, "BITBUCKET_WORKSPACE": known.Workspace}[name]
		},
		Base: p.server.Transport(),
	}
	return p
}

// run runs a command and checks its exit code.
func (p *program) run(t *testing.T, code int, args ...string) {
	t.Helper()
	p.Args = args
	if got := cli.Main(t.Context(), p.Env); got != code {
		t.Errorf("windlass %s: exit code %d, want %d; it said: %s", strings.Join(args, " "), got, code, p.stderr.String())
	}
}

func (p *program) says(t *testing.T, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(p.stderr.String(), part) {
			t.Errorf("it does not say %q but: %s", part, p.stderr.String())
		}
	}
}

func TestBitbucketThatHangsIsUnavailable(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"hang", "hang,after=1"} {
		synctest.Test(t, func(t *testing.T) {
			p := newProgram(t, fault)
			begun := time.Now()
			p.run(t, 8, "read", "repositories", "--wait", "0s")
			p.says(t, "nothing arrived for 1m0s")
			if took := time.Since(begun); took != time.Minute {
				t.Errorf("it took %s to say so", took)
			}
		})
	}
}

func TestLimitOfAMinuteIsWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProgram(t, "status=429,retry-after=60s,after=1,times=2")
		begun := time.Now()
		p.run(t, 0, "read", "repositories")
		if n := strings.Count(p.stdout.String(), "\n"); n != 250 {
			t.Errorf("got %d records", n)
		}
		p.says(t,
			"windlass: rate limited, going on in 1 min 0 s\n",
			"repositories: 250 records in 5 requests", "waited 2 min 0 s for 2 retries")
		if took := time.Since(begun); took < 2*time.Minute || took > 2*time.Minute+time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

func TestLimitIsNotWaitedForLongerThanAllowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProgram(t, "status=429,retry-after=60s")
		begun := time.Now()
		p.run(t, 7, "read", "repositories", "--wait", "150s")
		if took := time.Since(begun); took < 2*time.Minute || took > 150*time.Second {
			t.Errorf("it took %s", took)
		}
		p.says(t, "wait 1m0s and go on")
	})
}

func TestProgressOnATerminal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newProgram(t, "latency=1s", "status=429,retry-after=5s,after=1,times=1")
		p.StderrTerminal = true
		p.run(t, 0, "read", "repositories")
		p.says(t,
			"\r\x1b[Krepositories  0 records · 1 request, about 999 left",
			"\r\x1b[Krepositories  100 of 250 · 2 s to go · 2 requests, about 998 left · 83/s",
			" · rate limited, going on in 5 s",
			" · rate limited, going on in 1 s",
			"\r\x1b[Krepositories: 250 records in 4 requests")
	})
}

func TestNoProgressWhenRecordsScrollByOrNobodyLooks(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*program) []string{
		"records on the same terminal": func(p *program) []string { p.StderrTerminal, p.StdoutTerminal = true, true; return nil },
		"no terminal":                  func(*program) []string { return nil },
		"quiet":                        func(p *program) []string { p.StderrTerminal = true; return []string{"--quiet"} },
		"json":                         func(p *program) []string { p.StderrTerminal = true; return []string{"--json"} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newProgram(t, "latency=1s")
				p.run(t, 0, append([]string{"read", "repositories"}, change(p)...)...)
				if strings.Contains(p.stderr.String(), "\r") {
					t.Errorf("it drew: %q", p.stderr.String())
				}
			})
		})
	}
}

// brittle is a standard output that fails after so many writes.
type brittle struct {
	writes int
	err    error
}

func (b *brittle) Write(p []byte) (int, error) {
	if b.writes--; b.writes < 0 {
		return 0, b.err
	}
	return len(p), nil
}

func TestStandardOutputThatFails(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		err  error
		code int
		says string
	}{
		{"the reader went away", io.ErrClosedPipe, 0, ""},
		{"the disk is full", errors.New("no space left on device"), 1, "windlass: standard output: no space left on device\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newProgram(t)
			p.Stdout = &brittle{writes: 1, err: test.err}
			p.run(t, test.code, "read", "repositories")
			if n := p.server.Requests(); n != 2 {
				t.Errorf("%d requests were made, want 2: none after the write that failed", n)
			}
			if got := p.stderr.String(); !strings.HasSuffix(got, test.says) || (test.says == "") != (got == "") {
				t.Errorf("it said %q, want %q", got, test.says)
			}
		})
	}
}

func TestDeleteAsks(t *testing.T) {
	t.Parallel()
	for answer, code := range map[string]int{"y\n": 0, "YES\n": 0, "n\n": 130, "\n": 130, "": 130, "yep\n": 130} {
		t.Run(fmt.Sprintf("%q", answer), func(t *testing.T) {
			t.Parallel()
			p := newProgram(t)
			p.Stdin = strings.NewReader(`{"key":"ASK","name":"Ask"}`)
			p.run(t, 0, "write", "projects")
			id, _, _ := strings.Cut(strings.TrimPrefix(p.stdout.String(), `{"id":"`), `"`)

			p.StdinTerminal, p.StderrTerminal = true, true
			p.Stdin = strings.NewReader(answer)
			p.run(t, code, "delete", "projects", "--id", id)
			p.says(t, "Delete projects "+id+" of workspace acme for good? [y/N] ")

			p.stdout.Reset()
			p.run(t, 0, "read", "projects")
			if there := strings.Contains(p.stdout.String(), id); there == (code == 0) {
				t.Errorf("after %q the project is there: %v", answer, there)
			}
		})
	}
}

func TestNoOutputHoldsASecret(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t-in-the-environment"
	for name, vars := range map[string][]string{
		"token":      {"BITBUCKET_TOKEN"},
		"spaced":     {"BITBUCKET_TOKEN"},
		"API token":  {"BITBUCKET_API_TOKEN"},
		"email":      {"BITBUCKET_API_TOKEN", "BITBUCKET_EMAIL"},
		"connect":    {"BITBUCKET_CONNECT_SHARED_SECRET", "BITBUCKET_CONNECT_APP_KEY", "BITBUCKET_CONNECT_CLIENT_KEY"},
		"in the URL": {"BITBUCKET_TOKEN", "BITBUCKET_API_URL"},
	} {
		for _, object := range []string{"repositories", "addon/linkers", "hook_events"} {
			for _, more := range [][]string{nil, {"--json"}, {"--output", "/dev/null/x"}} {
				p := newProgram(t)
				p.Getenv = func(variable string) string {
					switch {
					case variable == "BITBUCKET_WORKSPACE":
						return "acme"
					case variable == "BITBUCKET_API_URL" && name == "in the URL":
						return "https://user:" + secret + "@api.bitbucket.org/2.0"
					}
					for _, known := range vars {
						if known == variable && name == "spaced" {
							return secret + " " + secret
						}
						if known == variable {
							return secret
						}
					}
					return ""
				}
				p.Args = append([]string{"read", object, "--wait", "0s"}, more...)
				cli.Main(t.Context(), p.Env)
				if said := p.stdout.String() + p.stderr.String(); strings.Contains(said, secret) {
					t.Errorf("%s, %s, %q: %s", name, object, more, said)
				}
			}
		}
	}
}

func TestInterruptedBeforeItBegan(t *testing.T) {
	t.Parallel()
	p := newProgram(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p.Args = []string{"read", "repositories"}
	if code := cli.Main(ctx, p.Env); code != 130 {
		t.Errorf("exit code %d", code)
	}
	p.says(t, "windlass: read repositories: interrupted")
}

// Two commands at once share nothing.
func TestCommandsAtOnce(t *testing.T) {
	t.Parallel()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			p := newProgram(t)
			p.run(t, 0, "read", "repositories", "--format", "csv")
		})
	}
	all.Wait()
}
