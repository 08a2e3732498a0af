package command

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"windlass"
)

// serverProblem is an answer of application/problem+json.
type serverProblem struct {
	Type      string        `json:"type"`
	Title     string        `json:"title"`
	Detail    string        `json:"detail"`
	Subsystem string        `json:"subsystem"`
	RequestID string        `json:"requestId"`
	Causes    []string      `json:"causes"`
	Remedy    string        `json:"remedy"`
	Issues    []serverIssue `json:"issues"`
}

// serverIssue is one thing wrong with what was sent.
type serverIssue struct {
	In      string `json:"in"`
	Name    string `json:"name,omitempty"`
	Detail  string `json:"detail"`
	Remedy  string `json:"remedy,omitempty"`
	Context struct {
		Line   int `json:"line"`
		Column int `json:"column"`
	} `json:"context,omitzero"`
}

// Refusal is a server's answer that something did not work.
type Refusal struct {
	Kind    windlass.Kind
	Problem serverProblem
}

// Error is one line: what is wrong, where, and what to do.
func (r *Refusal) Error() string {
	p := &r.Problem
	var text strings.Builder
	text.WriteString(cmp.Or(p.Detail, p.Title))
	for _, issue := range p.Issues {
		if issue.Detail == p.Detail {
			continue // it is said already
		}
		place := issue.Name
		if issue.Context.Line > 0 {
			place = fmt.Sprintf("%d:%d", issue.Context.Line, issue.Context.Column)
		}
		if place != "" {
			place += ": "
		}
		text.WriteString(" (" + place + strings.Join(without([]string{issue.Detail, issue.Remedy}, []string{""}), ": ") + ")")
	}
	for _, cause := range p.Causes {
		if strings.Contains(text.String(), cause) {
			continue
		}
		text.WriteString(": " + cause)
	}
	if p.Remedy != "" {
		text.WriteString("; " + p.Remedy)
	}
	if r.Kind == windlass.Internal && p.RequestID != "" {
		text.WriteString(" (request " + p.RequestID + ")")
	}
	return text.String()
}

func (r *Refusal) Unwrap() error { return r.Kind }

// ProblemJSON is an error as --json prints it.
type ProblemJSON struct {
	Kind       windlass.Kind `json:"kind"`
	ExitCode   int           `json:"exit_code"`
	Message    string        `json:"message"`
	Missing    []string      `json:"missing_scopes,omitempty"`
	RetryAfter float64       `json:"retry_after_seconds,omitempty"`
	RequestID  string        `json:"request_id,omitempty"`
	Issues     []serverIssue `json:"issues,omitempty"`
}

// ProblemIn is an error as --json prints it.
func ProblemIn(err error) *ProblemJSON {
	problem := &ProblemJSON{Kind: KindOf(err), ExitCode: ExitCode(err), Message: OneLine(err.Error())}
	if cause, ok := windlass.FromProvider(err); ok {
		problem.Missing = cause.Missing()
		problem.RetryAfter = cause.RetryAfter.Seconds()
		problem.RequestID = cause.Provider.RequestID
	}
	if refused, ok := errors.AsType[*Refusal](err); ok {
		problem.RequestID, problem.Issues = refused.Problem.RequestID, refused.Problem.Issues
	}
	return problem
}

// TellJSON prints a value of numbers and strings on one line.
func TellJSON(w io.Writer, value any) {
	if line, err := json.Marshal(value); err == nil { // it cannot fail
		Tellf(w, "%s\n", line)
	}
}
