package install

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"windlass"
	"windlass/internal/nearest"
	"windlass/internal/origin"
)

// issues collects the errors of a request's body.
type issues []windlass.Issue

// maxIssues bounds the issues of one answer: the others show when these are fixed.
const maxIssues = 100

func (is *issues) addf(name, format string, args ...any) {
	if is.full() {
		return
	}
	*is = append(*is, windlass.Issue{In: "body", Name: name, Message: fmt.Sprintf(format, args...)})
}

// full reports whether there is no room for another issue. Checking stops then: other
// issues show when these are fixed.
func (is *issues) full() bool { return len(*is) >= maxIssues }

// err returns a failure with all the issues, or nil when there are none. cause
// may be nil.
func (is *issues) err(op string, cause error) error {
	if len(*is) == 0 {
		return nil
	}
	message := "the request has one problem"
	if len(*is) > 1 {
		message = fmt.Sprintf("the request has %d problems", len(*is))
	}
	if is.full() {
		message = fmt.Sprintf("the request has %d problems or more", len(*is))
	}
	return &windlass.Error{Kind: windlass.Invalid, Op: op, Message: message, Issues: *is, Err: cause}
}

// need adds an issue when a required text is missing, and reports whether it is
// there.
func (is *issues) need(value, name string) bool {
	if strings.TrimSpace(value) == "" {
		is.addf(name, "is missing")
		return false
	}
	return true
}

const (
	maxLabel = 200 // bytes
	maxName  = 256 // characters
)

// short checks a name or a reference that a caller chose; it may be empty.
func (is *issues) short(value, name string) {
	switch {
	case len(value) > maxName*utf8.UTFMax || utf8.RuneCountInString(value) > maxName:
		is.addf(name, "is longer than %d characters", maxName)
	case strings.ContainsFunc(value, unicode.IsControl):
		is.addf(name, "has characters that cannot be printed")
	}
}

// label checks a text for people.
func (is *issues) label(value, name string) {
	if !is.need(value, name) {
		return
	}
	if len(value) > maxLabel {
		is.addf(name, "is longer than %d bytes", maxLabel)
	}
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		is.addf(name, "has characters that cannot be printed")
	}
}

// origins checks a list of origins of pages.
func (is *issues) origins(values []string, name string) {
	for i, value := range values {
		if !origin.Is(value) {
			is.addf(fmt.Sprintf("%s[%d]", name, i), "is not an origin: a scheme and a host, as in https://app.example.com")
		}
	}
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// name checks a name by which something can be looked up instead of its id.
func (is *issues) name(value, name string) {
	switch {
	case !is.need(value, name):
	case !plainName.MatchString(value):
		is.addf(name, "%q cannot be used: write 1 to 64 letters, digits, \"-\", \"_\" and \".\", the first a letter or a digit", shorten(value))
	case uuid.Validate(value) == nil:
		is.addf(name, "%q looks like an id: choose a name that cannot be taken for one", value)
	}
}

// mask applies an update: for each path of the mask it calls what sets the
// value, which returns what is wrong, or nothing.
func (is *issues) mask(mask []string, set map[string]func() string) {
	if len(mask) == 0 {
		is.addf("updateMask", "names nothing to update")
	}
	for i, path := range mask {
		apply, known := set[path]
		if !known {
			is.addf(fmt.Sprintf("updateMask[%d]", i), "%q cannot be updated: the mask may name %s", shorten(path), oneOf(set))
			continue
		}
		if wrong := apply(); wrong != "" {
			is.addf(fmt.Sprintf("updateMask[%d]", i), "%s: %s", path, wrong)
		}
	}
}

// oneOf lists the keys of a map as a sentence does.
func oneOf[V any](of map[string]V) string {
	names := make([]string, 0, len(of))
	for name := range of {
		names = append(names, name)
	}
	slices.Sort(names)
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// suggest proposes the name that the caller probably wanted to write, or else what
// to do.
func suggest(name string, names []string, otherwise string) string {
	if found := nearest.To(name, names); found != "" {
		return "write " + found
	}
	return otherwise
}

// shorten shortens a caller's text for a message.
func shorten(text string) string {
	const most = 80
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// within puts the key of a map behind a path. Keys that hold dots or slashes
// stand as they are: names of objects do, and remain readable.
func within(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func invalid(op, message, remedy string) error {
	return &windlass.Error{Kind: windlass.Invalid, Op: op, Message: message, Remedy: remedy}
}

func conflict(op, message, remedy string) error {
	return &windlass.Error{Kind: windlass.Conflict, Op: op, Message: message, Remedy: remedy}
}

// free returns a conflict when a look-up found something under a name that is
// to be given to another.
func free(op, what, name string, err error) error {
	switch {
	case err == nil:
		return conflict(op, fmt.Sprintf("there is %s named %q already", what, name), "choose another name")
	case errors.Is(err, windlass.NotFound):
		return nil
	default:
		return err
	}
}

func kindIs(err error, kind windlass.Kind) bool { return err != nil && errors.Is(err, kind) }
