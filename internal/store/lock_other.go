//go:build !unix

package store

import (
	"errors"
	"io"
	"os"
)

// lockFile takes a file for this process. Windows does not remove a file that is
// open: what is there and cannot be removed is in use.
func lockFile(path string) (io.Closer, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, errLocked
	}
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
}
