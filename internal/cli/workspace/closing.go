package workspace

import (
	"fmt"
	"io"
	"strings"
	"time"

	"windlass/connector"
	"windlass/internal/cli/command"
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
	Full     bool                 `json:"full,omitempty"`
	Output   string               `json:"output,omitempty"`
	Complete bool                 `json:"complete"`
	Error    *command.ProblemJSON `json:"error,omitempty"`
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
	c.Error = command.ProblemIn(err)
}

// write prints the figures for a machine.
func (c *closing) write(w io.Writer) { command.TellJSON(w, c) }

// String is the figures for people. Times too short to matter are left out.
func (c *closing) String() string {
	records := command.Counted(c.Records, "record")
	if c.Before > 0 {
		records += ", " + command.Count(c.Records-c.Before) + " of them now,"
	}
	text := fmt.Sprintf("%s: %s in %s, %s", c.Object, records, command.Counted(c.Requests, "request"), command.Size(c.Bytes))
	var times []string
	if c.Seconds >= 0.05 {
		times = append(times, command.Span(time.Duration(c.Seconds*float64(time.Second))))
	}
	if c.Retries > 0 {
		waited := whole(time.Duration(c.Waited * float64(time.Second)))
		times = append(times, fmt.Sprintf("waited %s for %s", waited, command.Counted(c.Retries, "retry")))
	}
	return strings.Join(append([]string{text}, times...), ", ")
}
