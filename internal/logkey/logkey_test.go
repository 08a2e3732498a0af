package logkey_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Every package names its keys log…; their spelling is this package's. What is
// given to a logger without a name is refused by the linter.
func TestKeysAreSpelledInOnePlace(t *testing.T) {
	t.Parallel()
	named := 0
	err := filepath.WalkDir("..", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			for i, name := range spec.Names {
				if !isKey.MatchString(name.Name) || i >= len(spec.Values) {
					continue
				}
				named++
				if literal, ok := spec.Values[i].(*ast.BasicLit); ok && literal.Kind == token.STRING {
					t.Errorf("%s: %s is spelled here, as %s: add it to package logkey and use that", file, name.Name, literal.Value)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if named < 20 {
		t.Errorf("%d keys were found in all: the test looks in the wrong place", named)
	}
}

var isKey = regexp.MustCompile(`^log[A-Z]`)

// Two names for one key, or one that is not in the form of the others, would be
// the confusion that this package is there to prevent.
func TestEachKeyOnce(t *testing.T) {
	t.Parallel()
	parsed, err := parser.ParseFile(token.NewFileSet(), "logkey.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	names := map[string]string{}
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		literal, ok := spec.Values[0].(*ast.BasicLit)
		if !ok {
			t.Errorf("%s is no plain text", spec.Names[0])
			return true
		}
		key, err := strconv.Unquote(literal.Value)
		if err != nil || !form.MatchString(key) {
			t.Errorf("%s: %s is not in the form of the others", spec.Names[0], literal.Value)
		}
		if before, twice := names[key]; twice {
			t.Errorf("%s and %s are both spelled %s", before, spec.Names[0], key)
		}
		names[key] = spec.Names[0].Name
		return true
	})
	for key := range names {
		for _, noun := range []string{"project", "installation", "connection", "destination", "operation", "batch", "integration"} {
			if key == noun {
				t.Errorf("%q does not say whether it is an id or a name", key)
			}
		}
	}
}
