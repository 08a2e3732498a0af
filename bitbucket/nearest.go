package bitbucket

import (
	"strconv"
	"strings"
)

// quote shows a name that somebody typed, cut to a length that fits a line.
func quote(name string) string {
	const most = 60
	if len(name) > most {
		name = name[:most] + "…"
	}
	return strconv.Quote(name)
}

// suggest says which of the names was probably meant, or lists them all when
// none is near.
func suggest(name string, names []string) string {
	if near, ok := nearest(name, names); ok {
		return "did you mean " + strconv.Quote(near) + "?"
	}
	return "there are: " + strings.Join(names, ", ")
}

// nearest returns the name with the fewest single-letter edits to the one
// given, if they are few enough for a slip of the fingers; else the only name
// that begins like it.
func nearest(name string, names []string) (string, bool) {
	const longest = 100 // a longer name is no slip, and the distance is quadratic
	if len(name) > longest {
		return "", false
	}
	best, found := 1+max(2, len(name)/3), ""
	for _, candidate := range names {
		if d := distance(strings.ToLower(name), candidate); d < best {
			best, found = d, candidate
		}
	}
	if found == "" {
		found = onlyPrefixed(strings.ToLower(name), names)
	}
	return found, found != ""
}

// onlyPrefixed returns the name that begins with what was typed, if it is three
// letters or more and there is only one such name.
func onlyPrefixed(typed string, names []string) string {
	const least = 3
	found := ""
	for _, candidate := range names {
		if len(typed) < least || !strings.HasPrefix(candidate, typed) {
			continue
		}
		if found != "" {
			return ""
		}
		found = candidate
	}
	return found
}

// distance is the Levenshtein distance of two names, byte by byte.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			above := row[j+1]
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(diagonal+cost, above+1, row[j]+1)
			diagonal = above
		}
	}
	return row[len(b)]
}
