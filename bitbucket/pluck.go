package bitbucket

import (
	"bytes"
	"strings"
)

// wanted is a tree of the dotted paths whose values are plucked from records
// while they are passed over.
type wanted []wantedKey

type wantedKey struct {
	key  []byte
	slot int // which result the value goes to; -1 when only something below is wanted
	sub  wanted
}

// want builds the tree for dotted paths; the n-th path fills the n-th slot.
func want(paths ...string) wanted {
	var tree wanted
	for slot, path := range paths {
		tree = tree.add(strings.Split(path, "."), slot)
	}
	return tree
}

func (w wanted) add(path []string, slot int) wanted {
	for i := range w {
		if string(w[i].key) == path[0] {
			w[i].put(path[1:], slot)
			return w
		}
	}
	one := wantedKey{key: []byte(path[0]), slot: -1}
	one.put(path[1:], slot)
	return append(w, one)
}

func (k *wantedKey) put(rest []string, slot int) {
	if len(rest) == 0 {
		k.slot = slot
		return
	}
	k.sub = k.sub.add(rest, slot)
}

// pluck passes one value and puts the raw values wanted of it into slots.
func (s *scanner) pluck(w wanted, slots [][]byte) error {
	if len(w) == 0 || s.peek() != '{' {
		return s.skip()
	}
	return s.object(func(key []byte) error {
		for i := range w {
			if len(w[i].key) != len(key) || !bytes.Equal(w[i].key, key) {
				continue
			}
			s.space()
			start := s.at
			if err := s.pluck(w[i].sub, slots); err != nil {
				return err
			}
			if w[i].slot >= 0 {
				slots[w[i].slot] = s.data[start:s.at]
			}
			return nil
		}
		return s.skip()
	})
}

// plain returns the text of a raw JSON string, or the digits of a number; ""
// for anything else.
func plain(raw []byte) string {
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
