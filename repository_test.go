package windlass_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is the path in go.mod. No other module may be required under it, and
// no package of the standard library has its name.
const module = "windlass"

// maxLines is where a file is split, by verb rather than by chance.
const maxLines = 600

// A sourceFile is what the house rules look at in one Go file.
type sourceFile struct {
	path    string // slash-separated, relative to the module's root
	pkg     string
	doc     string
	imports []string
	lines   int
}

func (f sourceFile) dir() string  { return path.Dir(f.path) }
func (f sourceFile) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

func TestFilesStayShort(t *testing.T) {
	t.Parallel()
	for _, file := range goFiles(t) {
		if file.lines > maxLines {
			t.Errorf("%s has %d lines, more than %d: split it by verb", file.path, file.lines, maxLines)
		}
	}
}

func TestFoldersAreNamedAfterWhatTheyDo(t *testing.T) {
	t.Parallel()
	vague := []string{"base", "common", "core", "helper", "helpers", "lib", "misc", "models", "shared", "types", "util", "utils"}
	for _, file := range goFiles(t) {
		if name := path.Base(file.dir()); slices.Contains(vague, name) {
			t.Errorf("%s: a folder named %q says nothing about what is in it", file.path, name)
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	t.Parallel()
	docs := map[string][]string{} // by folder: how its files' package comments begin
	for _, file := range goFiles(t) {
		if file.isTest() {
			continue
		}
		begins := "Package " + file.pkg + " "
		if file.pkg == "main" {
			begins = "Command " + path.Base(file.dir()) + " "
		}
		docs[file.dir()] = append(docs[file.dir()], "") // seen, at least
		if strings.HasPrefix(file.doc, begins) {
			docs[file.dir()] = append(docs[file.dir()], file.path)
		} else if file.doc != "" {
			t.Errorf("%s: the package comment should begin with %q", file.path, begins)
		}
	}
	for dir, in := range docs {
		in = slices.DeleteFunc(in, func(path string) bool { return path == "" })
		switch {
		case len(in) == 0:
			t.Errorf("%s: the package has no comment: say what it is for, what it promises and what to use", dir)
		case len(in) > 1:
			t.Errorf("%s: the package has more than one comment, in %v: keep one", dir, in)
		}
	}
}

// A path that exists on one person's machine, or the address of a package
// registry that only some networks reach, works only for its author.
func TestNothingDependsOnOneMachine(t *testing.T) {
	t.Parallel()
	personal := regexp.MustCompile(`(^|[\s"'=(\x60])/(home|root|Users|work)/[^\s/]`)
	registry := regexp.MustCompile(`\b((proxy|sum|index)\.golang|registry\.npmjs|pypi|files\.pythonhosted|crates)\.(org|io)\b`)
	for _, name := range treeFiles(t) {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(content, 0) >= 0 {
			continue // binary
		}
		for number, line := range strings.Split(string(content), "\n") {
			for _, found := range []string{personal.FindString(line), registry.FindString(line)} {
				if found != "" {
					t.Errorf("%s:%d: %q belongs to one machine or one registry", name, number+1, strings.TrimSpace(found))
				}
			}
		}
	}
}

// goFiles parses every Go file of the module, whatever its build constraints.
// It reads the files rather than asking the go command, whose answer depends
// on the platform and which leaves out files that do not build there.
func goFiles(t *testing.T) []sourceFile {
	t.Helper()
	var files []sourceFile
	for _, name := range treeFiles(t) {
		if path.Ext(name) != ".go" || slices.Contains(strings.Split(name, "/"), "testdata") {
			continue
		}
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, parse(t, name, content))
	}
	if len(files) == 0 {
		t.Fatal("no Go file found: these tests run in the module's root")
	}
	return files
}

func parse(t *testing.T, name string, content []byte) sourceFile {
	t.Helper()
	syntax, err := parser.ParseFile(token.NewFileSet(), name, content, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	file := sourceFile{path: name, pkg: syntax.Name.Name, doc: text(syntax.Doc), lines: bytes.Count(content, []byte("\n"))}
	for _, spec := range syntax.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		file.imports = append(file.imports, imported)
	}
	return file
}

func text(comment *ast.CommentGroup) string {
	if comment == nil {
		return ""
	}
	return comment.Text()
}

// treeFiles lists the files of the module, slash-separated and relative to its
// root. It leaves out what is generated, what belongs to another module, and
// git's own.
func treeFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case !entry.IsDir():
			if entry.Type().IsRegular() && entry.Name() != ".git" { // a file in a linked worktree
				files = append(files, filepath.ToSlash(name))
			}
			return nil
		case slices.Contains([]string{".git", ".cache", "bin", "dist"}, entry.Name()):
			return fs.SkipDir
		case name != "." && exists(filepath.Join(name, "go.mod")):
			return fs.SkipDir
		default:
			return nil
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
