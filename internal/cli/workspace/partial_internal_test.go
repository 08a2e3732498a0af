package workspace

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"windlass"
	"windlass/internal/cli/command"
)

var someRequest = request{Object: "repositories", Workspace: "acme", APIURL: "https://api.example/2.0", Format: formatJSONL}

func open(t *testing.T, path string, req request, resume bool) *partial {
	t.Helper()
	p, err := openPartial(path, req, resume, false)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func write(t *testing.T, p *partial, lines string, at checkpoint) {
	t.Helper()
	if err := p.page([]byte(lines), nil, at); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func files(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return strings.Join(names, " ")
}

func TestPartialBecomesTheFileOnlyWhenFinished(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	p := open(t, path, someRequest, false)
	write(t, p, "a\n", checkpoint{Cursor: "1", Records: 1})
	if got := files(t, dir); got != "out.partial out.partial.state" {
		t.Errorf("while it is being written there are: %s", got)
	}
	write(t, p, "b\n", checkpoint{Records: 2, Done: true})
	if err := errors.Join(p.finish(), p.close()); err != nil {
		t.Fatal(err)
	}
	if got := files(t, dir); got != "out" {
		t.Errorf("afterwards there are: %s", got)
	}
	if got := read(t, path); got != "a\nb\n" {
		t.Errorf("it holds %q", got)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != command.PrivateFile {
		t.Errorf("its mode is %o", mode)
	}
}

func TestPartialCutsOffWhatNoStateCounts(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "out")
	p := open(t, path, someRequest, false)
	write(t, p, "a\nb\n", checkpoint{Cursor: "1", Records: 2, Requests: 1, Size: 3})
	// The process dies in the middle of the next page.
	if _, err := p.file.WriteString("c\nhal"); err != nil {
		t.Fatal(err)
	}
	_ = p.close()

	p = open(t, path, someRequest, true)
	if at := p.begin(); at != (checkpoint{Cursor: "1", Records: 2, Requests: 1, Size: 3}) {
		t.Errorf("goes on at %+v", at)
	}
	write(t, p, "c\n", checkpoint{Records: 3, Done: true})
	if err := errors.Join(p.finish(), p.close()); err != nil {
		t.Fatal(err)
	}
	if got := read(t, path); got != "a\nb\nc\n" {
		t.Errorf("it holds %q", got)
	}
}

func TestPartialBegunAnewForgetsTheOneBefore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	p := open(t, path, someRequest, false)
	write(t, p, "old\n", checkpoint{Cursor: "1", Records: 1})
	_ = p.close()

	if _, err := openPartial(path, someRequest, false, false); !errors.Is(err, windlass.Conflict) || !strings.Contains(err.Error(), "--resume") {
		t.Errorf("without a word it said %v", err)
	}
	p, err := openPartial(path, someRequest, false, true)
	if err != nil {
		t.Fatal(err)
	}
	if got := files(t, dir); got != "out.partial" {
		t.Errorf("there are: %s", got)
	}
	write(t, p, "new\n", checkpoint{Cursor: "2", Records: 1})
	_ = p.close()
	if got := read(t, path+".partial"); got != "new\n" {
		t.Errorf("it holds %q", got)
	}
}

func TestPartialWithNothingInItLeavesNoTrace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := open(t, filepath.Join(dir, "out"), someRequest, false)
	if said := p.stop(); said != "" {
		t.Errorf("said %q", said)
	}
	_ = p.close()
	if got := files(t, dir); got != "" {
		t.Errorf("there are: %s", got)
	}
}

func TestPartialOnADiskThatFillsUpKeepsWhatIsWhole(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("there is no /dev/full here")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	p := open(t, path, someRequest, false)
	write(t, p, "a\n", checkpoint{Cursor: "1", Records: 1})
	there := p.file
	p.file = full
	err = p.page([]byte("b\n"), nil, checkpoint{Cursor: "2", Records: 2})
	if !errors.Is(err, windlass.Internal) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got error %v", err)
	}
	if said := p.stop(); !strings.Contains(said, "1 record") || !strings.Contains(said, "--resume") {
		t.Errorf("said %q", said)
	}
	_ = errors.Join(p.close(), there.Close())
	if got := files(t, dir); got != "out.partial out.partial.state" {
		t.Errorf("there are: %s", got)
	}
	if at := open(t, path, someRequest, true).begin(); at.Cursor != "1" {
		t.Errorf("goes on at %+v", at)
	}
}

func TestPartialIsForOneProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "out")
	p := open(t, path, someRequest, false)
	write(t, p, "a\n", checkpoint{Cursor: "1", Records: 1})
	for _, resume := range []bool{false, true} {
		_, err := openPartial(path, someRequest, resume, false)
		if !errors.Is(err, windlass.Conflict) || !strings.Contains(err.Error(), "another windlass") {
			t.Errorf("resume %v: got error %v", resume, err)
		}
	}
	if got := read(t, path+".partial"); got != "a\n" {
		t.Errorf("the first one's file holds %q", got)
	}
	_ = p.close()
	_ = open(t, path, someRequest, true).close()
}

func TestPartialRefuses(t *testing.T) {
	t.Parallel()
	interrupted := func(t *testing.T, path string) {
		t.Helper()
		p := open(t, path, someRequest, false)
		write(t, p, "a\n", checkpoint{Cursor: "1", Records: 1})
		_ = p.close()
	}
	put := func(t *testing.T, path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), command.PrivateFile); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name   string
		before func(t *testing.T, path string)
		path   string // instead of a new file
		resume bool
		kind   windlass.Kind
		says   string
	}{
		{name: "a file that is there", before: func(t *testing.T, path string) { t.Helper(); put(t, path, "x") }, kind: windlass.Conflict, says: "--force"},
		{name: "a device", path: os.DevNull, kind: windlass.Invalid, says: "not a regular file"},
		{name: "a folder", path: ".", kind: windlass.Invalid, says: "not a regular file"},
		{name: "a folder that is not there", path: "no/such/folder", kind: windlass.Internal, says: "no/such/folder"},
		{name: "to resume nothing", resume: true, kind: windlass.Invalid, says: "start it without --resume"},
		{name: "to resume what is complete", before: func(t *testing.T, path string) { t.Helper(); put(t, path, "x") }, resume: true, kind: windlass.Invalid, says: "complete"},
		{name: "a state that is damaged", before: func(t *testing.T, path string) {
			t.Helper()
			interrupted(t, path)
			put(t, path+".partial.state", `{"version":1,"by`)
		}, resume: true, kind: windlass.Internal, says: "damaged"},
		{name: "a state of another version", before: func(t *testing.T, path string) {
			t.Helper()
			interrupted(t, path)
			put(t, path+".partial.state", `{"version":2}`)
		}, resume: true, kind: windlass.Internal, says: "another version"},
		{name: "lines that were removed", before: func(t *testing.T, path string) {
			t.Helper()
			interrupted(t, path)
			put(t, path+".partial", "")
		}, resume: true, kind: windlass.Internal, says: "has 0 bytes and should have 2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := test.path
			if path == "" {
				path = filepath.Join(t.TempDir(), "out")
			}
			if test.before != nil {
				test.before(t, path)
			}
			p, err := openPartial(path, someRequest, test.resume, false)
			if err == nil {
				_ = p.close()
			}
			if !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got error %v, want one of kind %q that says %q", err, test.kind, test.says)
			}
			if test.path == "" && test.resume {
				if _, err := os.Stat(path + ".partial"); err == nil && test.before == nil {
					t.Error("it left a file behind")
				}
			}
		})
	}
}

func TestRequestsDiffer(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	since := func(typed string, at time.Time) request {
		r := someRequest
		r.Since = moment{typed, at}
		return r
	}
	with := func(change func(*request)) request {
		r := someRequest
		change(&r)
		return r
	}
	for _, test := range []struct {
		name      string
		then, now request
		says      string
	}{
		{"not at all", someRequest, someRequest, ""},
		{"in the object", someRequest, with(func(r *request) { r.Object = "hooks" }), `object was "repositories" then and is "hooks" now`},
		{"in the workspace", someRequest, with(func(r *request) { r.Workspace = "b" }), "--workspace"},
		{"in the fields", someRequest, with(func(r *request) { r.Fields = []string{"a", "b"} }), `--fields was "" then and is "a,b" now`},
		{"in the format", someRequest, with(func(r *request) { r.Format = "csv" }), "--format"},
		{"in the role", someRequest, with(func(r *request) { r.Role = "owner" }), "--role"},
		{"in the limit", someRequest, with(func(r *request) { r.Limit = 3 }), "--limit"},
		{"in the API", someRequest, with(func(r *request) { r.APIURL = "x" }), "--api-url"},
		{"in the time", since("24h", noon), since("48h", noon.Add(-24*time.Hour)), `--since was "24h" then and is "48h" now`},
		{"in having a time", someRequest, since("24h", noon), `--since was "none" then`},
		{"not when 24h is typed an hour later", since("24h", noon), since("24h", noon.Add(time.Hour)), ""},
		{"not when one time is written in two ways", since("24h", noon), since("2026-01-01T12:00:00Z", noon), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := test.then.difference(test.now)
			if (test.says == "") != (got == "") || !strings.Contains(got, test.says) {
				t.Errorf("got %q, want %q", got, test.says)
			}
		})
	}
}
