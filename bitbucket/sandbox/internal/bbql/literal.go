package bbql

import (
	"math/big"
	"strings"
	"time"
)

// literal is one value of a query. text is how it is written, so that an
// expression prints as it was meant whatever precision it had.
type literal struct {
	text   string
	null   bool
	str    string // String and Permission
	folded string // str in lower case, for ~
	num    *big.Rat
	bool   bool
	time   time.Time
}

// literal reads a token as a value of the comparison's field, and refuses it
// where the operator or the type does not take it.
func (c *comparison) literal(t token) (literal, error) {
	if err := c.operatorFits(t); err != nil {
		return literal{}, err
	}
	switch {
	case t.is("null"):
		if c.op.orders() || c.op == opContains || c.op == opNotContains {
			return literal{}, syntaxError(t.pos, "null cannot be compared with %s", c.op)
		}
		return literal{text: "null", null: true}, nil
	case t.kind == tokenEnd || t.kind == tokenSymbol:
		return literal{}, syntaxError(t.pos, "expected a value after %s, not %s", c.op, t.shown())
	}
	if v, ok := read(c.typ, t); ok {
		if c.typ == Permission && c.op.orders() && rank(v.str) == 0 {
			return literal{}, syntaxError(t.pos, "%s is not a permission", t.shown())
		}
		return v, nil
	}
	return literal{}, syntaxError(t.pos, "field %q is compared with a %s, not %s", c.field, c.typ, t.shown())
}

func (c *comparison) operatorFits(t token) error {
	contains := c.op == opContains || c.op == opNotContains
	if contains && c.typ != String || c.op.orders() && c.typ == Bool {
		return syntaxError(t.pos, "field %q is a %s and cannot be compared with %s", c.field, c.typ, c.op)
	}
	return nil
}

func read(typ Type, t token) (literal, bool) {
	switch typ {
	case String, Permission:
		return literal{text: quote(t.text), str: t.text, folded: strings.ToLower(t.text)}, t.kind == tokenString
	case Number:
		num, ok := number(t)
		return literal{text: t.text, num: num}, ok
	case Bool:
		return literal{text: strings.ToLower(t.text), bool: t.is("true")}, t.is("true") || t.is("false")
	case Time:
		at, ok := datetime(t.text)
		text := t.text
		if t.kind == tokenString {
			text = quote(t.text)
		}
		return literal{text: text, time: at}, ok && t.kind != tokenWord
	default:
		return literal{}, false
	}
}

// number reads digits with an optional sign and fraction. Exponents are not
// part of the language, which also keeps big.Rat from growing beyond the query.
func number(t token) (*big.Rat, bool) {
	digits := strings.TrimPrefix(t.text, "-")
	whole, fraction, dotted := strings.Cut(digits, ".")
	if t.kind != tokenNumber || !allDigits(whole) || dotted && !allDigits(fraction) {
		return nil, false
	}
	return new(big.Rat).SetString(t.text)
}

func allDigits(s string) bool {
	for i := range len(s) {
		if !digit(s[i]) {
			return false
		}
	}
	return s != ""
}

// datetime reads an ISO-8601 date with an optional time, fraction of a second
// and offset; without an offset it is UTC.
func datetime(s string) (time.Time, bool) {
	const date = "2006-01-02"
	if len(s) == len(date) {
		at, err := time.Parse(date, s)
		return at, err == nil
	}
	// RFC 3339 in capitals; the language is read in either case.
	s = strings.ToUpper(s)
	for _, zone := range []string{"Z07:00", "Z0700", "Z07", ""} {
		for _, clock := range []string{"15:04:05", "15:04"} {
			// time.Parse takes a fraction after the seconds without being told.
			if at, err := time.Parse(date+"T"+clock+zone, s); err == nil {
				return at.UTC(), true
			}
		}
	}
	return time.Time{}, false
}

func rank(permission string) int {
	for i, ladder := range [][]string{{"read", "write", "create-repo", "admin"}, {"member", "collaborator", "owner"}} {
		for j, name := range ladder {
			if name == permission {
				return 10*(i+1) + j
			}
		}
	}
	return 0
}
