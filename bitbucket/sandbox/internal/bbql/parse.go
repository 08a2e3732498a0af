package bbql

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Parse reads a query over the given fields. A refusal is an *Error. A query of
// nothing but white space gives an Expr that matches everything.
func Parse(q string, fields Fields) (*Expr, error) {
	if len(q) > MaxLength {
		return nil, &Error{Pos: -1, Message: fmt.Sprintf("Invalid query: longer than %d bytes", MaxLength)}
	}
	if !utf8.ValidString(q) {
		return nil, &Error{Pos: -1, Message: "Invalid query: not UTF-8"}
	}
	if strings.TrimSpace(q) == "" {
		return &Expr{}, nil
	}
	p := &parser{lexer: lexer{in: q}, fields: fields}
	if err := p.advance(); err != nil {
		return nil, err
	}
	root, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if p.tok.kind != tokenEnd {
		return nil, p.unexpected("AND, OR or the end of the query")
	}
	return &Expr{root: root}, nil
}

type parser struct {
	lexer  lexer
	fields Fields
	tok    token
}

func (p *parser) advance() (err error) {
	p.tok, err = p.lexer.next()
	return err
}

func (p *parser) unexpected(wanted string) error {
	return syntaxError(p.tok.pos, "expected %s, not %s", wanted, p.tok.shown())
}

func (p *parser) or(depth int) (node, error) {
	return p.joined("OR", depth, p.and, func(terms []node) node { return anyOf(terms) })
}

func (p *parser) and(depth int) (node, error) {
	return p.joined("AND", depth, p.term, func(terms []node) node { return allOf(terms) })
}

// joined reads one or more terms with the keyword between them.
func (p *parser) joined(keyword string, depth int, term func(int) (node, error), join func([]node) node) (node, error) {
	var terms []node
	for {
		t, err := term(depth)
		if err != nil {
			return nil, err
		}
		terms = append(terms, t)
		if !p.tok.is(keyword) {
			break
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
	if len(terms) == 1 {
		return terms[0], nil
	}
	return join(terms), nil
}

func (p *parser) term(depth int) (node, error) {
	if !p.tok.is("(") {
		return p.comparison()
	}
	if depth == MaxDepth {
		return nil, syntaxError(p.tok.pos, "more than %d nested parentheses", MaxDepth)
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	inner, err := p.or(depth + 1)
	if err != nil {
		return nil, err
	}
	if !p.tok.is(")") {
		return nil, p.unexpected("AND, OR or ')'")
	}
	return inner, p.advance()
}

func (p *parser) comparison() (node, error) {
	if p.tok.kind != tokenWord {
		return nil, p.unexpected("a field")
	}
	name, pos := p.tok.text, p.tok.pos
	typ, ok := p.fields[name]
	if !ok {
		return nil, &Error{Field: name, Pos: pos, Message: fmt.Sprintf("Field %q does not support filtering", name)}
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	op, err := p.operator(name)
	if err != nil {
		return nil, err
	}
	c := &comparison{field: name, typ: typ, op: op}
	if op == opIn || op == opNotIn {
		c.values, err = p.list(c)
	} else {
		var v literal
		v, err = p.value(c)
		c.values = []literal{v}
	}
	return c, err
}

func (p *parser) operator(field string) (operator, error) {
	wanted := fmt.Sprintf("an operator after %q", field)
	negated := p.tok.is("NOT")
	if negated {
		if err := p.advance(); err != nil {
			return 0, err
		}
		wanted = "IN after NOT"
	}
	for op := opEqual; op <= opNotIn; op++ {
		if negated == (op == opNotIn) && p.tok.is(strings.TrimPrefix(op.String(), "NOT ")) {
			return op, p.advance()
		}
	}
	return 0, p.unexpected(wanted)
}

func (p *parser) list(c *comparison) ([]literal, error) {
	if !p.tok.is("(") {
		return nil, p.unexpected("'(' and a list of values")
	}
	var values []literal
	for {
		if err := p.advance(); err != nil {
			return nil, err
		}
		v, err := p.value(c)
		if err != nil {
			return nil, err
		}
		values = append(values, v)
		switch {
		case p.tok.is(","):
		case p.tok.is(")"):
			return values, p.advance()
		default:
			return nil, p.unexpected("',' or ')'")
		}
	}
}

func (p *parser) value(c *comparison) (literal, error) {
	v, err := c.literal(p.tok)
	if err != nil {
		return literal{}, err
	}
	return v, p.advance()
}
