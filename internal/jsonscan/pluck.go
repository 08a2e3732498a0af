package jsonscan

import (
	"bytes"
	"strings"
)

// Wanted is a tree of the dotted paths whose values are plucked from records
// while they are passed over.
type Wanted []wantKey

type wantKey struct {
	key  []byte
	slot int // which result the value goes to; -1 when only something below is wanted
	sub  Wanted
}

// Want builds the tree for dotted paths; the n-th path fills the n-th slot.
func Want(paths ...string) Wanted {
	var tree Wanted
	for slot, path := range paths {
		tree = tree.add(strings.Split(path, "."), slot)
	}
	return tree
}

func (w Wanted) add(path []string, slot int) Wanted {
	for i := range w {
		if string(w[i].key) == path[0] {
			w[i].put(path[1:], slot)
			return w
		}
	}
	one := wantKey{key: []byte(path[0]), slot: -1}
	one.put(path[1:], slot)
	return append(w, one)
}

func (k *wantKey) put(rest []string, slot int) {
	if len(rest) == 0 {
		k.slot = slot
		return
	}
	k.sub = k.sub.add(rest, slot)
}

// Pluck passes one value and puts the raw values wanted of it into slots.
func (s *Scanner) Pluck(w Wanted, slots [][]byte) error {
	if len(w) == 0 || s.Peek() != '{' {
		return s.Skip()
	}
	return s.Object(func(key []byte) error {
		for i := range w {
			if len(w[i].key) != len(key) || !bytes.Equal(w[i].key, key) {
				continue
			}
			s.Space()
			start := s.at
			if err := s.Pluck(w[i].sub, slots); err != nil {
				return err
			}
			if w[i].slot >= 0 {
				slots[w[i].slot] = s.Since(start)
			}
			return nil
		}
		return s.Skip()
	})
}

// Plain returns the text of a raw JSON string, or the digits of a number; ""
// for anything else.
func Plain(raw []byte) string {
	if len(raw) == 0 {
		return ""
	}
	if raw[0] == '"' {
		inside := raw[1 : len(raw)-1]
		if bytes.IndexByte(inside, '\\') < 0 {
			return string(inside)
		}
		return string(unescape(inside))
	}
	if raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9' {
		return string(raw)
	}
	return ""
}
