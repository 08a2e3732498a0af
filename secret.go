package windlass

import (
	"encoding/json"
	"fmt"
	"log/slog"
)

// Secret is a string that must not be seen: a token, a client secret, a key. It
// prints, logs and marshals as a row of dots, so that a struct which holds one
// can be printed and logged (invariant 5). Reveal gives the string.
//
// The zero value is no secret, and prints as nothing.
type Secret struct{ value string }

const hidden = "•••"

// NewSecret makes a Secret of a string.
func NewSecret(value string) Secret { return Secret{value: value} }

// Reveal returns the string itself. Each call is a place to look at when a
// secret has leaked.
func (s Secret) Reveal() string { return s.value }

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.value == "" }

// String returns dots, or nothing for the zero value.
func (s Secret) String() string {
	if s.value == "" {
		return ""
	}
	return hidden
}

// GoString returns what String returns, for %#v.
func (s Secret) GoString() string { return fmt.Sprintf("windlass.Secret(%q)", s.String()) }

// LogValue returns what String returns.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON writes what String returns.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// UnmarshalJSON reads a string.
func (s *Secret) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &s.value) }
