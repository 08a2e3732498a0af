package windlass_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The page about the architecture names files and functions; each has to be there.
func TestTheArchitecturePageNamesWhatThereIs(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	declared := declarations(t)
	names := 0
	for _, match := range regexp.MustCompile("`([^`\n]+)`").FindAllStringSubmatch(string(page), -1) {
		name := match[1]
		switch {
		case strings.Contains(name, "NAME"), strings.Contains(name, " "):
		case strings.Contains(name, "/"):
			names++
			if _, err := os.Stat(filepath.FromSlash(name)); err != nil {
				t.Errorf("there is no %s", name)
			}
		case strings.Contains(name, "."):
			names++
			if !declared[name] {
				if _, err := os.Stat(name); err != nil {
					t.Errorf("there is no %s", name)
				}
			}
		}
	}
	if names < 20 {
		t.Errorf("%d names were found in the page: the test does not read it", names)
	}
}

// declarations are the exported types, functions and methods of all packages, as in
// pkg.Func and pkg.Type.Method.
func declarations(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, file := range goFiles(t) {
		if file.isTest() {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), filepath.FromSlash(file.path), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range tree.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				all[file.pkg+"."+receiver(d)+d.Name.Name] = true
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if typed, ok := spec.(*ast.TypeSpec); ok {
						all[file.pkg+"."+typed.Name.Name] = true
						addMethods(all, file.pkg+"."+typed.Name.Name+".", typed.Type)
					}
				}
			}
		}
	}
	return all
}

func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	typ := f.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if name, ok := typ.(*ast.Ident); ok {
		return name.Name + "."
	}
	return ""
}

func addMethods(all map[string]bool, prefix string, typ ast.Expr) {
	if set, ok := typ.(*ast.InterfaceType); ok {
		for _, method := range set.Methods.List {
			for _, name := range method.Names {
				all[prefix+name.Name] = true
			}
		}
	}
}
