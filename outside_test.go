package windlass_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A program outside of this module is made and built by the README's own
// commands: the module's path has no host, and only a replace line makes it
// importable.
func TestAProgramOutsideOfTheModuleBuildsAsTheREADMESays(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(readme), "\n## As a library\n")
	if !found {
		t.Fatal(`README.md has no section "As a library"`)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	program := block(t, section, "go")

	// The clone stands beside the program, as the README has it.
	folder := t.TempDir()
	if err := os.Symlink(root, filepath.Join(folder, "windlass")); err != nil {
		t.Fatal(err)
	}
	outside := filepath.Join(folder, "inventory")
	if err := os.Mkdir(outside, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(outside, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("main.go", program)
	// The checksums, so that this test needs no network: what this module is
	// built with is there.
	sums, err := os.ReadFile("go.sum")
	if err != nil {
		t.Fatal(err)
	}
	write("go.sum", string(sums))

	steps := regexp.MustCompile(`(?m)^\$ (go mod .*?)\s*(?:#.*)?$`).FindAllStringSubmatch(block(t, section, "console"), -1)
	if len(steps) != 3 {
		t.Fatalf("the section has %d commands of go mod, want 3", len(steps))
	}
	for _, step := range append(steps, []string{"", "go build -o inventory ."}, []string{"", "go vet ."}) {
		words := strings.Fields(step[1])
		command := exec.CommandContext(t.Context(), words[0], words[1:]...)
		command.Dir = outside
		command.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=", "GOWORK=off")
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", step[1], err, out)
		}
	}
}

// block returns the first fenced block of a language.
func block(t *testing.T, text, language string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, "```"+language+"\n")
	if !found {
		t.Fatalf("there is no block of %s", language)
	}
	code, _, _ := strings.Cut(rest, "```")
	return code
}
