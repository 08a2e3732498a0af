package windlass

import (
	"strings"
	"time"
)

// Failure is how Windlass's own parts say that something failed: the flows, the
// store, the command. What a provider said is a *connector.Error, which a
// Failure may wrap. errors.Is(err, NotFound) and the like ask for its kind.
type Failure struct {
	// Kind decides what happens next.
	Kind Kind
	// Op says what was being done, as in "create the connection"; it may be empty.
	Op string
	// Message says what is wrong, and where. It shows no secret.
	Message string
	// Remedy says what somebody can do about it. It is a clause that begins in
	// lower case and has no final stop.
	Remedy string
	// Issues are the single things wrong with the input, where there are several.
	Issues []Issue
	// RetryAfter is how long to wait before trying again; zero when unknown.
	RetryAfter time.Duration
	// Err is the cause.
	Err error
}

// Issue is one thing wrong with the input.
type Issue struct {
	In      string // body, path, query or header
	Name    string // which part of it, as in "config.content.read"
	Message string
}

// Error returns one line: what was done, what is wrong, what to do.
func (f *Failure) Error() string {
	var b strings.Builder
	if f.Op != "" {
		b.WriteString(f.Op + ": ")
	}
	switch {
	case f.Message != "":
		b.WriteString(f.Message)
	case f.Err != nil:
		b.WriteString(f.Err.Error())
	default:
		b.WriteString(string(f.Kind))
	}
	for _, issue := range f.Issues {
		b.WriteString(" (" + issue.Name + ": " + issue.Message + ")")
	}
	if f.Remedy != "" {
		b.WriteString("; " + f.Remedy)
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// Unwrap returns the kind and the cause, for errors.Is and errors.As.
func (f *Failure) Unwrap() []error {
	errs := []error{f.Kind}
	if f.Err != nil {
		errs = append(errs, f.Err)
	}
	return errs
}
