package bbql

import (
	"cmp"
	"math/big"
	"slices"
	"strings"
	"time"
)

type operator int

const (
	opEqual operator = iota + 1
	opNotEqual
	opContains
	opNotContains
	opGreater
	opGreaterEqual
	opLess
	opLessEqual
	opIn
	opNotIn
)

func (o operator) String() string {
	return [...]string{
		opEqual: "=", opNotEqual: "!=", opContains: "~", opNotContains: "!~",
		opGreater: ">", opGreaterEqual: ">=", opLess: "<", opLessEqual: "<=",
		opIn: "IN", opNotIn: "NOT IN",
	}[o]
}

func (o operator) orders() bool { return opGreater <= o && o <= opLessEqual }

type node interface {
	match(get Lookup) bool
	text() string
}

type (
	anyOf      []node
	allOf      []node
	comparison struct {
		field  string
		typ    Type
		op     operator
		values []literal // one, but for IN and NOT IN
	}
)

func (n anyOf) match(get Lookup) bool {
	return slices.ContainsFunc(n, func(term node) bool { return term.match(get) })
}

func (n allOf) match(get Lookup) bool {
	return !slices.ContainsFunc(n, func(term node) bool { return !term.match(get) })
}

func (n anyOf) text() string { return joinText(n, " OR ", func(node) bool { return false }) }

func (n allOf) text() string {
	return joinText(n, " AND ", func(term node) bool { _, or := term.(anyOf); return or })
}

func joinText(terms []node, between string, wrap func(node) bool) string {
	texts := make([]string, len(terms))
	for i, term := range terms {
		if texts[i] = term.text(); wrap(term) {
			texts[i] = "(" + texts[i] + ")"
		}
	}
	return strings.Join(texts, between)
}

func (c *comparison) text() string {
	if c.op != opIn && c.op != opNotIn {
		return c.field + " " + c.op.String() + " " + c.values[0].text
	}
	texts := make([]string, len(c.values))
	for i, v := range c.values {
		texts[i] = v.text
	}
	return c.field + " " + c.op.String() + " (" + strings.Join(texts, ", ") + ")"
}

func (c *comparison) match(get Lookup) bool {
	value := get(c.field)
	switch c.op {
	case opNotEqual, opNotContains, opNotIn:
		return !c.holds(value)
	default:
		return c.holds(value)
	}
}

// holds tests the comparison as if its operator were not negated.
func (c *comparison) holds(value any) bool {
	if many, ok := value.([]string); ok {
		if len(many) == 0 {
			value = nil
		}
		if slices.ContainsFunc(many, func(one string) bool { return c.holds(one) }) {
			return true
		}
	}
	for _, want := range c.values {
		if want.null {
			if absent(value) {
				return true
			}
			continue
		}
		if c.op == opContains || c.op == opNotContains {
			text, ok := value.(string)
			return ok && strings.Contains(strings.ToLower(text), want.folded)
		}
		if order, ok := want.compare(c.typ, value); ok && c.accepts(order) {
			return true
		}
	}
	return false
}

func absent(value any) bool {
	switch value.(type) {
	case string, int, int64, float64, bool, time.Time, []string:
		return false
	default:
		return true
	}
}

// accepts reads the order of the record's value relative to the literal.
func (c *comparison) accepts(order int) bool {
	switch c.op {
	case opGreater:
		return order == +1
	case opGreaterEqual:
		return order == 0 || order == +1
	case opLess:
		return order == -1
	case opLessEqual:
		return order == 0 || order == -1
	default:
		return order == 0
	}
}

// unordered is an order that is none: the values differ, neither is greater.
const unordered = 2

// compare orders value relative to the literal; false when they are of
// different types.
func (l literal) compare(typ Type, value any) (int, bool) {
	switch v := value.(type) {
	case string:
		switch typ {
		case Permission:
			return comparePermissions(v, l.str), true
		case String:
			return cmp.Compare(v, l.str), true
		default:
		}
	case int:
		return l.compare(typ, int64(v))
	case int64:
		if typ == Number {
			return new(big.Rat).SetInt64(v).Cmp(l.num), true
		}
	case float64:
		if exact := new(big.Rat).SetFloat64(v); typ == Number && exact != nil {
			return exact.Cmp(l.num), true
		}
	case bool:
		if typ == Bool && v == l.bool {
			return 0, true
		}
		return unordered, typ == Bool
	case time.Time:
		if typ == Time {
			return v.Compare(l.time), true
		}
	}
	return 0, false
}

func comparePermissions(a, b string) int {
	if a == b {
		return 0
	}
	// Ladders are ten apart, so equal tens are the same ladder.
	if ra, rb := rank(a), rank(b); ra != 0 && ra/10 == rb/10 {
		return cmp.Compare(ra, rb)
	}
	return unordered
}
