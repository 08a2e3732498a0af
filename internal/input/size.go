package input

import (
	"iter"
	"maps"
	"slices"
	"unicode/utf8"
)

// How much one text, list or object of a tree may hold.
const (
	maxEntries = 1000
	maxText    = 4096 // characters
)

// Sizes adds an issue for every value or key of a tree that is too large. top is the
// path of the tree. Texts under one of the keys in long are for
// people, or are values of records; all others are names.
func (is *Issues) Sizes(tree any, top string, long ...string) {
	sizes{is, top, long}.check(tree, nil)
}

type sizes struct {
	*Issues

	top  string
	long []string
}

// check looks at a value. at leads to it, spelt out only where something is wrong.
func (is sizes) check(value any, at []string) {
	if is.Full() {
		return
	}
	place := func() string {
		text := is.top
		for _, key := range at {
			text = Within(text, Shorten(key))
		}
		return text
	}
	switch value := value.(type) {
	case string:
		limit := maxName
		if len(at) > 0 && slices.Contains(is.long, at[len(at)-1]) {
			limit = maxText
		}
		if utf8.RuneCountInString(value) > limit {
			is.Addf(place(), "is longer than %d characters", limit)
		}
	case []any:
		if len(value) > maxEntries {
			is.Addf(place(), "has %d entries: at most %d are allowed", len(value), maxEntries)
			return
		}
		for i := range value {
			is.check(value[i], at)
		}
	case map[string]any:
		if len(value) > maxEntries {
			is.Addf(place(), "has %d keys: at most %d are allowed", len(value), maxEntries)
			return
		}
		for key := range UntilFull(is.Issues, value) {
			inside := slices.Concat(at, []string{key})
			if utf8.RuneCountInString(key) > maxName {
				at = inside
				is.Addf(place(), "has a name of more than %d characters", maxName)
				at = at[:len(at)-1]
				continue
			}
			is.check(value[key], inside)
		}
	}
}

// UntilFull goes through the keys of a map in order, and stops when there is no
// room for another issue.
func UntilFull[V any](is *Issues, of map[string]V) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, key := range slices.Sorted(maps.Keys(of)) {
			if is.Full() || !yield(key) {
				return
			}
		}
	}
}
