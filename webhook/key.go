package webhook

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"windlass"
)

const (
	prefix = "whsec_"
	// The bounds are those of the Standard Webhooks specification.
	minKey = 24
	maxKey = 64
	newKey = 32 // as long as the output of SHA-256
)

// NewSecret makes the secret of a destination: whsec_ and 256 random bits in
// base64.
func NewSecret() windlass.Secret {
	key := make([]byte, newKey)
	rand.Read(key) // it never fails: it ends the program instead, as its documentation says
	return windlass.NewSecret(prefix + base64.StdEncoding.EncodeToString(key))
}

// Key is a secret that is ready for use. However it is printed or logged, it
// does not show. The zero value is no key: nothing is signed or verified with it.
type Key struct {
	// A function, because fmt prints the other fields of a struct without calling the
	// methods below, once that struct is itself an unexported field.
	bytes func() []byte
}

// ParseKey reads a secret: whsec_ and 24 to 64 bytes in base64. Spaces around
// it do not count. The error does not repeat it.
func ParseKey(secret string) (Key, error) {
	const remedy = "copy the whole secret of the destination, from whsec_ to its end"
	encoded, found := strings.CutPrefix(strings.TrimSpace(secret), prefix)
	if !found {
		return Key{}, &Error{Reason: ErrSecret, Message: "the secret does not begin with " + prefix, Remedy: remedy}
	}
	key, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return Key{}, &Error{Reason: ErrSecret, Message: "the secret is not base64 behind " + prefix, Remedy: remedy}
	}
	if len(key) < minKey || len(key) > maxKey {
		return Key{}, &Error{
			Reason: ErrSecret, Message: fmt.Sprintf("the secret has %d bytes instead of %d to %d", len(key), minKey, maxKey), Remedy: remedy,
		}
	}
	return Key{bytes: func() []byte { return key }}, nil
}

// IsZero reports whether there is no key.
func (k Key) IsZero() bool { return k.bytes == nil }

// String returns a text that says that there is a key, and not which.
func (k Key) String() string {
	if k.IsZero() {
		return "no key"
	}
	return prefix + "•••"
}

// Format writes what String returns, whatever the verb.
func (k Key) Format(out fmt.State, _ rune) {
	_, _ = io.WriteString(out, k.String()) // fmt keeps the error, if its writer has one
}

// MarshalText hides the key from JSON and from loggers, too.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

func noKey() *Error {
	return &Error{Reason: ErrSecret, Message: "there is no secret", Remedy: "make one with NewSecret, and a key of it with ParseKey"}
}
