package manifest

import "strings"

// nearest returns the one of names that was probably meant by name, or "" when
// none comes near. Case does not count, two swapped letters count once, and a
// beginning counts for the whole.
func nearest(name string, names []string) string {
	const longest = 64 // nobody mistypes more than that, and the work is quadratic
	if len(name) > longest {
		return ""
	}
	best, least := "", (len([]rune(name))+1)/3
	for _, candidate := range names {
		if len(candidate) > longest {
			continue
		}
		if d := distance(strings.ToLower(name), strings.ToLower(candidate)); d < least || d == least && best == "" {
			best, least = candidate, d
		}
	}
	if best == "" && len(name) >= 3 {
		for _, candidate := range names { // "repos" stands for "repositories"
			if strings.HasPrefix(strings.ToLower(candidate), strings.ToLower(name)) {
				return candidate
			}
		}
	}
	return best
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
