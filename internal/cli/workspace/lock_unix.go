//go:build unix

package workspace

import (
	"errors"
	"os"
	"syscall"

	"windlass"
	"windlass/internal/cli/command"
)

// openLocked opens a file for one process alone; the lock goes with the file.
func openLocked(path string) (*os.File, error) {
	for {
		file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, command.PrivateFile)
		if err != nil {
			return nil, command.Internal("--output", err)
		}
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			_ = file.Close() // nothing was written
			return nil, &command.Failure{Kind: windlass.Conflict, Text: path + " is being written by another windlass: wait for it, or choose another --output"}
		}
		if err != nil {
			_ = file.Close() // nothing was written
			return nil, command.Internal("--output: cannot lock "+path, err)
		}
		// Between our opening and locking it, another process may have finished
		// and given the file its final name: that one is not ours to change.
		ours, err := file.Stat()
		if err != nil {
			_ = file.Close() // nothing was written
			return nil, command.Internal("--output", err)
		}
		if there, err := os.Stat(path); err == nil && os.SameFile(ours, there) {
			return file, nil
		}
		_ = file.Close() // nothing was written
	}
}

// unlock gives the lock up before the file is closed: a program that this one is
// just starting holds a copy of the file for a moment, and the lock with it.
func unlock(file *os.File) {
	_ = syscall.Flock(int(file.Fd()), syscall.LOCK_UN) // closing is what counts
}

// syncDir makes a rename in a folder durable.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }() // nothing was written through it
	return dir.Sync()
}
