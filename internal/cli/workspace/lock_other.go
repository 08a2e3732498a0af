//go:build !unix

package workspace

import (
	"os"

	"windlass/internal/cli/command"
)

// openLocked opens a file. Where there is no flock, two processes that write the
// same file are not kept apart.
func openLocked(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, command.PrivateFile)
	if err != nil {
		return nil, command.Internal("--output", err)
	}
	return file, nil
}

// unlock does nothing where there is no lock.
func unlock(*os.File) {}

// syncDir does nothing: a folder cannot be synced here.
func syncDir(string) error { return nil }
