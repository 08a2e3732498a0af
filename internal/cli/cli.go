// Package cli is the windlass command: what its user types, and nothing else.
// Each verb is one file: a struct of options, a constructor that binds them to
// flags, and a run function.
//
// # What it promises
//
//   - Records go to standard output, everything else to standard error.
//   - A failure is one line that says what happened and what to do about it,
//     and an exit code by its kind (the one table is in exit.go).
//   - A credential comes from the environment, never from a flag, and appears
//     in no output.
//   - A file is complete or is not there: until the last record is on disk it
//     is called FILE.partial, and a later --resume goes on where it ends.
//
// # What to use
//
// [Main] with the [Env] of [System] is the program. Tests hand in an Env of
// their own: nothing in this package reads a global.
package cli

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode"

	"windlass"
)

// Env is all that the command takes from the world around it. Args, Stdin,
// Stdout, Stderr and Getenv are required; the rest have useful zero values.
type Env struct {
	// Args are the arguments after the program's name.
	Args           []string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Getenv returns a variable of the environment, "" when it is not set.
	Getenv func(name string) string
	// Environ returns all variables as NAME=VALUE, so that misspelt ones are found;
	// nil means that none is misspelt.
	Environ func() []string
	// Now is the clock; nil means time.Now.
	Now func() time.Time

	// StdinTerminal, StdoutTerminal and StderrTerminal say where a person sits.
	StdinTerminal, StdoutTerminal, StderrTerminal bool
	// Columns returns the width of the terminal on Stderr; nil means 80.
	Columns func() int

	// Base makes the requests; nil means a transport with timeouts of its own
	// for dialling.
	Base http.RoundTripper
	// json is --json of the commands that have no flag of their own for it.
	json bool

	// Stall is how long Bitbucket may send nothing before a request is given
	// up; zero means a minute.
	Stall time.Duration
}

// Main runs one command and returns its exit code. It returns when ctx is
// cancelled, too: what was being written stays resumable.
func Main(ctx context.Context, env Env) int {
	env = env.withDefaults()
	stdout := &watchedWriter{to: env.Stdout}
	env.Stdout = stdout

	err := run(ctx, &env)
	asJSON := env.json || slices.Contains(env.Args, "--json")
	if stdout.err != nil {
		// Whatever the command made of it, this is what happened.
		err = &failure{kind: windlass.Internal, text: "standard output", err: stdout.err}
		if isClosedPipe(stdout.err) {
			return 0 // the reader has seen enough, as in `windlass read … | head`
		}
	}
	return report(&env, err, asJSON)
}

func run(ctx context.Context, env *Env) error {
	started := false
	root := newRoot(env, &started)
	err := root.ExecuteContext(ctx)
	if err != nil && !started {
		// Everything cobra itself objects to is in how the command was typed.
		return &failure{kind: windlass.Invalid, text: oneLine(err.Error())}
	}
	return err
}

// report writes the one line of an error, with --json as an object, and returns
// the exit code.
func report(env *Env, err error, asJSON bool) int {
	if err == nil {
		return 0
	}
	_, told := errors.AsType[*reported](err)
	switch {
	case told:
	case asJSON:
		tellJSON(env.Stderr, map[string]any{"error": problemIn(err)})
	default:
		tellf(env.Stderr, "windlass: %s\n", oneLine(err.Error()))
	}
	return exitCode(err)
}

func (env Env) withDefaults() Env {
	if env.Args == nil {
		env.Args = []string{} // nil would have cobra read the process's own
	}
	if env.Environ == nil {
		env.Environ = func() []string { return nil }
	}
	if env.Now == nil {
		env.Now = time.Now
	}
	if env.Columns == nil {
		env.Columns = func() int { return 80 }
	}
	if env.Stall <= 0 {
		env.Stall = time.Minute
	}
	return env
}

// watchedWriter remembers the first error, because most of what writes to
// standard output (tables, help, completion) has nowhere to return it.
type watchedWriter struct {
	to  io.Writer
	err error
}

func (w *watchedWriter) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.to.Write(p)
	w.err = err
	return n, err
}

func isClosedPipe(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe)
}

// oneLine makes a text one line, and leaves out what a terminal would take for an
// order: some of it comes from strangers.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || unicode.IsSpace(r) {
			return r
		}
		return -1
	}, text)
	return strings.Join(strings.Fields(text), " ")
}
