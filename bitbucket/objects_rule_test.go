package bitbucket_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"windlass/bitbucket"
)

// TestEveryObjectHasItsFile: the row of hook_events is in object_hook_events.go.
func TestEveryObjectHasItsFile(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("object_*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range bitbucket.Objects() {
		file := "object_" + strings.NewReplacer("/", "_", "-", "_").Replace(object.Name) + ".go"
		files = slices.DeleteFunc(files, func(f string) bool { return f == file })
		text, err := os.ReadFile(file)
		if err != nil {
			t.Errorf("%s: %v", object.Name, err)
			continue
		}
		if !strings.Contains(string(text), "name: "+strconv.Quote(object.Name)) {
			t.Errorf("%s does not have the row of %s", file, object.Name)
		}
	}
	if len(files) > 0 {
		t.Errorf("these files belong to no object: %s", strings.Join(files, ", "))
	}
}

// TestNoCodeAsksForAnObjectByName: what depends on the object is a column of its
// row. Only an object's own file may compare with its name.
func TestNoCodeAsksForAnObjectByName(t *testing.T) {
	t.Parallel()
	var names []string
	for _, object := range bitbucket.Objects() {
		names = append(names, object.Name)
	}
	looked := 0
	for _, root := range []string{".", "../connector", "../internal"} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.IsDir() {
				return err
			}
			set := token.NewFileSet()
			files, err := sources(set, path)
			if err != nil {
				return err
			}
			looked += len(files)
			for _, literal := range comparedTexts(files) {
				at := set.Position(literal.Pos())
				own := strings.HasPrefix(at.Filename, "object_")
				if name, err := strconv.Unquote(literal.Value); err == nil && !own && slices.Contains(names, name) {
					t.Errorf("%s is compared with something: make what depends on %s a column of its row", at, name)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if looked < 200 {
		t.Errorf("only %d files were looked at", looked)
	}
}

// sources parses the files of a package that are no tests.
func sources(set *token.FileSet, dir string) ([]*ast.File, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

// comparedTexts returns the text literals that a package compares something with,
// by themselves or as a constant.
func comparedTexts(files []*ast.File) []*ast.BasicLit {
	constants := map[string]*ast.BasicLit{}
	inspect(files, func(n ast.Node) {
		if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Names) == len(spec.Values) {
			for i, name := range spec.Names {
				if literal, ok := spec.Values[i].(*ast.BasicLit); ok {
					constants[name.Name] = literal
				}
			}
		}
	})
	var found []*ast.BasicLit
	add := func(expressions ...ast.Expr) {
		for _, e := range expressions {
			if name, ok := e.(*ast.Ident); ok && constants[name.Name] != nil {
				found = append(found, constants[name.Name])
			}
			if literal, ok := e.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				found = append(found, literal)
			}
		}
	}
	inspect(files, func(n ast.Node) {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if n.Op == token.EQL || n.Op == token.NEQ {
				add(n.X, n.Y)
			}
		case *ast.CaseClause:
			add(n.List...)
		}
	})
	return found
}

func inspect(files []*ast.File, see func(ast.Node)) {
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			see(n)
			return true
		})
	}
}
