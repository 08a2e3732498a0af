// Package ids makes ids and texts that cannot be guessed.
package ids

import (
	"crypto/rand"
	"encoding/base32"
	"strings"

	"github.com/google/uuid"
)

// New returns an id that sorts by the time it was made.
func New() string {
	id, err := uuid.NewV7()
	if err != nil {
		id = uuid.New() // the system's random source has failed once: an id that does not sort will do
	}
	return id.String()
}

// Text returns random bytes as lower-case letters and digits, so that a double click
// selects a whole key. A multiple of five bytes needs no padding.
func Text(bytes int) string {
	random := make([]byte, bytes)
	rand.Read(random) // it never fails: it ends the program instead
	return strings.ToLower(base32.StdEncoding.EncodeToString(random))
}
