// Package seal encrypts secrets: authenticated encryption (AES-256-GCM) under
// a [Keyset], which can be rotated.
//
// A keyset comes from a file that only its owner may read, which is made on
// first use, or from text such as an environment variable's. It is the one thing
// that is needed to read a backup of the database, and it is not in the
// database: keep a copy of it.
//
// A sealed value names the key it is under, and opens only together with what it
// was sealed about: put a row's table, column and id there, and a value that was
// moved to another row does not open (invariant 5).
//
// A keyset of the file format "Tink keyset, JSON, cleartext" is what is read and
// written, so that Tink's own tools can make and inspect one.
package seal

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"windlass"
)

// A Keyset seals with its primary key and opens with any of its keys. Goroutines
// may share it.
type Keyset struct {
	source string // how messages name it
	path   string // of its file; empty when it has none

	mu     sync.RWMutex
	handle *keyset.Handle // nil while its file is still to be made
	box    tink.AEAD
}

// New makes a keyset that is kept nowhere. See [Keyset.Text].
func New() (*Keyset, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make a keyset: %w", err)
	}
	k := &Keyset{source: inMemory}
	return k, k.use(handle)
}

// FromText reads a keyset from JSON, or from base64 of JSON. The source says in
// messages where the text came from, as in "WINDLASS_KEYSET".
func FromText(source, text string) (*Keyset, error) {
	k := &Keyset{source: source}
	if err := k.read([]byte(text)); err != nil {
		return nil, err
	}
	return k, nil
}

// Text is the keyset as FromText takes it. It opens every sealed secret.
func (k *Keyset) Text() (windlass.Secret, error) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	data, err := k.write()
	return windlass.NewSecret(string(data)), err
}

// Source says where the keyset is from.
func (k *Keyset) Source() string { return k.source }

// Primary is the id of the key that seals; 0 while the keyset is absent.
func (k *Keyset) Primary() uint32 {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.handle == nil {
		return 0
	}
	return k.handle.KeysetInfo().GetPrimaryKeyId()
}

// Seal encrypts a value. The same about is needed to open it.
func (k *Keyset) Seal(plain, about []byte) ([]byte, error) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.box == nil {
		return nil, k.failure("the keyset %s has not been made yet", k.source)
	}
	return k.box.Encrypt(plain, about)
}

// Open decrypts a sealed value. When another process has rotated the keyset's file
// in the meantime, it is read again.
func (k *Keyset) Open(sealed, about []byte) ([]byte, error) {
	if id, ok := KeyOf(sealed); ok && !k.Has(id) && k.path != "" {
		if err := k.load(); errors.Is(err, errAbsent) {
			return nil, k.failure("the keyset %s is gone", k.source)
		} else if err != nil {
			return nil, err
		}
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	if k.box == nil {
		return nil, k.failure("the keyset %s has not been made yet", k.source)
	}
	plain, err := k.box.Decrypt(sealed, about)
	if err != nil {
		// Tink's error says no more than this one, and nothing about the value.
		return nil, k.failure("a value sealed about %q does not open with the keyset %s: it was sealed under another key, or changed", about, k.source)
	}
	return plain, nil
}

// Has reports whether the keyset holds a key.
func (k *Keyset) Has(id uint32) bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return slices.Contains(k.ids(), id)
}

// KeyOf is the id of the key that a value was sealed under, if it is a sealed
// value at all. It stands in the value's first five bytes (Prefix).
func KeyOf(sealed []byte) (id uint32, ok bool) {
	if len(sealed) < 5 || sealed[0] != 1 {
		return 0, false
	}
	return binary.BigEndian.Uint32(sealed[1:5]), true
}

// Prefix is the first bytes of every value that was sealed under a key.
func Prefix(id uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{1}, id)
}

func (k *Keyset) ids() []uint32 {
	var ids []uint32
	if k.handle != nil {
		for _, key := range k.handle.KeysetInfo().GetKeyInfo() {
			ids = append(ids, key.GetKeyId())
		}
	}
	return ids
}

// use makes a handle the keyset's. The caller holds mu, or is alone.
func (k *Keyset) use(handle *keyset.Handle) error {
	box, err := aead.New(handle)
	if err != nil {
		return k.failure("the keyset %s holds no keys for sealing", k.source)
	}
	k.handle, k.box = handle, box
	return nil
}

func (k *Keyset) read(data []byte) error {
	trimmed := bytes.TrimSpace(data)
	if len(trimmed) > 0 && trimmed[0] != '{' {
		decoded, err := base64.StdEncoding.DecodeString(string(trimmed))
		if err != nil {
			return k.failure("the keyset %s is neither JSON nor base64 of it", k.source)
		}
		trimmed = decoded
	}
	if len(trimmed) == 0 {
		return k.failure("the keyset %s is empty", k.source)
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(trimmed)))
	if err != nil {
		// The library's error may quote what it read, which is a secret.
		return k.failure("the keyset %s is cut off, or not a keyset", k.source)
	}
	return k.use(handle)
}

func (k *Keyset) write() ([]byte, error) {
	if k.handle == nil {
		return nil, k.failure("the keyset %s has not been made yet", k.source)
	}
	var data bytes.Buffer
	if err := insecurecleartextkeyset.Write(k.handle, keyset.NewJSONWriter(&data)); err != nil {
		return nil, k.failure("the keyset %s cannot be written as text", k.source)
	}
	return append(bytes.TrimSpace(data.Bytes()), '\n'), nil
}

func (k *Keyset) failure(format string, args ...any) *windlass.Error {
	remedy := "restore the keyset that this installation was started with"
	if k.path == "" && strings.HasPrefix(k.source, "WINDLASS") {
		remedy = "set it to the keyset that this installation was started with"
	}
	return &windlass.Error{Kind: windlass.Internal, Message: fmt.Sprintf(format, args...), Remedy: remedy}
}

const inMemory = "made in memory"

var errAbsent = errors.New("the file does not exist")
