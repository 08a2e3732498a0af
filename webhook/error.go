package webhook

import (
	"errors"

	"windlass"
)

// The reasons for which a message is refused, for errors.Is.
var (
	// ErrMissing: a header is not there; it is probably no webhook at all.
	ErrMissing = errors.New("header missing")
	// ErrMalformed: a header, or an id to be signed, has the wrong form.
	ErrMalformed = errors.New("header malformed")
	// ErrMismatch: no signature fits: another secret, or other bytes.
	ErrMismatch = errors.New("no signature matches")
	// ErrTooOld: the message is genuine, but from before the tolerance: it
	// waited too long, it was replayed, or a clock is wrong.
	ErrTooOld = errors.New("sent too long ago")
	// ErrTooNew: the message is genuine, but from the future: a clock is wrong.
	ErrTooNew = errors.New("sent in the future")
	// ErrSecret: the secret itself cannot be used.
	ErrSecret = errors.New("secret unusable")
)

// Error says why a message cannot be signed or is not accepted. Its kind is
// windlass.Unauthorized for a message whose headers can be read and which is
// refused for what they say, windlass.Invalid otherwise.
type Error struct {
	// Reason is one of the errors above.
	Reason error
	// Header is the header that is at fault, if it is one.
	Header string
	// Message says what is wrong and Remedy what can be done, without secrets.
	Message, Remedy string
}

// Error returns the message and the remedy in one line.
func (e *Error) Error() string {
	text := "webhook: " + e.Message
	if e.Remedy != "" {
		text += ": " + e.Remedy
	}
	return text
}

// Unwrap returns the reason and the kind, for errors.Is.
func (e *Error) Unwrap() []error {
	for _, refusal := range []error{ErrMismatch, ErrTooOld, ErrTooNew} {
		if errors.Is(e.Reason, refusal) {
			return []error{e.Reason, windlass.Unauthorized}
		}
	}
	return []error{e.Reason, windlass.Invalid}
}
