package manifest_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"windlass"
	"windlass/manifest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// known is a small world: two objects whose fields are known, others whose
// fields are not.
func known(file string) *manifest.Options {
	return &manifest.Options{
		File:      file,
		Providers: []string{"bitbucket"},
		Objects: func(string) []string {
			return []string{"hooks", "members", "projects", "repositories", "snippets", "workspaces"}
		},
		Fields: func(_, object string) []string {
			return map[string][]string{
				"repositories": {
					"description", "full_name", "language", "links", "links.clone", "name", "project", "project.key",
					"size", "slug", "uuid", "website",
				},
				"projects": {"description", "key", "name", "uuid"},
			}[object]
		},
	}
}

// Each file under testdata is a manifest, and the golden file beside it what is
// said of it: every problem, or the JSON that it means.
func TestEveryRuleSaysWhereAndWhatToDo(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no manifest under testdata (%v)", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			m, err := manifest.Parse(data, known(filepath.Base(file)))
			if accepted := err == nil; accepted != strings.HasPrefix(name, "accepted-") {
				t.Errorf("accepted: %v, and the file's name says otherwise (%v)", accepted, err)
			}
			got := []byte(said(t, m, err))
			golden := strings.TrimSuffix(file, ".yaml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("said:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// said returns what the user sees, and checks what programs see.
func said(t *testing.T, m *manifest.Manifest, err error) string {
	t.Helper()
	if err == nil {
		text, err := json.MarshalIndent(m, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		return string(text) + "\n"
	}
	if m != nil {
		t.Error("a manifest came with the error")
	}
	problems, found := errors.AsType[manifest.Problems](err)
	if !found || !errors.Is(err, windlass.Invalid) {
		t.Fatalf("the error is no Problems of kind invalid: %v", err)
	}
	for _, problem := range problems {
		if problem.Line == 0 || problem.Column == 0 || problem.Message == "" || problem.Remedy == "" {
			t.Errorf("place, message or remedy is missing: %#v", problem)
		}
	}
	return err.Error() + "\n"
}
