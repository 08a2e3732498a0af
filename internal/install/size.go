package install

import (
	"iter"
	"slices"
	"unicode/utf8"
)

// Maximum sizes of a text, a list and an object of a config.
const (
	maxEntries = 1000
	maxText    = 4096 // characters
)

// longTexts are the keys of a config's texts that are for people, or are values of
// records. All others are names.
var longTexts = []string{"value", "stringValue", "prompt"}

// sizes adds an issue for every value or key of a tree that is too large. at returns
// the path of the value, for an issue.
func (is *issues) sizes(value any, at []string, top string) {
	if is.full() {
		return
	}
	place := func() string {
		text := top
		for _, key := range at {
			text = within(text, shorten(key))
		}
		return text
	}
	switch value := value.(type) {
	case string:
		limit := maxName
		if len(at) > 0 && slices.Contains(longTexts, at[len(at)-1]) {
			limit = maxText
		}
		if utf8.RuneCountInString(value) > limit {
			is.addf(place(), "is longer than %d characters", limit)
		}
	case []any:
		if len(value) > maxEntries {
			is.addf(place(), "has %d entries: at most %d are allowed", len(value), maxEntries)
			return
		}
		for i := range value {
			is.sizes(value[i], at, top)
		}
	case map[string]any:
		if len(value) > maxEntries {
			is.addf(place(), "has %d keys: at most %d are allowed", len(value), maxEntries)
			return
		}
		for key := range untilFull(is, value) {
			inside := slices.Concat(at, []string{key})
			if utf8.RuneCountInString(key) > maxName {
				at = inside
				is.addf(place(), "has a name of more than %d characters", maxName)
				at = at[:len(at)-1]
				continue
			}
			is.sizes(value[key], inside, top)
		}
	}
}

// untilFull goes through the keys of a map in order, and stops when there is no
// room for another issue.
func untilFull[V any](is *issues, of map[string]V) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, key := range sortedKeys(of) {
			if is.full() || !yield(key) {
				return
			}
		}
	}
}
