// Package nearest finds the name that a user probably meant, for errors that
// help. It is pure, and takes names of any length in bounded time.
package nearest

import "strings"

// longest is the length of the longest name that is compared: a longer one is not a
// typing error, and the work is quadratic.
const maxLength = 64

// To returns the one of names that was probably meant by name, or "" when none
// comes near. Case does not count, two swapped letters count once, and the
// beginning of a single name counts for the whole.
func To(name string, names []string) string {
	if len(name) > maxLength {
		return ""
	}
	name = strings.ToLower(name)
	best, least := "", (len([]rune(name))+1)/3
	for _, candidate := range names {
		if len(candidate) > maxLength {
			continue
		}
		if d := distance(name, strings.ToLower(candidate)); d < least || d == least && best == "" {
			best, least = candidate, d
		}
	}
	if best == "" {
		return begun(name, names)
	}
	return best
}

// begun returns the only name that begins with what was typed, as "repos" does
// for "repositories".
func begun(typed string, names []string) string {
	const least = 3 // letters; a shorter beginning proves nothing
	found := ""
	for _, candidate := range names {
		if len(typed) < least || !strings.HasPrefix(strings.ToLower(candidate), typed) {
			continue
		}
		if found != "" {
			return ""
		}
		found = candidate
	}
	return found
}

// distance counts the letters that must be put in, left out, replaced or
// swapped with their neighbour to turn a into b.
func distance(a, b string) int {
	from, to := []rune(a), []rune(b)
	before := make([]int, len(to)+1) // the row for from[:i-2]
	last := make([]int, len(to)+1)   // the row for from[:i-1]
	row := make([]int, len(to)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(from); i++ {
		row[0] = i
		for j := 1; j <= len(to); j++ {
			differs := 1
			if from[i-1] == to[j-1] {
				differs = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+differs)
			if i > 1 && j > 1 && from[i-1] == to[j-2] && from[i-2] == to[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(to)]
}
