package bitbucket

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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

func (s *scanner) skip() error {
	switch b := s.peek(); {
	case b == '{':
		return s.object(func([]byte) error { return s.skip() })
	case b == '[':
		return s.array(s.skip)
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

// object passes an object, calling visit at each member's value with the key.
// visit has to pass the value.
func (s *scanner) object(visit func(key []byte) error) error {
	if err := s.expect('{'); err != nil {
		return err
	}
	return s.members('}', func() error {
		if s.peek() != '"' {
			return s.fail()
		}
		key, err := s.text()
		if err != nil {
			return err
		}
		if err := s.expect(':'); err != nil {
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

// text passes a string and returns its raw bytes between the quotes.
func (s *scanner) text() ([]byte, error) {
	s.at++ // the opening quote
	start := s.at
	for s.at < len(s.data) {
		switch b := s.data[s.at]; {
		case b == '"':
			s.at++
			return s.data[start : s.at-1], nil
		case b == '\\':
			if err := s.escape(); err != nil {
				return nil, err
			}
		case b < ' ':
			return nil, s.fail()
		default:
			s.at++
		}
	}
	return nil, errCut
}

// escape passes a backslash and what belongs to it.
func (s *scanner) escape() error {
	if s.at++; s.at >= len(s.data) {
		return errCut
	}
	if s.data[s.at] != 'u' {
		if bytes.IndexByte([]byte(`"\/bfnrt`), s.data[s.at]) < 0 {
			return s.fail()
		}
		s.at++
		return nil
	}
	for range 4 {
		if s.at++; s.at >= len(s.data) {
			return errCut
		}
		b := s.data[s.at] | 0x20
		if (b < '0' || b > '9' || s.data[s.at] != b) && (b < 'a' || b > 'f') {
			return s.fail()
		}
	}
	s.at++
	return nil
}

// unescape resolves the escapes in a string that has been passed.
func unescape(inside []byte) []byte {
	var text string
	if json.Unmarshal(slices.Concat([]byte{'"'}, inside, []byte{'"'}), &text) != nil {
		return inside
	}
	return []byte(text)
}

func (s *scanner) word(word string) error {
	if !bytes.HasPrefix(s.data[s.at:], []byte(word)) {
		if bytes.HasPrefix([]byte(word), s.data[s.at:]) {
			s.at = len(s.data)
		}
		return s.fail()
	}
	s.at += len(word)
	return nil
}

func (s *scanner) number() error {
	if s.data[s.at] == '-' {
		s.at++
	}
	switch {
	case s.at < len(s.data) && s.data[s.at] == '0':
		s.at++
	case s.digits() == 0:
		return s.fail()
	}
	if s.at < len(s.data) && s.data[s.at] == '.' {
		s.at++
		if s.digits() == 0 {
			return s.fail()
		}
	}
	if s.at < len(s.data) && s.data[s.at]|0x20 == 'e' {
		s.at++
		if s.at < len(s.data) && (s.data[s.at] == '+' || s.data[s.at] == '-') {
			s.at++
		}
		if s.digits() == 0 {
			return s.fail()
		}
	}
	return nil
}

// digits passes a run of digits and returns how many there were.
func (s *scanner) digits() int {
	start := s.at
	for s.at < len(s.data) && s.data[s.at] >= '0' && s.data[s.at] <= '9' {
		s.at++
	}
	return s.at - start
}
