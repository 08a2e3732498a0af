package seal

import (
	"slices"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"windlass"
)

// CanRotate reports whether Rotate can keep its result: the keyset is a file, or
// is kept nowhere. One from text cannot be changed where it came from.
func (k *Keyset) CanRotate() bool { return k.path != "" || k.source == inMemory }

// Rotate adds a new key, which seals from now on, and saves the file before it
// is used. The older keys stay and open what they sealed, but for those that
// drop names.
func (k *Keyset) Rotate(drop func(id uint32) bool) error {
	if !k.CanRotate() {
		return &windlass.Error{
			Kind: windlass.Invalid, Op: "rotate the keyset",
			Message: "the keyset comes from " + k.source + ", which cannot be changed from here",
			Remedy:  "set it to the keyset with a new key in it, and rotate again",
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	before, box := k.handle, k.box
	err := k.next(drop)
	if err == nil && k.path != "" {
		err = k.save()
	}
	if err != nil {
		k.handle, k.box = before, box
	}
	return err
}

// Next is the text of the keyset with a new key that seals, for a keyset that
// comes from text. The keyset itself stays as it is.
func (k *Keyset) Next() (windlass.Secret, error) {
	k.mu.RLock()
	next := &Keyset{source: k.source, handle: k.handle, box: k.box}
	k.mu.RUnlock()
	if err := next.next(func(uint32) bool { return false }); err != nil {
		return windlass.Secret{}, err
	}
	return next.Text()
}

func (k *Keyset) next(drop func(id uint32) bool) error {
	if k.handle == nil {
		return k.failure("the keyset %s has not been made yet", k.source)
	}
	manager := keyset.NewManagerFromHandle(k.handle)
	id, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err == nil {
		err = manager.SetPrimary(id)
	}
	for _, old := range slices.DeleteFunc(k.ids(), func(id uint32) bool { return !drop(id) }) {
		if err == nil {
			err = manager.Delete(old)
		}
	}
	if err != nil {
		return k.failure("the keyset %s cannot take a new key", k.source)
	}
	handle, err := manager.Handle()
	if err != nil {
		return k.failure("the keyset %s cannot take a new key", k.source)
	}
	return k.use(handle)
}
