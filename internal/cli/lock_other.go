//go:build !unix

package cli

import "os"

// openLocked opens a file. Where there is no flock, two processes that write the
// same file are not kept apart.
func openLocked(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, privateFile)
	if err != nil {
		return nil, internal("--output", err)
	}
	return file, nil
}

// unlock does nothing where there is no lock.
func unlock(*os.File) {}

// syncDir does nothing: a folder cannot be synced here.
func syncDir(string) error { return nil }
