package install

import (
	"slices"
	"strings"
)

const contentMask = "config.content"

// contentPath reads a path of an update's mask that leads into a config's
// content: it returns the keys on the way. Names of objects hold slashes and
// may hold dots, and stand in a mask as they are: the longest known one that
// fits is meant, and what is behind it is a key of the object's config. Where
// none fits, all that follows is the name of an unknown object.
func contentPath(path string, objects []string) (keys []string, found bool) {
	rest, found := strings.CutPrefix(path, contentMask)
	if !found {
		return nil, false
	}
	if rest == "" {
		return []string{}, true
	}
	rest, found = strings.CutPrefix(rest, ".")
	if !found {
		return nil, false
	}
	action, rest, deeper := strings.Cut(rest, ".")
	switch {
	case action == "proxy" && (!deeper || rest == "enabled"):
		if !deeper {
			return []string{action}, true
		}
		return []string{action, rest}, true
	case !slices.Contains(actions, action):
		return nil, false
	case !deeper:
		return []string{action}, true
	}
	const list = "objects"
	if rest == list {
		return []string{action, list}, true
	}
	rest, found = strings.CutPrefix(rest, list+".")
	if !found || rest == "" {
		return nil, false
	}
	longest := ""
	for _, name := range objects {
		if len(name) > len(longest) && (rest == name || strings.HasPrefix(rest, name+".")) {
			longest = name
		}
	}
	if longest == "" || rest == longest {
		return []string{action, list, rest}, true
	}
	key := rest[len(longest)+1:]
	if key == "" || strings.Contains(key, ".") {
		return nil, false
	}
	return []string{action, list, longest, key}, true
}

// actions are those with objects.
var actions = []string{"read", "write", "subscribe"}
