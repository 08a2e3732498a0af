package bitbucket

import (
	"errors"
	"fmt"
)

// scanner walks JSON once, without building values, so that a page of 100
// records costs one pass over its bytes and its records are slices of them.
// It accepts exactly what encoding/json accepts; a fuzz test holds it to that.
type scanner struct {
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

func (s *scanner) fail() error {
	if s.at >= len(s.data) {
		return errCut
	}
	return fmt.Errorf("not JSON at byte %d", s.at)
}

func (s *scanner) space() {
	if s.at < len(s.data) && s.data[s.at] > ' ' {
		return // the usual case: Bitbucket sends no white space
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

// peek returns the next byte that is not white space, or 0 at the end.
func (s *scanner) peek() byte {
	s.space()
	if s.at < len(s.data) {
		return s.data[s.at]
	}
	return 0
}

// expect passes one byte, after white space.
func (s *scanner) expect(b byte) error {
	if s.peek() != b || s.at >= len(s.data) {
		return s.fail()
	}
	s.at++
	return nil
}

// end makes sure that nothing but white space follows.
func (s *scanner) end() error {
	if s.space(); s.at < len(s.data) {
		return s.fail()
	}
	return nil
}

// value passes one value and returns its bytes.
func (s *scanner) value() ([]byte, error) {
	s.space()
	start := s.at
	if err := s.skip(); err != nil {
		return nil, err
	}
	return s.data[start:s.at], nil
}

// skip passes one value.
func (s *scanner) skip() error {
	switch b := s.peek(); {
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
		return s.fail()
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
func (s *scanner) container() error {
	var open brackets
	expect := aValue
	for data := s.data; s.at < len(data); {
		b := data[s.at]
		switch {
		case b == '"' && expect < aColon:
			at := special(data, s.at+1)
			if at >= len(data) || data[at] != '"' {
				if _, err := s.text(); err != nil { // it has escapes, or is not one
					return err
				}
				at = s.at - 1
			}
			s.at = at + 1
			if expect < aKey {
				expect = aComma
				continue
			}
			if expect = aColon; s.at < len(data) && data[s.at] == ':' {
				s.at++
				expect = aValue
			}
		case b == ',' && expect == aComma:
			s.at++
			expect = open.next()
		case b == ':' && expect == aColon:
			s.at++
			expect = aValue
		case b <= ' ':
			if s.space(); s.at < len(data) && data[s.at] <= ' ' {
				return s.fail()
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
			if err := s.skip(); err != nil { // a number or a word
				return err
			}
			expect = aComma
		default:
			return s.fail()
		}
	}
	return errCut
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
func (s *scanner) key() ([]byte, error) {
	if s.peek() != '"' {
		return nil, s.fail()
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
	return key, s.expect(':')
}

// object passes an object, calling visit at each member's value with the key.
// visit has to pass the value.
func (s *scanner) object(visit func(key []byte) error) error {
	if err := s.expect('{'); err != nil {
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

// array passes an array, calling visit at each element. visit has to pass it.
func (s *scanner) array(visit func() error) error {
	if err := s.expect('['); err != nil {
		return err
	}
	return s.members(']', visit)
}

// members passes what is between an opening bracket and its closing one.
func (s *scanner) members(closing byte, visit func() error) error {
	if s.depth++; s.depth > mostDepth {
		return errDeep
	}
	defer func() { s.depth-- }()
	if s.peek() == closing {
		s.at++
		return nil
	}
	for {
		if err := visit(); err != nil {
			return err
		}
		switch s.peek() {
		case ',':
			s.at++
		case closing:
			s.at++
			return nil
		default:
			return s.fail()
		}
	}
}
