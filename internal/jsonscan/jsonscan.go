// Package jsonscan passes over JSON once, without building values, so that a page
// of 100 records costs one pass over its bytes and its records are slices of
// them.
//
// It accepts what encoding/json accepts, but for a depth over 1,000, and refuses
// the rest; a fuzz test holds it to that. Slices that it returns alias the data.
// A [Scanner] stands in front of a value; each method passes something and leaves
// it behind that. After an error it is of no use.
package jsonscan

import (
	"errors"
	"fmt"
)

// Scanner passes over one JSON text.
type Scanner struct {
	data  []byte
	at    int
	depth int
}

// mostDepth bounds recursion; encoding/json has the same kind of bound.
const mostDepth = 1000

var (
	errCut  = errors.New("the JSON breaks off")
	errDeep = fmt.Errorf("the JSON is nested deeper than %d", mostDepth)
)

// New returns a Scanner at the beginning of data.
func New(data []byte) *Scanner { return &Scanner{data: data} }

// NewAt returns a Scanner that begins in the middle of data.
func NewAt(data []byte, at int) *Scanner { return &Scanner{data: data, at: at} }

// At is how many bytes have been passed.
func (s *Scanner) At() int { return s.at }

// Since returns the bytes from a place, as At gave it, to here.
func (s *Scanner) Since(start int) []byte { return s.data[start:s.at:s.at] }

// Fail is the error for a byte that is out of place here.
func (s *Scanner) Fail() error {
	if s.at >= len(s.data) {
		return errCut
	}
	return fmt.Errorf("not JSON at byte %d", s.at)
}

// Space passes white space.
func (s *Scanner) Space() {
	if s.at < len(s.data) && s.data[s.at] > ' ' {
		return // the usual case: APIs send no white space
	}
	for s.at < len(s.data) {
		switch s.data[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

// Peek returns the next byte that is not white space, or 0 at the end.
func (s *Scanner) Peek() byte {
	s.Space()
	if s.at < len(s.data) {
		return s.data[s.at]
	}
	return 0
}

// Expect passes one byte, after white space.
func (s *Scanner) Expect(b byte) error {
	if s.Peek() != b || s.at >= len(s.data) {
		return s.Fail()
	}
	s.at++
	return nil
}

// End makes sure that nothing but white space follows.
func (s *Scanner) End() error {
	if s.Space(); s.at < len(s.data) {
		return s.Fail()
	}
	return nil
}

// Value passes one value and returns its bytes.
func (s *Scanner) Value() ([]byte, error) {
	s.Space()
	start := s.at
	if err := s.Skip(); err != nil {
		return nil, err
	}
	return s.Since(start), nil
}

// Skip passes one value.
func (s *Scanner) Skip() error {
	switch b := s.Peek(); {
	case b == '{' || b == '[':
		return s.container()
	case b == '"':
		_, err := s.text()
		return err
	case b == 't':
		return s.word("true")
	case b == 'f':
		return s.word("false")
	case b == 'n':
		return s.word("null")
	case b == '-' || b >= '0' && b <= '9':
		return s.number()
	default:
		return s.Fail()
	}
}

// What container looks for next: values before keys before punctuation, so that a
// comparison tells which.
type expectation int

const (
	aValue expectation = iota
	aFirstValue
	aKey
	aFirstKey
	aColon
	aComma
)

// container passes an object or array with everything in it. Most of a page is
// passed here, so it is one loop over bytes, with short cuts through the
// commonest (a string, a colon, a comma), and keeps the brackets that are open as
// bits rather than as calls.
func (s *Scanner) container() error {
	var open brackets
	expect := aValue
	for data := s.data; s.at < len(data); {
		b := data[s.at]
		switch {
		case b == '"' && expect < aColon:
			var err error
			if expect, err = s.stringAs(expect); err != nil {
				return err
			}
		case b == ',' && expect == aComma:
			s.at++
			expect = open.next()
		case b == ':' && expect == aColon:
			s.at++
			expect = aValue
		case b <= ' ':
			if s.Space(); s.at < len(data) && data[s.at] <= ' ' {
				return s.Fail()
			}
		case (b == '{' || b == '[') && expect < aKey:
			if s.depth+open.depth >= mostDepth {
				return errDeep
			}
			s.at++
			expect = open.push(b == '{')
		case (b == '}' || b == ']') && open.closes(b, expect):
			s.at++
			if open.depth--; open.depth == 0 {
				return nil
			}
			expect = aComma
		case expect < aKey:
			if err := s.Skip(); err != nil { // a number or a word
				return err
			}
			expect = aComma
		default:
			return s.Fail()
		}
	}
	return errCut
}

// stringAs passes a string that is a value or a key, and with a key the colon
// right behind it, and says what comes next.
func (s *Scanner) stringAs(expect expectation) (expectation, error) {
	at := special(s.data, s.at+1)
	if at >= len(s.data) || s.data[at] != '"' {
		if _, err := s.text(); err != nil { // it has escapes, or is not one
			return expect, err
		}
		at = s.at - 1
	}
	s.at = at + 1
	if expect < aKey {
		return aComma, nil
	}
	if s.at < len(s.data) && s.data[s.at] == ':' {
		s.at++
		return aValue, nil
	}
	return aColon, nil
}

// brackets is a stack of open brackets, a bit each: set for an object.
type brackets struct {
	depth int
	bits  [mostDepth/64 + 1]uint64
}

// push opens a bracket and says what may come first in it.
func (b *brackets) push(object bool) expectation {
	word, bit := b.depth/64, uint64(1)<<(b.depth%64)
	b.depth++
	if object {
		b.bits[word] |= bit
		return aFirstKey
	}
	b.bits[word] &^= bit
	return aFirstValue
}

// closes reports whether a closing bracket belongs to the innermost open one,
// at a place where it may close.
func (b *brackets) closes(closing byte, expect expectation) bool {
	if b.object() {
		return closing == '}' && (expect == aComma || expect == aFirstKey)
	}
	return closing == ']' && (expect == aComma || expect == aFirstValue)
}

// object reports whether the innermost bracket is an object's.
func (b *brackets) object() bool {
	return b.bits[(b.depth-1)/64]&(1<<((b.depth-1)%64)) != 0
}

// next is what follows a comma.
func (b *brackets) next() expectation {
	if b.object() {
		return aKey
	}
	return aValue
}

// key passes a member's name and the colon behind it, and returns the name.
func (s *Scanner) key() ([]byte, error) {
	if s.Peek() != '"' {
		return nil, s.Fail()
	}
	start := s.at + 1
	key := s.data[start:special(s.data, start)]
	if s.at = start + len(key) + 1; s.at > len(s.data) || s.data[s.at-1] != '"' {
		s.at = start - 1
		raw, err := s.text()
		if err != nil {
			return nil, err
		}
		key = unescape(raw)
	}
	if s.at < len(s.data) && s.data[s.at] == ':' {
		s.at++
		return key, nil
	}
	return key, s.Expect(':')
}

// Object passes an object, calling visit at each member's value with the key.
// visit has to pass the value.
func (s *Scanner) Object(visit func(key []byte) error) error {
	if err := s.Expect('{'); err != nil {
		return err
	}
	return s.members('}', func() error {
		key, err := s.key()
		if err != nil {
			return err
		}
		return visit(key)
	})
}

// Array passes an array, calling visit at each element. visit has to pass it.
func (s *Scanner) Array(visit func() error) error {
	if err := s.Expect('['); err != nil {
		return err
	}
	return s.members(']', visit)
}

// members passes what is between an opening bracket and its closing one.
func (s *Scanner) members(closing byte, visit func() error) error {
	if s.depth++; s.depth > mostDepth {
		return errDeep
	}
	defer func() { s.depth-- }()
	if s.Peek() == closing {
		s.at++
		return nil
	}
	for {
		if err := visit(); err != nil {
			return err
		}
		switch s.Peek() {
		case ',':
			s.at++
		case closing:
			s.at++
			return nil
		default:
			return s.Fail()
		}
	}
}
