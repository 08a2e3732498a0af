package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"windlass"
	"windlass/connector"
)

// closing is the figures of a command that talked to Bitbucket, as --json
// prints them. Names and meanings are a promise to scripts.
type closing struct {
	Object string `json:"object"`
	// Records are those there are by now, an earlier run's included.
	Records int `json:"records"`
	// Before are those of them that an earlier, interrupted run has read.
	Before int `json:"records_before,omitempty"`
	// Requests and Bytes are those of this run.
	Requests int64   `json:"requests"`
	Bytes    int64   `json:"bytes"`
	Seconds  float64 `json:"seconds"`
	// Waited is how much of Seconds went by between attempts.
	Waited  float64 `json:"waited_seconds"`
	Retries int     `json:"retries"`
	// Full reports that the object could not be read by time.
	Full     bool        `json:"full,omitempty"`
	Output   string      `json:"output,omitempty"`
	Complete bool        `json:"complete"`
	Error    *closingErr `json:"error,omitempty"`
}

type closingErr struct {
	Kind       windlass.Kind `json:"kind"`
	ExitCode   int           `json:"exit_code"`
	Message    string        `json:"message"`
	Missing    []string      `json:"missing_scopes,omitempty"`
	RetryAfter float64       `json:"retry_after_seconds,omitempty"`
	RequestID  string        `json:"request_id,omitempty"`
	Issues     []serverIssue `json:"issues,omitempty"`
}

// waits adds up the time between attempts.
type waits struct {
	total time.Duration
	count int
}

func (w *waits) add(wait connector.Wait) {
	w.total += wait.Delay
	w.count++
}

// fail fills in the part of a failure.
func (c *closing) fail(err error) {
	if err == nil {
		c.Complete = true
		return
	}
	c.Error = problemIn(err)
}

// problemIn is an error as --json prints it.
func problemIn(err error) *closingErr {
	problem := &closingErr{Kind: kindOf(err), ExitCode: exitCode(err), Message: oneLine(err.Error())}
	if cause, ok := windlass.FromProvider(err); ok {
		problem.Missing = cause.Missing()
		problem.RetryAfter = cause.RetryAfter.Seconds()
		problem.RequestID = cause.Provider.RequestID
	}
	if refused, ok := errors.AsType[*refusal](err); ok {
		problem.RequestID, problem.Issues = refused.problem.RequestID, refused.problem.Issues
	}
	return problem
}

// write prints the figures for a machine.
func (c *closing) write(w io.Writer) { tellJSON(w, c) }

// tellJSON prints a value of numbers and strings on one line.
func tellJSON(w io.Writer, value any) {
	if line, err := json.Marshal(value); err == nil { // it cannot fail
		tellf(w, "%s\n", line)
	}
}

// String is the figures for people. Times too short to matter are left out.
func (c *closing) String() string {
	records := counted(c.Records, "record")
	if c.Before > 0 {
		records += ", " + count(c.Records-c.Before) + " of them now,"
	}
	text := fmt.Sprintf("%s: %s in %s, %s", c.Object, records, counted(c.Requests, "request"), size(c.Bytes))
	var times []string
	if c.Seconds >= 0.05 {
		times = append(times, span(time.Duration(c.Seconds*float64(time.Second))))
	}
	if c.Retries > 0 {
		waited := whole(time.Duration(c.Waited * float64(time.Second)))
		times = append(times, fmt.Sprintf("waited %s for %s", waited, counted(c.Retries, "retry")))
	}
	return strings.Join(append([]string{text}, times...), ", ")
}
