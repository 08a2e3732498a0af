package manifest

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxProblems bounds the output that one hostile file can cause.
const maxProblems = 500

// A place is a position in the text. The zero value is unknown.
type place struct{ line, column int }

// A report collects problems, and knows the position of each path in the text.
type report struct {
	file   string
	places map[string]place // by path
	// spoilt holds the paths whose value could not be read. What is said about
	// reporting the unreadable value would only hide the real problem.
	spoilt   map[string]bool
	problems Problems
	unsaid   int
}

func newReport(file string) *report {
	return &report{file: file, places: map[string]place{}, spoilt: map[string]bool{}}
}

// add reports a problem with the value at path, or with what is missing there.
func (r *report) add(path, message, remedy string) {
	for above := path; ; above = parent(above) {
		if r.spoilt[above] {
			return
		}
		if above == "" {
			break
		}
	}
	r.addAt(r.find(path), path, message, remedy)
}

// spoil reports that the value at path cannot be read at all.
func (r *report) spoil(at place, path, message, remedy string) {
	r.addAt(at, path, message, remedy)
	r.spoilt[path] = true
}

func (r *report) addAt(at place, path, message, remedy string) {
	if len(r.problems) == maxProblems {
		r.unsaid++
		return
	}
	r.problems = append(r.problems, Problem{
		File: r.file, Line: at.line, Column: at.column, Path: path, Message: message, Remedy: remedy,
	})
}

// find returns the position of path, or else of its nearest parent with a position.
func (r *report) find(path string) place {
	for {
		if at, found := r.places[path]; found {
			return at
		}
		if path == "" {
			return place{}
		}
		path = parent(path)
	}
}

// has reports whether the text has a value at path.
func (r *report) has(path string) bool {
	_, found := r.places[path]
	return found
}

// err returns what was collected, in the order of the text, or nil.
func (r *report) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	// A problem behind an anchor would be reported at each of its aliases, too.
	said := slices.CompactFunc(r.problems, func(a, b Problem) bool {
		return a.Line > 0 && a.Line == b.Line && a.Column == b.Column && a.Message == b.Message
	})
	if r.unsaid > 0 {
		said = append(said, Problem{
			File: r.file, Message: fmt.Sprintf("%d more problems are not listed", r.unsaid), Remedy: "fix these first",
		})
	}
	return said
}

// parent returns the path of what holds the value at path.
func parent(path string) string {
	return path[:max(0, strings.LastIndexAny(path, ".["))]
}

// within returns the path of a key of the mapping at path.
func within(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// item returns the path of an entry of the list at path.
func item(path string, index int) string {
	return path + "[" + strconv.Itoa(index) + "]"
}

// label returns the last key of a path, which is what people call the value.
func label(path string) string {
	name := path[strings.LastIndexByte(path, '.')+1:]
	return cmp.Or(name, "the manifest")
}

// quote returns a value as it can be shown in a message: in quotes, on one
// line, and not longer than a line.
func quote(value string) string {
	const most = 60
	if runes := []rune(value); len(runes) > most {
		value = string(runes[:most-1]) + "…"
	}
	return strconv.Quote(value)
}
