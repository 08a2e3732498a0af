package windlass

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Error is how every part of Windlass says that something failed: connectors, the
// flows, the store, the command. errors.Is(err, NotFound) and the like ask for its
// kind; [FromProvider] and [Own] find the part of a chain that a provider or
// Windlass itself is responsible for.
type Error struct {
	// Kind decides what happens next.
	Kind Kind
	// Op says what was being done, as in "read repositories"; it may be empty.
	Op string
	// Message says what is wrong, and where: the provider's own text where it gave
	// one, ours otherwise. It shows no secret.
	Message string
	// Remedy says what the reader can do about it. It is a clause that begins in
	// lower case and has no final stop.
	Remedy string
	// Issues are the single things wrong with the input, where there are several.
	Issues []Issue
	// RetryAfter is how long to wait before trying again; zero when unknown.
	RetryAfter time.Duration
	// Provider is set in every error of a connector and of a call of a provider: what
	// is known of the answer, empty when none came. It is nil in errors of Windlass.
	Provider *ProviderDetails
	// Err is the cause, such as a network error.
	Err error
}

// ProviderDetails are the parts of a provider's answer to a call that failed.
type ProviderDetails struct {
	// Status is the HTTP status; zero when there was no answer.
	Status int
	// Fields holds what the provider said of single fields.
	Fields map[string][]string
	// Required and Granted are scopes, when a scope was missing.
	Required, Granted []string
	// RequestID is the provider's id of the request, for its support.
	RequestID string
}

// Issue is one thing wrong with the input.
type Issue struct {
	In      string // body, path, query or header
	Name    string // which part of it, as in "config.content.read"
	Message string
}

// Error returns one line: what was done, what is wrong, what to do.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Op != "" {
		b.WriteString(e.Op + ": ")
	}
	b.WriteString(e.text())
	if missing := e.Missing(); len(missing) > 0 {
		b.WriteString(" (missing scope: " + strings.Join(missing, ", ") + ")")
	}
	for _, issue := range e.allIssues() {
		b.WriteString(" (" + issue.Name + ": " + issue.Message + ")")
	}
	if e.Remedy != "" {
		b.WriteString("; " + e.Remedy)
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// text is what happened: the message or the cause, and the provider's status.
func (e *Error) text() string {
	said := e.Message
	if said == "" && e.Err != nil {
		said = e.Err.Error()
	}
	if said == "" {
		said = string(e.Kind)
	}
	if e.Provider != nil && e.Provider.Status != 0 {
		return fmt.Sprintf("%s (HTTP %d)", strings.TrimRight(said, "."), e.Provider.Status)
	}
	return said
}

// allIssues are ours and then what the provider said of single fields, in the order
// of their names, without what the message says already.
func (e *Error) allIssues() []Issue {
	issues := slices.Clone(e.Issues)
	if e.Provider == nil {
		return issues
	}
	for _, name := range slices.Sorted(maps.Keys(e.Provider.Fields)) {
		for _, problem := range e.Provider.Fields[name] {
			if problem != "" && !strings.Contains(e.Message, problem) {
				issues = append(issues, Issue{Name: name, Message: problem})
			}
		}
	}
	return issues
}

// Missing returns the scopes that the provider required and had not granted.
func (e *Error) Missing() []string {
	if e.Provider == nil {
		return nil
	}
	var missing []string
	for _, scope := range e.Provider.Required {
		if !slices.Contains(e.Provider.Granted, scope) {
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

// FromProvider finds the outermost error of the chain that came from a connector or
// a call of a provider.
func FromProvider(err error) (*Error, bool) {
	return find(err, func(e *Error) bool { return e.Provider != nil })
}

// Own finds the outermost error of the chain that Windlass itself states.
func Own(err error) (*Error, bool) {
	return find(err, func(e *Error) bool { return e.Provider == nil })
}

// RetryAfter returns the longest time to wait that any error of the chain asks for,
// by its RetryAfter or by a method Wait; zero when none does.
func RetryAfter(err error) time.Duration {
	var wait time.Duration
	walk(err, func(err error) bool {
		switch e := err.(type) { //nolint:errorlint // walk goes through the chain
		case *Error:
			wait = max(wait, e.RetryAfter)
		case interface{ Wait() time.Duration }:
			wait = max(wait, e.Wait())
		}
		return false
	})
	return wait
}

// find returns the first wanted error in the order of errors.As. It goes on below an
// error that is not wanted, which errors.As does not.
func find(err error, wanted func(*Error) bool) (found *Error, ok bool) {
	ok = walk(err, func(err error) bool {
		e, is := err.(*Error) //nolint:errorlint // walk goes through the chain
		if is && wanted(e) {
			found = e
			return true
		}
		return false
	})
	return found, ok
}

// walk visits an error and its causes, outermost first, until visit returns true.
func walk(err error, visit func(error) bool) bool {
	for err != nil {
		if visit(err) {
			return true
		}
		switch inner := err.(type) { //nolint:errorlint // this is what goes through the chain
		case interface{ Unwrap() error }:
			err = inner.Unwrap()
		case interface{ Unwrap() []error }:
			return slices.ContainsFunc(inner.Unwrap(), func(err error) bool { return walk(err, visit) })
		default:
			return false
		}
	}
	return false
}
