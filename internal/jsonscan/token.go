package jsonscan

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math/bits"
	"slices"
	"strings"
)

// text passes a string and returns its raw bytes between the quotes.
func (s *Scanner) text() ([]byte, error) {
	start := s.at + 1
	s.at = start
	for {
		s.at = special(s.data, s.at)
		if s.at >= len(s.data) {
			return nil, errCut
		}
		switch s.data[s.at] {
		case '"':
			s.at++
			return s.data[start : s.at-1], nil
		case '\\':
			if err := s.escape(); err != nil {
				return nil, err
			}
		default:
			return nil, s.Fail()
		}
	}
}

// special finds the next quote, backslash or control character. Strings are
// most of a page, so it looks at eight bytes at a time: subtracting sets the
// high bit of a byte that was smaller, and exclusive-or makes a wanted byte zero.
// A bit set by a borrow stands behind a true one, and only the first counts.
func special(data []byte, at int) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x8080808080808080
	)
	for ; at+8 <= len(data); at += 8 {
		word := binary.LittleEndian.Uint64(data[at:])
		quote, slash := word^(ones*'"'), word^(ones*'\\')
		found := ((word - ones*' ') & ^word) | ((quote - ones) & ^quote) | ((slash - ones) & ^slash)
		if found &= highs; found != 0 {
			return at + bits.TrailingZeros64(found)/8
		}
	}
	for ; at < len(data); at++ {
		if b := data[at]; b == '"' || b == '\\' || b < ' ' {
			break
		}
	}
	return at
}

// escape passes a backslash and what belongs to it.
func (s *Scanner) escape() error {
	if s.at++; s.at >= len(s.data) {
		return errCut
	}
	if s.data[s.at] != 'u' {
		if strings.IndexByte(`"\/bfnrt`, s.data[s.at]) < 0 {
			return s.Fail()
		}
		s.at++
		return nil
	}
	for range 4 { // hexadecimal digits
		if s.at++; s.at >= len(s.data) {
			return errCut
		}
		b := s.data[s.at] | 0x20
		if (b < '0' || b > '9' || s.data[s.at] != b) && (b < 'a' || b > 'f') {
			return s.Fail()
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

func (s *Scanner) word(word string) error {
	if !bytes.HasPrefix(s.data[s.at:], []byte(word)) {
		if bytes.HasPrefix([]byte(word), s.data[s.at:]) {
			s.at = len(s.data)
		}
		return s.Fail()
	}
	s.at += len(word)
	return nil
}

func (s *Scanner) number() error {
	if s.data[s.at] == '-' {
		s.at++
	}
	switch {
	case s.at < len(s.data) && s.data[s.at] == '0':
		s.at++
	case s.digits() == 0:
		return s.Fail()
	}
	if s.at < len(s.data) && s.data[s.at] == '.' {
		s.at++
		if s.digits() == 0 {
			return s.Fail()
		}
	}
	if s.at < len(s.data) && s.data[s.at]|0x20 == 'e' {
		s.at++
		if s.at < len(s.data) && (s.data[s.at] == '+' || s.data[s.at] == '-') {
			s.at++
		}
		if s.digits() == 0 {
			return s.Fail()
		}
	}
	return nil
}

// digits passes a run of digits and returns how many there were.
func (s *Scanner) digits() int {
	start := s.at
	for s.at < len(s.data) && s.data[s.at] >= '0' && s.data[s.at] <= '9' {
		s.at++
	}
	return s.at - start
}
