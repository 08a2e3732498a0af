package bitbucket

import (
	"bytes"
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

var errCut = errors.New("the JSON breaks off")

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

// skip passes one value. It keeps the brackets that are open in a stack of bits
// rather than in calls, since most of a page is passed over here.
func (s *scanner) skip() error {
	if b := s.peek(); b != '{' && b != '[' {
		return s.scalar()
	}
	var open brackets
	for {
		inside, err := s.begin(&open)
		if err != nil {
			return err
		}
		if inside {
			continue
		}
		for more := false; !more; {
			if open.depth == 0 {
				return nil
			}
			if more, err = s.follow(&open); err != nil {
				return err
			}
		}
	}
}

// begin passes a scalar, an empty container, or the opening of one that has
// members; then it is inside, in front of a value.
func (s *scanner) begin(open *brackets) (inside bool, err error) {
	b := s.peek()
	if b != '{' && b != '[' {
		return false, s.scalar()
	}
	s.at++
	closing := b + 2 // '}' and ']' in ASCII
	if s.peek() == closing {
		s.at++
		return false, nil
	}
	if s.depth+open.depth >= mostDepth {
		return false, fmt.Errorf("JSON nested deeper than %d", mostDepth)
	}
	open.push(b == '{')
	if b == '{' {
		_, err = s.key()
	}
	return true, err
}

// scalar passes a value that is neither an object nor an array.
func (s *scanner) scalar() error {
	switch b := s.peek(); {
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

// follow passes what comes after a value: a comma, and then another value
// follows; or the closing bracket.
func (s *scanner) follow(open *brackets) (more bool, err error) {
	object := open.object()
	switch b := s.peek(); {
	case b == ',':
		s.at++
		if object {
			_, err = s.key()
		}
		return true, err
	case object && b == '}' || !object && b == ']':
		s.at++
		open.depth--
		return false, nil
	default:
		return false, s.fail()
	}
}

// brackets is a stack of open brackets, a bit each: set for an object.
type brackets struct {
	depth int
	bits  [mostDepth/64 + 1]uint64
}

func (b *brackets) push(object bool) {
	word, bit := b.depth/64, uint64(1)<<(b.depth%64)
	b.bits[word] &^= bit
	if object {
		b.bits[word] |= bit
	}
	b.depth++
}

func (b *brackets) object() bool {
	return b.bits[(b.depth-1)/64]&(1<<((b.depth-1)%64)) != 0
}

// key passes a member's name and the colon behind it, and returns the name.
func (s *scanner) key() ([]byte, error) {
	if s.peek() != '"' {
		return nil, s.fail()
	}
	key, err := s.text()
	if err != nil {
		return nil, err
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
		if bytes.IndexByte(key, '\\') >= 0 {
			key = unescape(key)
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
		return fmt.Errorf("JSON nested deeper than %d", mostDepth)
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
