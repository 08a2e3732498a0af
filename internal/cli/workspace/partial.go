package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"windlass"
	"windlass/internal/cli/command"
)

// partial is a file that is being filled: FILE.partial with its lines,
// FILE.partial.ids with the identities of their records and FILE.partial.state
// with the place they reach. It becomes FILE when it is
// complete and not before.
//
// The order on disk is what makes an interruption harmless: the lines of a page
// are synced before the state that counts them replaces the one before. Lines
// that no state counts are cut off by the next run.
type partial struct {
	path  string // what it will be called
	file  *os.File
	ids   *os.File
	state state
}

// openPartial opens the file for a request, locked against every other process.
// With resume, it goes on where an earlier read of the same request ended;
// request then takes over the times that one had worked out.
func openPartial(path string, req request, resume, force bool) (*partial, error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // what a link points at is replaced, not the link
	}
	if err := checkFree(path, resume, force); err != nil {
		return nil, err
	}
	p := &partial{path: path}
	if resume {
		// Before the file itself is opened, which would create it.
		if _, err := readState(p.statePath()); err != nil {
			return nil, err
		}
	}
	file, err := openLocked(p.partialPath())
	if err != nil {
		return nil, err
	}
	p.file = file
	if resume {
		err = p.restore(req)
	} else {
		err = p.reset(req, force)
	}
	if err != nil {
		_ = file.Close() // the first error is the one to tell
		return nil, err
	}
	return p, nil
}

func (p *partial) partialPath() string { return p.path + ".partial" }
func (p *partial) statePath() string   { return p.path + ".partial.state" }
func (p *partial) idsPath() string     { return p.path + ".partial.ids" }

// checkFree refuses to replace what the user may want to keep.
func checkFree(path string, resume, force bool) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return command.Internal("--output", err)
	case !info.Mode().IsRegular():
		return command.Invalidf("--output %s is not a regular file: leave --output out and redirect standard output instead", path)
	case resume:
		if _, err := os.Stat(path + ".partial.state"); err != nil {
			return command.Invalidf("--resume: %s is there already and complete; there is nothing to go on with", path)
		}
		return nil
	case !force:
		return &command.Failure{Kind: windlass.Conflict, Text: path + " exists already: choose another name, or replace it with --force"}
	}
	return nil
}

// reset begins from nothing. What an earlier read left behind goes first its
// state, then its lines: never a state that counts the lines of another read.
func (p *partial) reset(req request, force bool) error {
	if _, err := os.Stat(p.statePath()); err == nil && !force {
		return &command.Failure{Kind: windlass.Conflict, Text: "an interrupted read is kept in " + p.partialPath() + ": go on with it with --resume, or throw it away with --force"}
	}
	for _, path := range []string{p.statePath(), p.idsPath()} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return command.Internal("--output", err)
		}
	}
	info, err := p.file.Stat()
	if err == nil && info.Size() > 0 {
		err = p.file.Truncate(0)
	}
	if err != nil {
		return command.Internal("--output", err)
	}
	p.state = state{Version: stateVersion, Request: req, checkpoint: checkpoint{Size: -1}}
	return nil
}

// restore goes on where the state says.
func (p *partial) restore(req request) error {
	kept, err := readState(p.statePath())
	if err != nil {
		return err
	}
	if difference := kept.Request.difference(req); difference != "" {
		return command.Invalidf("--resume: %s was begun by another request: %s; give the same one, or start over with --force", p.partialPath(), difference)
	}
	info, err := p.file.Stat()
	if err != nil {
		return command.Internal("--resume", err)
	}
	if info.Size() < kept.Bytes {
		return command.Internal("--resume", fmt.Errorf("%s has %d bytes and should have %d: it was changed since; start over with --force", p.partialPath(), info.Size(), kept.Bytes))
	}
	if err := p.file.Truncate(kept.Bytes); err != nil {
		return command.Internal("--resume", err)
	}
	if _, err := p.file.Seek(kept.Bytes, 0); err != nil {
		return command.Internal("--resume", err)
	}
	p.state = kept
	return nil
}

func (p *partial) begin() checkpoint { return p.state.checkpoint }

func (p *partial) known() ([]byte, error) {
	if p.state.Identities == 0 {
		return nil, nil
	}
	ids, err := os.ReadFile(p.idsPath())
	if err == nil && int64(len(ids)) < p.state.Identities {
		err = fmt.Errorf("%s has %d bytes and should have %d: it was changed; start over with --force", p.idsPath(), len(ids), p.state.Identities)
	}
	if err != nil {
		return nil, command.Internal("--resume", err)
	}
	return ids[:p.state.Identities], nil
}

// identify puts the identities of a page's records behind those that the state
// counts, over what an interrupted run may have left there.
func (p *partial) identify(identities []byte) (err error) {
	if len(identities) == 0 {
		return nil
	}
	if p.ids == nil {
		if p.ids, err = os.OpenFile(p.idsPath(), os.O_WRONLY|os.O_CREATE, command.PrivateFile); err != nil {
			return err
		}
	}
	if _, err := p.ids.WriteAt(identities, p.state.Identities); err != nil {
		return err
	}
	return p.ids.Sync()
}

func (p *partial) page(lines, identities []byte, after checkpoint) error {
	if _, err := p.file.Write(lines); err != nil {
		return command.Internal("--output", err)
	}
	if err := errors.Join(p.file.Sync(), p.identify(identities)); err != nil {
		return command.Internal("--output", err)
	}
	next := p.state
	next.Bytes += int64(len(lines))
	next.Identities += int64(len(identities))
	next.checkpoint = after
	if err := next.save(p.statePath()); err != nil {
		return command.Internal("--output", err)
	}
	p.state = next
	return nil
}

// finish gives the file its name. The state goes last: were it gone first, an
// interruption in between would leave lines that cannot be resumed.
func (p *partial) finish() error {
	if err := p.file.Sync(); err != nil {
		return command.Internal("--output", err)
	}
	if err := os.Rename(p.partialPath(), p.path); err != nil {
		return command.Internal("--output", err)
	}
	if err := syncDir(filepath.Dir(p.path)); err != nil {
		return command.Internal("--output", err)
	}
	for _, path := range []string{p.statePath(), p.idsPath()} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return command.Internal("--output", err)
		}
	}
	return nil
}

func (p *partial) stop() string {
	if p.state.Records == 0 && p.state.Cursor == "" {
		// Nothing worth going on with: leave no trace of a mistyped workspace.
		_ = os.Remove(p.idsPath())
		_ = os.Remove(p.statePath())   // at worst an empty file stays,
		_ = os.Remove(p.partialPath()) // which the next run uses
		return ""
	}
	return fmt.Sprintf("%s are kept in %s: go on with the same command and --resume", command.Counted(p.state.Records, "record"), p.partialPath())
}

func (p *partial) close() error {
	if p.ids != nil {
		_ = p.ids.Close() // each page was synced
	}
	unlock(p.file)
	if err := p.file.Close(); err != nil {
		return command.Internal("--output", err)
	}
	return nil
}
