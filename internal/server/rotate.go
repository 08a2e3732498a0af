package server

import (
	"context"

	"windlass"
	"windlass/internal/seal"
)

// Rotation is what RotateKeyset did.
type Rotation struct {
	Sealed int    // secrets, under the new key
	Key    uint32 // the id of the key that seals now
	Source string // where the keyset is kept
	Made   bool   // the key is new; otherwise it was in the keyset's text already
}

// RotateKeyset gives the keyset of a config a new key, and seals every secret of its
// database anew. Servers may run on the same PostgreSQL database meanwhile; an SQLite
// file has to be free. It may be stopped anywhere, and repeated.
func RotateKeyset(ctx context.Context, config Config) (Rotation, error) {
	config, err := config.withDefaults()
	if err != nil {
		return Rotation{}, err
	}
	keyset, err := config.openKeyset()
	if err != nil {
		return Rotation{}, err
	}
	if keyset.Absent() {
		return Rotation{}, &windlass.Error{
			Kind: windlass.NotFound, Op: "rotate the keyset", Message: "there is no keyset in " + keyset.Source() + " yet",
			Remedy: "windlass serve makes one on its first start",
		}
	}
	opened, err := config.openStore(ctx)
	if err != nil {
		return Rotation{}, err
	}
	sealed, err := opened.Rotate(ctx)
	if closed := opened.Close(); err == nil {
		err = closed
	}
	if failure, ok := windlass.Own(err); ok && failure.Kind == windlass.Invalid && !keyset.CanRotate() {
		failure.Remedy = "windlass keyset next prints the one to set: start every process with it, and rotate then"
	}
	if err != nil {
		return Rotation{}, err
	}
	// The store has a keyset of its own: what it saved is read again.
	now, err := config.openKeyset()
	if err != nil {
		return Rotation{}, err
	}
	return Rotation{Sealed: sealed, Key: now.Primary(), Source: now.Source(), Made: now.Primary() != keyset.Primary()}, nil
}

// NewKeyset is the text of a keyset with one new key, for WINDLASS_KEYSET.
func NewKeyset() (windlass.Secret, error) {
	keyset, err := seal.New()
	if err != nil {
		return windlass.Secret{}, err
	}
	return keyset.Text()
}

// NextKeyset is the text of a config's keyset with a new key that seals, for a keyset
// that comes from text: every process is started with it, and then RotateKeyset
// called.
func NextKeyset(config Config) (windlass.Secret, error) {
	config, err := config.withDefaults()
	if err != nil {
		return windlass.Secret{}, err
	}
	keyset, err := config.openKeyset()
	if err != nil {
		return windlass.Secret{}, err
	}
	return keyset.Next()
}
