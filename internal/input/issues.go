// Package input gathers what is wrong with what people and programs send, so that all
// of it is said at once, each with the place where it stands in the request.
//
// An [Issues] is the collector: its methods check one thing each and add what is
// wrong. A request may hold as much as it likes: no more than a hundred issues are
// said, checking stops with the last of them, and what is repeated from a request is
// clipped. The functions make errors and sentences in one form for all flows.
//
// The package does no I/O.
package input

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

// Issues collects the errors of a request's body.
type Issues []windlass.Issue

// maxIssues is how many are said of one request: the others show when these are
// mended.
const maxIssues = 100

// Addf adds an issue with the thing of a name, unless there is no room for it.
func (is *Issues) Addf(name, format string, args ...any) {
	if is.Full() {
		return
	}
	*is = append(*is, windlass.Issue{In: "body", Name: name, Message: fmt.Sprintf(format, args...)})
}

// Full reports whether there is no room for another issue. Checking stops then:
// what else is wrong shows when these are mended.
func (is *Issues) Full() bool { return len(*is) >= maxIssues }

// Err returns a failure with all the issues, or nil when there are none. cause
// may be nil.
func (is *Issues) Err(op string, cause error) error {
	if len(*is) == 0 {
		return nil
	}
	message := "the request has one problem"
	if len(*is) > 1 {
		message = fmt.Sprintf("the request has %d problems", len(*is))
	}
	if is.Full() {
		message = fmt.Sprintf("the request has %d problems or more", len(*is))
	}
	return &windlass.Error{Kind: windlass.Invalid, Op: op, Message: message, Issues: *is, Err: cause}
}

// Need adds an issue when a required text is missing, and reports whether it is
// there.
func (is *Issues) Need(value, name string) bool {
	if strings.TrimSpace(value) == "" {
		is.Addf(name, "is missing")
		return false
	}
	return true
}

const (
	maxLabel = 200 // bytes
	maxName  = 256 // characters
)

// Short checks a name or a reference that a caller chose; it may be empty.
func (is *Issues) Short(value, name string) {
	switch {
	case len(value) > maxName*utf8.UTFMax || utf8.RuneCountInString(value) > maxName:
		is.Addf(name, "is longer than %d characters", maxName)
	case strings.ContainsFunc(value, unicode.IsControl):
		is.Addf(name, "has characters that cannot be printed")
	}
}

// Label checks a text for people.
func (is *Issues) Label(value, name string) {
	if !is.Need(value, name) {
		return
	}
	if len(value) > maxLabel {
		is.Addf(name, "is longer than %d bytes", maxLabel)
	}
	if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		is.Addf(name, "has characters that cannot be printed")
	}
}

// Origins checks a list of origins of pages.
func (is *Issues) Origins(values []string, name string) {
	for i, value := range values {
		if !origin.Is(value) {
			is.Addf(fmt.Sprintf("%s[%d]", name, i), "is not an origin: a scheme and a host, as in https://app.example.com")
		}
	}
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Name checks a name by which something can be looked up instead of its id.
func (is *Issues) Name(value, name string) {
	switch {
	case !is.Need(value, name):
	case !plainName.MatchString(value):
		is.Addf(name, "%q cannot be used: write 1 to 64 letters, digits, \"-\", \"_\" and \".\", the first a letter or a digit", Shorten(value))
	case uuid.Validate(value) == nil:
		is.Addf(name, "%q looks like an id: choose a name that cannot be taken for one", value)
	}
}

// Mask applies an update: for each path of the mask it calls what sets the
// value, which returns what is wrong, or nothing.
func (is *Issues) Mask(mask []string, set map[string]func() string) {
	if len(mask) == 0 {
		is.Addf("updateMask", "names nothing to update")
	}
	for i, path := range mask {
		apply, known := set[path]
		if !known {
			is.Addf(fmt.Sprintf("updateMask[%d]", i), "%q cannot be updated: the mask may name %s", Shorten(path), OneOf(set))
			continue
		}
		if wrong := apply(); wrong != "" {
			is.Addf(fmt.Sprintf("updateMask[%d]", i), "%s: %s", path, wrong)
		}
	}
}

// OneOf lists the keys of a map as a sentence does.
func OneOf[V any](of map[string]V) string {
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

// Suggest proposes the name that the caller probably wanted to write, or else what to do.
func Suggest(name string, names []string, otherwise string) string {
	if found := nearest.To(name, names); found != "" {
		return "write " + found
	}
	return otherwise
}

// Shorten keeps a text from a request or a provider short enough for a message.
func Shorten(text string) string {
	const longest = 80
	if len(text) <= longest {
		return text
	}
	return strings.ToValidUTF8(text[:longest], "") + "…"
}

// Within puts the key of a map behind a path. Keys that hold dots or slashes
// stand as they are: names of objects do, and remain readable.
func Within(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// Invalid is an error of kind windlass.Invalid without issues.
func Invalid(op, message, remedy string) error {
	return &windlass.Error{Kind: windlass.Invalid, Op: op, Message: message, Remedy: remedy}
}

// Conflict is an error of kind windlass.Conflict.
func Conflict(op, message, remedy string) error {
	return &windlass.Error{Kind: windlass.Conflict, Op: op, Message: message, Remedy: remedy}
}

// Free returns a conflict when a look-up found something under a name that is
// to be given to another.
func Free(op, what, name string, err error) error {
	switch {
	case err == nil:
		return Conflict(op, fmt.Sprintf("there is %s named %q already", what, name), "choose another name")
	case errors.Is(err, windlass.NotFound):
		return nil
	default:
		return err
	}
}

// FirstFew joins the first of many, and says how many more there are.
func FirstFew(all []string) string {
	const shown = 5
	if len(all) <= shown {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:shown], ", "), len(all)-shown)
}

// ErrorText returns the text of an error for a person, without the operation.
func ErrorText(err error) string {
	if theirs, found := windlass.FromProvider(err); found && theirs.Message != "" {
		return theirs.Message
	}
	if ours, found := windlass.Own(err); found && ours.Message != "" {
		return ours.Message
	}
	return err.Error()
}

// Unprocessable is the cause of a [windlass.Error] of kind windlass.Invalid
// whose input can be read but cannot be carried out: a manifest or a config that
// breaks a rule, or one that the provider refused. The contract answers it 422,
// and other invalid input 400.
const Unprocessable = reason("unprocessable")

type reason string

func (r reason) Error() string { return string(r) }
