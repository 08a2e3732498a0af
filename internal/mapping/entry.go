package mapping

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"

	"windlass/internal/jsonscan"
	"windlass/manifest"
)

// AppendEntry appends the entry of one record to dst: its fields, its mapped
// fields, and the record itself. When the record is no valid JSON object it
// returns dst as it was and a *windlass.Error of kind windlass.Malformed.
func (p *Plan) AppendEntry(dst, record []byte) ([]byte, error) {
	w := p.walker()
	defer p.free(w)
	if err := w.walk(record, p); err != nil {
		return dst, err
	}
	dst = append(dst, `{"fields":{`...)
	begin := len(dst)
	if p.all {
		dst = p.appendAll(dst, w)
	}
	for i := range p.fields {
		f := &p.fields[i]
		slot := w.first(f.from)
		if slot == nil || p.all && top(p.routes.slots[f.from.slots[0]]) && slot == &w.slots[f.from.slots[0]] {
			continue // it is not there, or is among all of them already
		}
		dst = f.append(append(separate(dst, begin), f.key...), slot)
	}
	dst = append(dst, `},"mappedFields":{`...)
	dst = appendTargets(dst, w, p.mapped.below)
	dst = append(dst, `},"raw":`...)
	dst = append(dst, record...)
	return append(dst, '}'), nil
}

// top reports whether a path leads to a key at the top.
func top(path manifest.Path) bool { return len(path) == 1 }

// free returns a walker to the pool, without the record.
func (p *Plan) free(w *walker) {
	w.scan = jsonscan.Scanner{}
	p.walkers.Put(w)
}

// separate appends a comma if something was appended since begin.
func separate(dst []byte, begin int) []byte {
	if len(dst) > begin {
		return append(dst, ',')
	}
	return dst
}

// first returns the first slot of a source that has a value; nil if none has.
func (w *walker) first(from source) *found {
	for _, slot := range from.slots {
		if w.slots[slot].present {
			return &w.slots[slot]
		}
	}
	return nil
}

// append appends the value of a field.
func (f *field) append(dst []byte, slot *found) []byte {
	if !slot.many {
		return f.values.append(dst, slot.value)
	}
	dst = append(dst, '[')
	for i, value := range slot.list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = f.values.appendScalar(dst, value)
	}
	return append(dst, ']')
}

// appendTargets appends the members of an object of mapped fields. An object that would
// be empty is removed again, with its comma and key: what is absent stays absent.
func appendTargets(dst []byte, w *walker, targets []*target) []byte {
	begin := len(dst)
	for _, t := range targets {
		before := len(dst)
		if t.field != nil {
			if slot := w.first(t.field.from); slot != nil {
				dst = t.field.append(append(separate(dst, begin), t.key...), slot)
			}
			continue
		}
		dst = append(append(separate(dst, begin), t.key...), '{')
		inside := len(dst)
		if dst = appendTargets(dst, w, t.below); len(dst) == inside {
			dst = dst[:before]
			continue
		}
		dst = append(dst, '}')
	}
	return dst
}

// appendAll appends every key at the top of the record that is not barred.
func (p *Plan) appendAll(dst []byte, w *walker) []byte {
	w.top = slices.DeleteFunc(w.top, func(m member) bool { return p.barred[string(m.key)] })
	begin := len(dst)
	late := w.superseded()
	for i, m := range w.top {
		if late != nil && late[i] {
			continue
		}
		dst = appendLower(separate(dst, begin), m.key)
		dst = p.named[string(m.key)].append(dst, m.value)
	}
	return dst
}

// appendLower appends a key in quotes, in lower case, with the colon.
func appendLower(dst, key []byte) []byte {
	if !plain(key) {
		return append(dst, quoteKey(strings.ToLower(string(key)))...)
	}
	dst = append(dst, '"')
	for _, b := range key {
		if b >= 'A' && b <= 'Z' {
			b |= 0x20
		}
		dst = append(dst, b)
	}
	return append(dst, '"', ':')
}

// superseded says which members of the record have a later one of the same name
// in lower case; nil means none. It compares names only where a sketch of them
// has a collision, so that for the usual record it costs one look at each.
func (w *walker) superseded() []bool {
	const few = 128 // more than any provider's record has, to compare each with each
	var sketch [8]uint64
	repeated := len(w.top) > few
	for i := 0; i < len(w.top) && !repeated; i++ {
		key := w.top[i].key
		if len(key) == 0 {
			repeated = true // rare enough not to be told apart
			break
		}
		bit := (uint(len(key))*41 + uint(key[0]|0x20)*31 + uint(key[len(key)-1]|0x20)*7 + uint(key[len(key)/2]|0x20)) % 512
		if sketch[bit/64]&(1<<(bit%64)) != 0 {
			for earlier := 0; earlier < i && !repeated; earlier++ {
				repeated = bytes.EqualFold(w.top[earlier].key, key)
			}
		}
		repeated = repeated || !plain(key)
		sketch[bit/64] |= 1 << (bit % 64)
	}
	if !repeated {
		return nil
	}
	seen := make(map[string]bool, len(w.top))
	late := make([]bool, len(w.top))
	for i := len(w.top) - 1; i >= 0; i-- {
		name := strings.ToLower(string(w.top[i].key))
		late[i] = seen[name]
		seen[name] = true
	}
	return late
}

// plain reports whether a key is ASCII that stands in JSON as it is.
func plain(key []byte) bool {
	for _, b := range key {
		if b < ' ' || b == '"' || b == '\\' || b >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
