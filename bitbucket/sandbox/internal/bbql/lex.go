package bbql

import (
	"strings"
	"unicode/utf8"
)

type tokenKind int

const (
	tokenEnd    tokenKind = iota
	tokenWord             // a field name or keyword
	tokenString           // quoted text, unescaped
	tokenNumber           // a number or a bare datetime
	tokenSymbol           // an operator, a parenthesis or a comma
)

type token struct {
	kind tokenKind
	text string
	pos  int
}

// is reports whether the token is the given symbol or, in either case, keyword.
func (t token) is(text string) bool {
	switch t.kind {
	case tokenSymbol:
		return t.text == text
	case tokenWord:
		return strings.EqualFold(t.text, text)
	default:
		return false
	}
}

// shown is the token as an error message quotes it.
func (t token) shown() string {
	switch t.kind {
	case tokenEnd:
		return "the end of the query"
	case tokenString:
		return quote(t.text)
	default:
		return "'" + t.text + "'"
	}
}

type lexer struct {
	in  string
	pos int
}

func (l *lexer) next() (token, error) {
	for l.pos < len(l.in) && strings.IndexByte(" \t\r\n", l.in[l.pos]) >= 0 {
		l.pos++
	}
	start := l.pos
	if start == len(l.in) {
		return token{kind: tokenEnd, pos: start}, nil
	}
	switch c := l.in[start]; {
	case c == '"':
		return l.quoted()
	case wordStart(c):
		return l.span(tokenWord, func(c byte) bool { return wordStart(c) || digit(c) || c == '.' || c == '-' }), nil
	case digit(c) || c == '-' || c == '+':
		// The offset of a datetime holds + and -, its fraction a dot.
		return l.span(tokenNumber, func(c byte) bool { return digit(c) || strings.IndexByte("-+.:TZtz", c) >= 0 }), nil
	}
	for _, symbol := range []string{"!=", "!~", ">=", "<=", "=", "~", ">", "<", "(", ")", ","} {
		if strings.HasPrefix(l.in[start:], symbol) {
			l.pos += len(symbol)
			return token{tokenSymbol, symbol, start}, nil
		}
	}
	r, _ := utf8.DecodeRuneInString(l.in[start:])
	return token{}, syntaxError(start, "unexpected character %q", r)
}

func (l *lexer) span(kind tokenKind, in func(byte) bool) token {
	start := l.pos
	l.pos++
	for l.pos < len(l.in) && in(l.in[l.pos]) {
		l.pos++
	}
	return token{kind, l.in[start:l.pos], start}
}

func (l *lexer) quoted() (token, error) {
	start := l.pos
	var text strings.Builder
	for i := start + 1; i < len(l.in); i++ {
		switch c := l.in[i]; c {
		case '"':
			l.pos = i + 1
			return token{tokenString, text.String(), start}, nil
		case '\\':
			if i++; i < len(l.in) {
				text.WriteByte(l.in[i])
			}
		default:
			text.WriteByte(c)
		}
	}
	return token{}, syntaxError(start, "the string that begins here has no closing quote")
}

// quote is the inverse of what quoted reads.
func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

func wordStart(c byte) bool { return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func digit(c byte) bool     { return '0' <= c && c <= '9' }
