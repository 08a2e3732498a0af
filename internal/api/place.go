package api

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"windlass"
)

// Limits of a body. The place of a value has all keys above it, so the size of the
// answer grows with the square of the body's: a few long keys over many wrong values
// would be gigabytes.
const (
	maxBodyDepth = 100 // lists and objects inside each other
	maxBodyKey   = 512 // bytes
	maxIssues    = 100 // that an answer lists
)

// A place is where a value stands in a body. It is spelt out only where something
// is wrong. The nil place is the body itself.
type place struct {
	above *place
	key   string
	index int // when key is empty
}

func (p *place) member(key string) *place { return &place{above: p, key: key, index: -1} }
func (p *place) item(index int) *place    { return &place{above: p, index: index} }

// String spells a place out, as in scopes[1].
func (p *place) String() string {
	var steps []string
	for at := p; at != nil; at = at.above {
		switch {
		case at.index >= 0:
			steps = append(steps, "["+strconv.Itoa(at.index)+"]")
		case at.above != nil:
			steps = append(steps, "."+at.key)
		default:
			steps = append(steps, at.key)
		}
	}
	var out strings.Builder
	for _, step := range slices.Backward(steps) {
		out.WriteString(step)
	}
	return out.String()
}

// faults are the issues of a body. Checking stops when there is no room for more.
type faults struct {
	issues []windlass.Issue
	values int // of the body, so far
	looked int // how many of them were held against the schema
	// large: a text or a list is larger than anyone needs, and was not looked into.
	large bool
}

func (f *faults) add(at *place, message string) {
	if f.full() {
		return
	}
	f.issues = append(f.issues, windlass.Issue{In: "body", Name: at.String(), Message: message})
}

// full reports whether there is no room for one more issue.
func (f *faults) full() bool { return len(f.issues) >= maxIssues }

// err is the failure of a body with faults, or nil when there is none.
func (f *faults) err() error {
	err := invalid(f.issues)
	if failure, ok := err.(*windlass.Error); ok && f.full() { //nolint:errorlint // it is what invalid makes
		failure.Message = fmt.Sprintf("the request has %d issues or more: these are the first", len(f.issues))
	}
	return err
}
