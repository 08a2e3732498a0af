package bbql

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// Sort is an order of records. The zero Sort, with no field, is "as they come".
type Sort struct {
	Field string
	Desc  bool
	Type  Type // of the field: permissions sort by what they allow
}

// ParseSort reads the `sort` parameter: one field, descending with a hyphen
// before it. An empty parameter is the zero Sort. A refusal is an *Error.
func ParseSort(s string, fields Fields) (Sort, error) {
	if s == "" {
		return Sort{}, nil
	}
	name, desc := strings.CutPrefix(s, "-")
	if strings.Contains(name, ",") {
		return Sort{}, &Error{Field: name, Pos: -1, Message: "Only one field can be sorted on"}
	}
	typ, ok := fields[name]
	if !ok {
		return Sort{}, &Error{Field: name, Pos: -1, Message: fmt.Sprintf("Field %q does not support sorting", name)}
	}
	return Sort{Field: name, Desc: desc, Type: typ}, nil
}

// String writes the sort as its parameter.
func (s Sort) String() string {
	if s.Desc {
		return "-" + s.Field
	}
	return s.Field
}

// Compare orders two records: negative when a comes first. Records without the
// field come last, first when descending, as PostgreSQL has it. Equal records
// stay as they are if the sorting is stable.
func (s Sort) Compare(a, b Lookup) int {
	if s.Field == "" {
		return 0
	}
	order := compareValues(s.Type, a(s.Field), b(s.Field))
	if s.Desc {
		return -order
	}
	return order
}

func compareValues(typ Type, a, b any) int {
	if absent(a) || absent(b) {
		switch {
		case absent(a) && absent(b):
			return 0
		case absent(a):
			return 1
		default:
			return -1
		}
	}
	switch a := a.(type) {
	case string:
		if b, ok := b.(string); ok {
			if typ == Permission {
				return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
			}
			return cmp.Compare(a, b)
		}
	case bool:
		if b, ok := b.(bool); ok && a != b {
			if a {
				return 1
			}
			return -1
		}
	case time.Time:
		if b, ok := b.(time.Time); ok {
			return a.Compare(b)
		}
	default:
		x, isNumber := float(a)
		y, alsoNumber := float(b)
		if isNumber && alsoNumber {
			return cmp.Compare(x, y)
		}
	}
	return 0
}

func float(value any) (float64, bool) {
	switch v := value.(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case float64:
		return v, true
	default:
		return 0, false
	}
}
