package api

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
)

// A dispatcher finds the route of a request by its path as it was sent, still
// escaped: an object's name may hold a slash, which arrives as %2F and must not
// part segments. It never redirects and never cleans a path.
type dispatcher struct {
	bySegments map[int][]pattern
}

type pattern struct {
	route    *route
	segments []segment
}

// A segment is a literal, or a name in braces for a value, which may be followed by a
// verb: {connectionId}:oauth-update.
type segment struct {
	literal string
	name    string
	verb    string // with its colon
}

func newDispatcher(routes []route) *dispatcher {
	d := &dispatcher{bySegments: map[int][]pattern{}}
	for i := range routes {
		p := pattern{route: &routes[i]}
		for part := range strings.SplitSeq(routes[i].path[1:], "/") {
			p.segments = append(p.segments, parseSegment(part))
		}
		d.bySegments[len(p.segments)] = append(d.bySegments[len(p.segments)], p)
	}
	for _, patterns := range d.bySegments {
		slices.SortStableFunc(patterns, func(a, b pattern) int { return cmp.Compare(b.fixed(), a.fixed()) })
	}
	return d
}

func parseSegment(part string) segment {
	name, verb, found := strings.Cut(part, "}")
	if !found {
		return segment{literal: part}
	}
	return segment{name: name[1:], verb: verb}
}

// fixed counts the literal parts of a pattern: the pattern with more of them is tried
// first.
func (p pattern) fixed() (n int) {
	for _, s := range p.segments {
		n += len(s.literal) + len(s.verb)
	}
	return n
}

// find returns the route of a request with the parameters in its path. Where
// only the method is wrong it returns the methods that there are instead.
func (d *dispatcher) find(method, escapedPath string) (found *route, params map[string]string, allowed []string) {
	if !strings.HasPrefix(escapedPath, "/") {
		return nil, nil, nil
	}
	parts := strings.Split(escapedPath[1:], "/")
	for _, p := range d.bySegments[len(parts)] {
		params, ok := p.match(parts)
		if !ok {
			continue
		}
		if p.route.method == method {
			return p.route, params, nil
		}
		if !slices.Contains(allowed, p.route.method) {
			allowed = append(allowed, p.route.method)
		}
	}
	slices.Sort(allowed)
	return nil, nil, allowed
}

func (p pattern) match(parts []string) (map[string]string, bool) {
	params := map[string]string{}
	for i, s := range p.segments {
		if s.name == "" {
			if parts[i] != s.literal {
				return nil, false
			}
			continue
		}
		value, ok := s.value(parts[i])
		if !ok {
			return nil, false
		}
		params[s.name] = value
	}
	return params, true
}

// value takes the value of a name. A colon that is not escaped begins a verb,
// so that a verb which is misspelt is no id.
func (s segment) value(part string) (string, bool) {
	raw, ok := strings.CutSuffix(part, s.verb)
	if !ok || raw == "" || len(raw) > maxText || strings.Contains(raw, ":") {
		return "", false
	}
	value, err := url.PathUnescape(raw)
	if err != nil || value == "." || value == ".." || !printable(value) {
		return "", false
	}
	return value, true
}
