package workspace

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"windlass"
	"windlass/internal/cli/command"
)

const stateVersion = 1

// state is what FILE.partial.state holds. It holds no credential, so that a
// read may go on with a newer one.
type state struct {
	Version int     `json:"version"`
	Request request `json:"request"`
	// Bytes of FILE.partial are what the checkpoint counts.
	Bytes int64 `json:"bytes"`
	// Identities is how many bytes of FILE.partial.ids it counts. Version 1 wrote
	// states without any, for reads that then count by lines.
	Identities int64 `json:"identities,omitempty"`
	checkpoint
}

// request is what makes two reads the same.
type request struct {
	Object    string   `json:"object"`
	Workspace string   `json:"workspace,omitempty"`
	APIURL    string   `json:"api_url"`
	Role      string   `json:"role,omitempty"`
	Fields    []string `json:"fields,omitempty"`
	Format    string   `json:"format"`
	Limit     int      `json:"limit,omitempty"`
	Since     moment   `json:"since,omitzero"`
	Until     moment   `json:"until,omitzero"`
}

// moment is a time as it was typed, and as it was understood then. "24h" means
// the same request an hour later, with the time it meant at first.
type moment struct {
	Typed string    `json:"typed"`
	Time  time.Time `json:"time"`
}

func (m moment) String() string {
	if m.Typed == "" {
		return "none"
	}
	return m.Typed
}

// same reports whether two moments are one: typed alike, or the same time
// written in two ways.
func (m moment) same(other moment) bool { return m.Typed == other.Typed || m.Time.Equal(other.Time) }

// difference says in what the request that comes now differs, or "".
func (r request) difference(now request) string {
	for _, part := range []struct {
		name      string
		same      bool
		then, now string
	}{
		{"object", r.Object == now.Object, r.Object, now.Object},
		{"--workspace", r.Workspace == now.Workspace, r.Workspace, now.Workspace},
		{"--api-url", r.APIURL == now.APIURL, r.APIURL, now.APIURL},
		{"--role", r.Role == now.Role, r.Role, now.Role},
		{"--fields", strings.Join(r.Fields, ",") == strings.Join(now.Fields, ","), strings.Join(r.Fields, ","), strings.Join(now.Fields, ",")},
		{"--format", r.Format == now.Format, r.Format, now.Format},
		{"--limit", r.Limit == now.Limit, fmt.Sprint(r.Limit), fmt.Sprint(now.Limit)},
		{"--since", r.Since.same(now.Since), r.Since.String(), now.Since.String()},
		{"--until", r.Until.same(now.Until), r.Until.String(), now.Until.String()},
	} {
		if !part.same {
			return fmt.Sprintf("%s was %q then and is %q now", part.name, part.then, part.now)
		}
	}
	return ""
}

// readState reads the state of an interrupted read.
func readState(path string) (state, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return state{}, &command.Failure{Kind: windlass.Invalid, Text: "--resume: there is no interrupted read to go on with (no " + path + "); start it without --resume"}
	}
	if err != nil {
		return state{}, command.Internal("--resume", err)
	}
	var s state
	if err := json.Unmarshal(data, &s); err != nil {
		return state{}, command.Internal("--resume", fmt.Errorf("%s is damaged (%w): start over with --force", path, err))
	}
	if s.Version != stateVersion || s.Bytes < 0 || s.Records < 0 || s.Identities < 0 {
		return state{}, command.Internal("--resume", fmt.Errorf("%s is of another version: start over with --force", path))
	}
	return s, nil
}

// save replaces the state as a whole: a reader sees the one before or this one.
func (s *state) save(path string) (err error) {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	temporary := path + ".new"
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, command.PrivateFile)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temporary) // the first error is the one to tell
		}
	}()
	_, err = file.Write(append(data, '\n'))
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(temporary, path)
}
