package command

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"windlass"
)

// exits is the only statement of which exit code each kind of failure has.
// Scripts depend on the numbers: they never change meaning.
var exits = []struct {
	code    int
	kind    windlass.Kind
	meaning string
}{
	{1, windlass.Internal, "a defect, or a local failure such as a full disk"},
	{2, windlass.Invalid, "the command or its input is wrong: an unknown object, field or time, a mistake in a manifest, or a value that was refused"},
	{3, windlass.Unauthorized, "no credential or API key, or one that is not accepted"},
	{3, windlass.NeedsReconnect, "the credential was good once: a new one is needed"},
	{4, windlass.Forbidden, "the credential is good but lacks a scope or a role"},
	{5, windlass.NotFound, "no such thing, or the credential cannot see it"},
	{6, windlass.Conflict, "it exists already, is in use, or changed meanwhile"},
	{7, windlass.RateLimited, "the budget of requests is spent, and --wait was not long enough"},
	{8, windlass.Unavailable, "Bitbucket or the server is down, slow or unreachable"},
	{8, windlass.Malformed, "an answer that is not what was documented"},
	{9, windlass.Incomplete, "fewer records arrived than Bitbucket counts"},
	{10, windlass.Gone, "it was removed for good"},
	{11, windlass.CursorExpired, "an interrupted read can no longer be resumed: start it again"},
	{130, windlass.Canceled, "interrupted"},
}

const exitInternal = 1

// ExitCode returns the exit code of an error, which is that of its kind.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	kind := KindOf(err)
	for _, exit := range exits {
		if exit.kind == kind {
			return exit.code
		}
	}
	return exitInternal
}

// KindOf returns the outermost kind in an error's tree: what the last one to
// judge it has said.
func KindOf(err error) windlass.Kind {
	if kind, ok := errors.AsType[windlass.Kind](err); ok {
		return kind
	}
	return windlass.Internal
}

// NewExitCodes is a help topic: `windlass help exit-codes`.
func NewExitCodes() *cobra.Command {
	var b strings.Builder
	b.WriteString("Every command ends with one of these codes. 7, 8 and 9 may pass by themselves.\n\n")
	fmt.Fprintf(&b, "  %3d  %s\n", 0, "done")
	for _, exit := range exits {
		fmt.Fprintf(&b, "  %3d  %s: %s\n", exit.code, exit.kind, exit.meaning)
	}
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "What the exit codes mean",
		Long:  strings.TrimRight(b.String(), "\n"),
	}
}

// Failure is an error of the command itself, as opposed to one of the
// connector. It is an error of its kind and of its cause.
type Failure struct {
	Kind windlass.Kind
	Text string
	Err  error
}

// Invalidf is a failure of what was typed or given.
func Invalidf(format string, args ...any) error {
	return &Failure{Kind: windlass.Invalid, Text: fmt.Sprintf(format, args...)}
}

// Internal is a failure on this side of the network.
func Internal(what string, err error) error {
	return &Failure{Kind: windlass.Internal, Text: what, Err: err}
}

func (f *Failure) Error() string {
	if f.Err == nil {
		return f.Text
	}
	return f.Text + ": " + f.Err.Error()
}

func (f *Failure) Unwrap() []error {
	if f.Err == nil {
		return []error{f.Kind}
	}
	return []error{f.Kind, f.Err}
}

// Reported marks an error that the user has been told of already.
type Reported struct{ Err error }

func (r *Reported) Error() string { return r.Err.Error() }
func (r *Reported) Unwrap() error { return r.Err }

// IsClosedPipe reports whether a write failed because its reader has gone.
func IsClosedPipe(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrClosedPipe)
}
