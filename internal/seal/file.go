package seal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"windlass"
)

// FromFile reads a keyset from a file that only its owner may read. When
// there is no such file the keyset is absent: see [Keyset.Create].
func FromFile(path string) (*Keyset, error) {
	k := &Keyset{source: "in " + path, path: path}
	if err := k.load(); err != nil && !errors.Is(err, errAbsent) {
		return nil, err
	}
	return k, nil
}

// Absent reports whether the keyset's file does not exist yet.
func (k *Keyset) Absent() bool {
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.handle == nil
}

// Create makes the file of an absent keyset, with one new key in it and mode
// 0600. If another process made it in the meantime, that one is read.
func (k *Keyset) Create() error {
	if !k.Absent() {
		return nil
	}
	fresh, err := New()
	if err != nil {
		return err
	}
	data, err := fresh.write()
	if err != nil {
		return err
	}
	temporary, err := writeBeside(k.path, data)
	if err != nil {
		return k.fileFailure("make", err)
	}
	defer os.Remove(temporary) //nolint:errcheck // it is a second name of the file, or of nothing
	// A link, unlike a rename, never replaces a keyset that came first.
	if err := os.Link(temporary, k.path); err != nil && !errors.Is(err, fs.ErrExist) {
		return k.fileFailure("make", err)
	}
	syncFolder(k.path)
	return k.load()
}

// load reads the file, and leaves the keyset as it was if that fails.
func (k *Keyset) load() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	info, err := os.Stat(k.path)
	if errors.Is(err, fs.ErrNotExist) {
		return errAbsent
	}
	if err != nil {
		return k.fileFailure("read", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		failure := k.failure("the keyset %s may be read by others (its mode is %#o)", k.source, mode)
		failure.Remedy = "run chmod 600 " + k.path + ", and rotate the keyset if others may have read it"
		return failure
	}
	data, err := os.ReadFile(k.path)
	if err != nil {
		return k.fileFailure("read", err)
	}
	return k.read(data)
}

// save replaces the file with the keyset, atomically.
func (k *Keyset) save() error {
	data, err := k.write()
	if err != nil {
		return err
	}
	temporary, err := writeBeside(k.path, data)
	if err != nil {
		return k.fileFailure("write", err)
	}
	if err := os.Rename(temporary, k.path); err != nil {
		return errors.Join(k.fileFailure("write", err), os.Remove(temporary))
	}
	syncFolder(k.path)
	return nil
}

// writeBeside writes a new file of mode 0600 in the folder of path and makes it
// durable: what is sealed under a key that is lost with the power is lost.
func writeBeside(path string, data []byte) (name string, err error) {
	file, err := os.CreateTemp(filepath.Dir(path), ".keyset-*")
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(file.Name()))
		}
	}()
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	return file.Name(), errors.Join(err, file.Close())
}

// syncFolder makes a new name durable, where the platform can.
func syncFolder(path string) {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return
	}
	defer folder.Close() //nolint:errcheck // only read
	_ = folder.Sync()    // some file systems cannot; the file itself is synced
}

func (k *Keyset) fileFailure(verb string, err error) *windlass.Error {
	return &windlass.Error{
		Kind: windlass.Internal, Op: verb + " the keyset " + k.source, Err: err,
		Remedy: "check that the folder exists, has room, and belongs to the user that runs windlass",
	}
}
