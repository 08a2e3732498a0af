// Package cli is the windlass command. It puts the commands together; they live in
// the packages below: admin, workspace, serve, try and demo. Each verb is one file: a
// struct of options, a constructor that binds them to flags, and a run function.
//
// # What it promises
//
//   - Records go to standard output, everything else to standard error.
//   - A failure is one line that says what happened and what to do about it,
//     and an exit code by its kind (the one table is in command/exit.go).
//   - A credential comes from the environment, never from a flag, and appears
//     in no output.
//
// # What to use
//
// [Main] with the [command.Env] of [System] is the program. Tests hand in an Env of
// their own: nothing in these packages reads a global.
package cli

import (
	"context"
	"errors"
	"io"
	"slices"

	"windlass"
	"windlass/internal/cli/command"
	"windlass/internal/cli/serve"
)

// Main runs one command and returns its exit code. It returns when ctx is
// cancelled, too: what was being written stays resumable.
func Main(ctx context.Context, env command.Env) int {
	env = env.WithDefaults()
	env.Settings = serve.Variables()
	stdout := &watchedWriter{to: env.Stdout}
	env.Stdout = stdout

	err := run(ctx, &env)
	asJSON := env.JSON || slices.Contains(env.Args, "--json")
	if stdout.err != nil {
		// Whatever the command made of it, this is what happened.
		err = &command.Failure{Kind: windlass.Internal, Text: "standard output", Err: stdout.err}
		if command.IsClosedPipe(stdout.err) {
			return 0 // the reader has seen enough, as in `windlass read … | head`
		}
	}
	return report(&env, err, asJSON)
}

func run(ctx context.Context, env *command.Env) error {
	started := false
	root := newRoot(env, &started)
	err := root.ExecuteContext(ctx)
	if err != nil && !started {
		// Everything cobra itself objects to is in how the command was typed.
		return &command.Failure{Kind: windlass.Invalid, Text: command.OneLine(err.Error())}
	}
	return err
}

// report writes the one line of an error, with --json as an object, and returns
// the exit code.
func report(env *command.Env, err error, asJSON bool) int {
	if err == nil {
		return 0
	}
	_, told := errors.AsType[*command.Reported](err)
	switch {
	case told:
	case asJSON:
		command.TellJSON(env.Stderr, map[string]any{"error": command.ProblemIn(err)})
	default:
		command.Tellf(env.Stderr, "windlass: %s\n", command.OneLine(err.Error()))
	}
	return command.ExitCode(err)
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
