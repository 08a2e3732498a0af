package manifest

import "regexp"

// A node is a value as it was written, whether in YAML or in JSON.
type node struct {
	kind    kind
	text    string  // of a scalar; what is wrong with what is broken
	remedy  string  // what to do about it
	entries []entry // of a mapping
	items   []*node // of a list
	at      place
}

// An entry is one key of a mapping, and its value.
type entry struct {
	key   string
	at    place
	value *node
}

type kind int

const (
	null kind = iota
	text
	boolean
	integer
	decimal // a number that is no integer
	list
	mapping
	broken // could not be read
)

func (k kind) String() string {
	return [...]string{"nothing", "a text", "true or false", "a whole number", "a number", "a list", "a mapping", "broken"}[k]
}

// describe returns the value in words.
func (n *node) describe() string {
	switch n.kind {
	case text:
		return "the text " + quote(n.text)
	case boolean:
		return "the value " + n.text
	case integer, decimal:
		return "the number " + n.text
	default:
		return n.kind.String()
	}
}

// maxDepth is far deeper than a manifest goes, and shallow enough to walk by
// recursion.
const maxDepth = 64

// The forms of plain scalars in the core schema of YAML 1.2 (chapter 10.3.2 of
// its specification), which is also how JSON writes them.
var (
	nullForm    = regexp.MustCompile(`^(?:null|Null|NULL|~|)$`)
	booleanForm = regexp.MustCompile(`^(?:true|True|TRUE|false|False|FALSE)$`)
	integerForm = regexp.MustCompile(`^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$`)
	decimalForm = regexp.MustCompile(`^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$`)
)

// plain says what an unquoted scalar is. The library's own answer is that of
// YAML 1.1, where 0777 is 511 and 1_000 a number.
func plain(value string) kind {
	switch {
	case nullForm.MatchString(value):
		return null
	case booleanForm.MatchString(value):
		return boolean
	case integerForm.MatchString(value):
		return integer
	case decimalForm.MatchString(value):
		return decimal
	default:
		return text
	}
}
