package connector

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"windlass"
)

// Error is how every connector says that something failed. errors.Is(err,
// windlass.NotFound) and the like ask for its kind.
type Error struct {
	// Kind decides what happens next.
	Kind windlass.Kind
	// Op says what was being done, as in "read repositories".
	Op string
	// Status is the provider's HTTP status; zero when there was no answer.
	Status int
	// Message is the provider's own text, or ours when the provider gave none.
	Message string
	// Fields holds what the provider said of single fields.
	Fields map[string][]string
	// Required and Granted are scopes, when a scope was missing.
	Required, Granted []string
	// Remedy says what somebody can do about it. It is a clause that begins in
	// lower case and has no final stop.
	Remedy string
	// RetryAfter is how long to wait before trying again; zero when unknown.
	RetryAfter time.Duration
	// RequestID is the provider's id of the request, for its support.
	RequestID string
	// Err is the cause, such as a network error.
	Err error
}

// Error returns one line: what was done, what came of it, what to do.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Op != "" {
		b.WriteString(e.Op + ": ")
	}
	b.WriteString(e.text())
	if missing := e.Missing(); len(missing) > 0 {
		b.WriteString(" (missing scope: " + strings.Join(missing, ", ") + ")")
	}
	for _, name := range slices.Sorted(maps.Keys(e.Fields)) {
		for _, problem := range e.Fields[name] {
			if problem != "" && !strings.Contains(e.Message, problem) {
				fmt.Fprintf(&b, " (%s: %s)", name, problem)
			}
		}
	}
	if e.Remedy != "" {
		b.WriteString("; " + e.Remedy)
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// text is what happened: the status and the provider's words, or the cause.
func (e *Error) text() string {
	said := e.Message
	if said == "" && e.Err != nil {
		said = e.Err.Error()
	}
	if said == "" {
		said = string(e.Kind)
	}
	if e.Status != 0 {
		return fmt.Sprintf("%s (HTTP %d)", strings.TrimRight(said, "."), e.Status)
	}
	return said
}

// Missing returns the scopes that were required and not granted.
func (e *Error) Missing() []string {
	var missing []string
	for _, scope := range e.Required {
		if !slices.Contains(e.Granted, scope) {
			missing = append(missing, scope)
		}
	}
	return missing
}

// Unwrap returns the kind and the cause, for errors.Is and errors.As.
func (e *Error) Unwrap() []error {
	errs := []error{e.Kind}
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	return errs
}
