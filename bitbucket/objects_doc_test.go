package bitbucket_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"windlass/bitbucket"
	"windlass/connector"
)

var update = flag.Bool("update", false, "write docs/objects.md anew")

// TestTheDocumentOfObjectsIsThatOfTheTable keeps docs/objects.md in step with
// the table: go test ./bitbucket -run Objects -update writes it.
func TestTheDocumentOfObjectsIsThatOfTheTable(t *testing.T) {
	t.Parallel()
	file := filepath.Join("..", "docs", "objects.md")
	want := objectsDocument(t)
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not that of the table; run go test ./bitbucket -run Objects -update", file)
	}
}

func objectsDocument(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("# Objects\n\nWritten from the table in `bitbucket/objects.go` by its test; do not edit.\n\n")
	b.WriteString("| object | reads | writes | scopes to read | scopes to write |\n|---|---|---|---|---|\n")
	for _, o := range bitbucket.Objects() {
		writes := "–"
		if o.Create {
			writes = "create, update, delete"
		}
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s | %s | %s | %s |\n",
			o.Name, strings.NewReplacer("/", "", " ", "-").Replace(o.Name), readsOf(o), writes, scopesOf(o.ReadScopes), scopesOf(o.WriteScopes))
	}
	for _, o := range bitbucket.Objects() {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| field | type | Bitbucket's type | writes | values |\n|---|---|---|---|---|\n", o.Name, o.Description)
		fields, err := bitbucket.Describe(o.Name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range fields {
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", f.Name, f.Type, f.ProviderType, accessOf(f), strings.Join(f.Values, ", "))
		}
	}
	return b.String()
}

func readsOf(o connector.Object) string {
	switch {
	case o.IncrementalIfProbed:
		return "incremental by `" + o.Incremental + "`, if a probe shows that it works"
	case o.Incremental != "":
		return "incremental by `" + o.Incremental + "`"
	default:
		return "full"
	}
}

func scopesOf(scopes []string) string {
	if len(scopes) == 0 {
		return "–"
	}
	return "`" + strings.Join(scopes, "` `") + "`"
}

func accessOf(f connector.Field) string {
	switch {
	case f.Required:
		return "required"
	case f.WriteOnly:
		return "write-only"
	case f.ReadOnly:
		return "–"
	default:
		return "optional"
	}
}
