// Package command is what the commands of windlass have in common: the environment
// that they run in, failures and their exit codes, flags, tables, and how numbers
// and times are written for people. It knows no command, and no command is here.
//
// # What to use
//
// A command takes an [Env], returns an error of [Invalidf], [Internal] or a
// [Failure], and prints with [Tellf], [WriteJSON] or a [Table].
package command

import (
	"io"
	"net/http"
	"time"
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
	// Settings are the variables of a server's settings: Main fills them in.
	Settings []string
	// Now is the clock; nil means time.Now.
	Now func() time.Time

	// StdinTerminal, StdoutTerminal and StderrTerminal say where a person sits.
	StdinTerminal, StdoutTerminal, StderrTerminal bool
	// Columns returns the width of the terminal on Stderr; nil means 80.
	Columns func() int

	// Base makes the requests; nil means a transport with timeouts of its own
	// for dialling.
	Base http.RoundTripper
	// JSON is --json of the commands that have no flag of their own for it.
	JSON bool

	// Stall is how long Bitbucket may send nothing before a request is given
	// up; zero means a minute.
	Stall time.Duration
}

// WithDefaults fills in what has a default.
func (env Env) WithDefaults() Env {
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
