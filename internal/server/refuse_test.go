package server_test

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"windlass"
	"windlass/connector"
	"windlass/internal/server"
)

// scene is what a test spoils.
type scene struct {
	t      *testing.T
	config *server.Config
}

// A start that cannot be, says what is wrong and what to do, and leaves nothing
// open: the same start works once the cause is gone.
func TestStartThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		spoil func(s *scene) (mend func())
		kind  windlass.Kind
		says  []string
	}{
		{"a port in use", func(s *scene) func() {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				s.t.Fatal(err)
			}
			s.config.Addr = l.Addr().String()
			return func() { _ = l.Close() }
		}, windlass.Conflict, []string{"listen on 127.0.0.1:", "something else listens there already", "give another address"}},
		{"an address of another machine", func(s *scene) func() {
			s.config.Addr = "192.0.2.1:80"
			return nil
		}, windlass.Invalid, []string{"listen on 192.0.2.1:80", "give an address of this machine"}},
		{"a port in use for metrics", func(s *scene) func() {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				s.t.Fatal(err)
			}
			s.config.MetricsAddr = l.Addr().String()
			return func() { _ = l.Close() }
		}, windlass.Conflict, []string{"something else listens there already"}},
		{"a second process on one SQLite file", func(s *scene) func() {
			other, err := server.New(s.t.Context(), *s.config)
			if err != nil {
				s.t.Fatal(err)
			}
			return func() { _ = other.Close() }
		}, windlass.Conflict, []string{"another process is using it", "use PostgreSQL"}},
		{"a keyset that is missing", func(s *scene) func() {
			return moved(s.t, filepath.Join(s.config.DataDir, "keyset.json"), nil)
		}, windlass.Internal, []string{"keyset.json is missing", "restore the keyset"}},
		{"a keyset that is cut off", func(s *scene) func() {
			return moved(s.t, filepath.Join(s.config.DataDir, "keyset.json"), func(b []byte) []byte { return b[:len(b)/2] })
		}, windlass.Internal, []string{"keyset.json"}},
		{"another keyset", func(s *scene) func() {
			text, err := server.NewKeyset()
			if err != nil {
				s.t.Fatal(err)
			}
			return moved(s.t, filepath.Join(s.config.DataDir, "keyset.json"), func([]byte) []byte { return []byte(text.Reveal()) })
		}, windlass.Internal, []string{"keyset"}},
		{"a keyset that is no keyset", func(s *scene) func() {
			before := *s.config
			s.config.Keyset = windlass.NewSecret("hunter2")
			return func() { *s.config = before }
		}, windlass.Internal, []string{"the keyset WINDLASS_KEYSET is neither JSON nor base64"}},
		{"a database file that is corrupt", func(s *scene) func() {
			return moved(s.t, filepath.Join(s.config.DataDir, "windlass.db"), func(b []byte) []byte {
				return append(b[:100:100], bytes.Repeat([]byte("garbage!"), (len(b)-100)/8)...)
			})
		}, windlass.Internal, []string{"windlass.db"}},
		{"a database file that is something else", func(s *scene) func() {
			return moved(s.t, filepath.Join(s.config.DataDir, "windlass.db"), func([]byte) []byte { return []byte(strings.Repeat("Dear diary, ", 1000)) })
		}, windlass.Internal, []string{"windlass.db"}},
		{"a PostgreSQL that is not there", func(s *scene) func() {
			s.config.Database = windlass.NewSecret("postgres://u:hunter2@127.0.0.1:1/windlass?connect_timeout=2")
			return nil
		}, windlass.Unavailable, []string{"open the database postgres://127.0.0.1:1/windlass"}},
		{"an unknown role", func(s *scene) func() {
			s.config.Roles = []server.Role{"boss"}
			return func() { s.config.Roles = nil }
		}, windlass.Invalid, []string{"there is no role boss", "api and worker"}},
		{"a public URL without a scheme", func(s *scene) func() {
			s.config.PublicURL = "windlass.example.com"
			return func() { s.config.PublicURL = "" }
		}, windlass.Invalid, []string{"public URL"}},
		{"a Bitbucket in the clear", func(s *scene) func() {
			s.config.Endpoints = map[string]connector.Endpoints{"bitbucket": {API: "http://api.bitbucket.example/2.0"}}
			return func() { s.config.Endpoints = nil }
		}, windlass.Invalid, []string{"in the clear"}},
		{"the endpoints of a provider that there is not", func(s *scene) func() {
			s.config.Endpoints = map[string]connector.Endpoints{"gitforge": {API: "https://gitforge.example"}}
			return func() { s.config.Endpoints = nil }
		}, windlass.Invalid, []string{"there is no provider gitforge", "the providers are bitbucket"}},
		{"a time below zero", func(s *scene) func() {
			s.config.StopDeadline = -1
			return func() { s.config.StopDeadline = 0 }
		}, windlass.Invalid, []string{"negative"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			config := configOf(t, "sqlite")
			log := logged(&config)
			first := start(t, config) // so that there is something to spoil
			first.used(t)
			if err := first.end(); err != nil {
				t.Fatal(err)
			}
			mend := test.spoil(&scene{t, &config})
			_, err := server.New(t.Context(), config)
			if err == nil {
				t.Fatal("it started")
			}
			if !errors.Is(err, test.kind) {
				t.Errorf("the kind is not %s: %v", test.kind, err)
			}
			for _, part := range test.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("it does not say %q but: %v", part, err)
				}
			}
			if said := err.Error() + log.String(); strings.Contains(said, "hunter2") {
				t.Errorf("it shows a secret: %s", said)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("it is more than one line: %q", err.Error())
			}
			if mend == nil {
				return
			}
			mend()
			again := start(t, config)
			again.key = first.key
			if status, body := again.get(inProject + "/destinations"); status != 200 || !strings.Contains(body, "webhook") {
				t.Errorf("once it is mended: %d %s", status, body)
			}
		})
	}
}

// used puts something into the database that is sealed.
func (r *running) used(t *testing.T) {
	t.Helper()
	r.must("POST", inProject+"/destinations", map[string]any{
		"name": "webhook", "type": "webhook", "metadata": map[string]string{"url": "https://product.example.com/hooks"},
	}, nil)
}

// moved changes a file, or removes it where change is nil, until it is mended.
func moved(t *testing.T, path string, change func([]byte) []byte) (mend func()) {
	t.Helper()
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if change == nil {
		err = os.Remove(path)
	} else {
		err = os.WriteFile(path, change(before), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.WriteFile(path, before, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A disk that is full fails what is written, and nothing else; the server goes on
// by itself when there is room again.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		t.Skip("a small disk can be made by root on Linux only")
	}
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=4m", "none", dir).CombinedOutput(); err != nil {
		t.Skipf("a small disk cannot be made here: %s", out)
	}
	t.Cleanup(func() { _ = exec.Command("umount", "-l", dir).Run() })
	config := configOf(t, "sqlite")
	config.DataDir = filepath.Join(dir, "data")
	r := start(t, config)
	r.used(t)
	filler := filepath.Join(dir, "filler")
	fill(t, filler)
	destination := func(name string) (int, string) {
		return r.call("POST", inProject+"/destinations", map[string]any{
			"name": name, "type": "webhook", "metadata": map[string]any{"url": "https://product.example.com/hooks", "headers": map[string]string{"X-Long": strings.Repeat("x", 4000)}},
		}, nil)
	}
	var status int
	var body string
	for i := range 200 { // there may be room in the files already
		if status, body = destination("d" + strings.Repeat("x", i%50) + string(rune('a'+i/50))); status != 201 {
			break
		}
	}
	if status != 500 && status != 503 {
		t.Fatalf("on a full disk: %d %s", status, body)
	}
	if status, body := r.get(inProject + "/destinations/webhook"); status != 200 {
		t.Errorf("reading on a full disk: %d %s", status, body)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if status, body := destination("afterwards"); status != 201 {
		t.Errorf("with room again: %d %s", status, body)
	}
	if err := r.end(); err != nil {
		t.Error(err)
	}
	again := start(t, config)
	again.key = r.key
	if status, _ := again.get(inProject + "/destinations/afterwards"); status != 200 {
		t.Errorf("after another start: %d", status)
	}
}

// fill leaves no room on a disk.
func fill(t *testing.T, path string) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for block := 64 << 10; block >= 512; block /= 2 {
		for {
			if _, err := file.Write(make([]byte, block)); err != nil {
				break
			}
		}
	}
}
