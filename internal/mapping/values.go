package mapping

import (
	"bytes"

	"windlass/internal/jsonscan"
)

// values replaces strings by others: for reading the provider's by those that
// are delivered, in quotes already.
type values map[string][]byte

// valueMapping finds the values that are mapped for a target, which may be
// empty, or else for a source.
func (s *Selection) valueMapping(target, field string) map[string]string {
	if m, found := s.SelectedValueMappings[target]; found && target != "" {
		return m
	}
	return s.SelectedValueMappings[field]
}

// delivered returns the values for reading.
func delivered(object, field string, mapping map[string]string) (values, error) {
	v := make(values, len(mapping))
	from := map[string]string{}
	for ours, theirs := range mapping {
		if other, taken := from[theirs]; taken {
			return nil, invalid(object, "the value %q of %s is delivered both as %q and as %q", theirs, field, min(ours, other), max(ours, other))
		}
		from[theirs] = ours
		v[theirs] = quote(ours)
	}
	return v, nil
}

// written returns the values for writing.
func written(mapping map[string]string) values {
	v := make(values, len(mapping))
	for ours, theirs := range mapping {
		v[ours] = quote(theirs)
	}
	return v
}

// append appends a valid JSON value, with the strings in it replaced if it is a
// string or a list.
func (v values) append(dst, value []byte) []byte {
	if len(v) > 0 && value[0] == '[' {
		return v.appendList(dst, value)
	}
	return v.appendScalar(dst, value)
}

// appendScalar appends a value, replaced if it is a string, but not in a list.
func (v values) appendScalar(dst, value []byte) []byte {
	if len(v) == 0 || value[0] != '"' {
		return append(dst, value...)
	}
	replacement, found := v[string(value[1:len(value)-1])]
	if bytes.IndexByte(value, '\\') >= 0 {
		replacement, found = v[jsonscan.Plain(value)]
	}
	if found {
		return append(dst, replacement...)
	}
	return append(dst, value...)
}

// appendList replaces the strings of a list, but not those further down. Everything
// between them is copied unchanged.
func (v values) appendList(dst, value []byte) []byte {
	s := jsonscan.New(value)
	copied := 0
	_ = s.Array(func() error { // it has been passed once without an error
		s.Space()
		start := s.At()
		err := s.Skip()
		if err == nil {
			dst = append(dst, value[copied:start]...)
			dst = v.appendScalar(dst, value[start:s.At()])
			copied = s.At()
		}
		return err
	})
	return append(dst, value[copied:]...)
}
