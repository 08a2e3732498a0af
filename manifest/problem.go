package manifest

import (
	"fmt"
	"strings"

	"windlass"
)

// Problem is one thing that is wrong with a manifest.
type Problem struct {
	// File is the name that the caller gave in [Options].
	File string `json:"file,omitempty"`
	// Line and Column count from 1, columns in characters. Both are 0 where
	// the manifest did not come from a text file; then Path says the place.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Path is the path of the value, as in integrations[0].read.objects[1].schedule.
	// It is empty when the text itself cannot be read.
	Path string `json:"path,omitempty"`
	// Message says what is wrong, Remedy what to do about it.
	Message string `json:"message"`
	Remedy  string `json:"remedy,omitempty"`
}

// String returns the problem in one line: place, message, remedy.
func (p Problem) String() string {
	var place []string
	if p.File != "" {
		place = append(place, p.File)
	}
	switch {
	case p.Line > 0:
		place = append(place, fmt.Sprintf("%d:%d", p.Line, p.Column))
	case p.Path != "":
		place = append(place, p.Path)
	}
	text := p.Message
	if p.Remedy != "" {
		text += ": " + p.Remedy
	}
	if len(place) == 0 {
		return text
	}
	return strings.Join(place, ":") + ": " + text
}

// Problems is everything that is wrong with a manifest, in the order of the
// text. It is an error of kind windlass.Invalid.
type Problems []Problem //nolint:errname // it is a list of Problem, and errors.As(err, &problems) should read like that

// Error returns one line for each problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, problem := range ps {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the kind, for errors.Is.
func (ps Problems) Unwrap() error { return windlass.Invalid }
