package bitbucket

import (
	"strconv"
	"strings"

	"windlass/internal/nearest"
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
	if near := nearest.To(name, names); near != "" {
		return "did you mean " + strconv.Quote(near) + "?"
	}
	return "there are: " + strings.Join(names, ", ")
}
