package install

import (
	"slices"
	"strings"
)

const contentMask = "config.content"

// contentPath reads a path of an update's mask that leads into a config's
// content: it returns the keys on the way. Names of objects contain slashes and dots,
// and are not escaped in a mask: the longest known name that matches is used, and the
// rest is a key of the object's config. If none matches, the rest is the name of an
// unknown object.
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
