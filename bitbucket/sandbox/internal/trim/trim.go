// Package trim cuts JSON documents down to what a request's `fields` parameter
// asks for, as Atlassian's "Partial responses" describes it.
//
// [Parse] reads the parameter and never fails, because Bitbucket does not
// refuse one either; [Filter.Apply] cuts a tree of map[string]any and []any.
// A Filter is immutable and safe for concurrent use; Apply does not change the
// document it is given, and shares its uncut parts with the result.
//
// The parameter is a list of dotted paths. A plain path, as in
// `values.uuid,next`, starts from nothing and adds; with signed ones only, as
// in `-links` or `+values.owner.created_on`, one starts from the whole
// document. Arrays are looked through, `*` stands for every name at its level,
// and a path selects what is beneath it. Where two paths speak of one value, the
// later one wins: `-*,+uuid` leaves just uuid.
//
// What the description leaves open is decided here: an object or array on the
// way to a selected path stays, even when it comes out empty, and so does a
// null; a missing field is simply missing. Spaces are not trimmed: an unescaped
// plus sign arrives as a space and then matches nothing, as the description
// warns.
//
// Fields that an endpoint leaves out unless they are asked for cannot be cut
// from a document that lacks them: a server asks [Filter.Wants] first and puts
// them in before it applies the filter.
package trim

import "strings"

// maxRules bounds the work per value; later paths are ignored.
const maxRules = 500

// Filter is a parsed `fields` parameter. The zero Filter, and a nil one, keep
// everything.
type Filter struct {
	rules []rule
	only  bool // some path is plain: start from nothing
}

type rule struct {
	include bool
	path    []string // what is left of it at the level being looked at
}

// Parse reads a `fields` parameter after URL decoding. An empty one keeps
// everything.
func Parse(spec string) *Filter {
	f := &Filter{}
	for item := range strings.SplitSeq(spec, ",") {
		path, removes := strings.CutPrefix(item, "-")
		path, adds := strings.CutPrefix(path, "+")
		if path == "" {
			continue
		}
		if len(f.rules) == maxRules {
			break
		}
		f.only = f.only || !removes && !adds
		f.rules = append(f.rules, rule{include: !removes, path: strings.Split(path, ".")})
	}
	return f
}

// IsIdentity reports that Apply would return every document whole, so that a
// server may send the bytes it has.
func (f *Filter) IsIdentity() bool {
	if f == nil {
		return true
	}
	for _, r := range f.rules {
		if !r.include {
			return false
		}
	}
	return !f.only
}

// Wants reports whether the parameter asks for the dotted path by name or by
// wildcard, be it to have nothing else or beside the defaults. Array positions
// are no part of a path.
func (f *Filter) Wants(path string) bool {
	if f == nil {
		return false
	}
	wanted := false
	names := strings.Split(path, ".")
	for _, r := range f.rules {
		if len(r.path) <= len(names) && prefixMatches(r.path, names) {
			wanted = r.include
		}
	}
	return wanted
}

func prefixMatches(pattern, names []string) bool {
	for i, p := range pattern {
		if p != "*" && p != names[i] {
			return false
		}
	}
	return true
}

// Apply returns the document without what the filter leaves out. A document
// that is neither an object nor an array of such is returned as it is.
func (f *Filter) Apply(doc any) any {
	if f.IsIdentity() {
		return doc
	}
	out, _ := cut(doc, f.rules, !f.only)
	return out
}

// cut returns the part of value that stays and whether any does. keep is what
// the rules have decided so far; rules are those whose paths go on beneath it.
func cut(value any, rules []rule, keep bool) (any, bool) {
	if len(rules) == 0 {
		return value, keep
	}
	switch value := value.(type) {
	case map[string]any:
		out := make(map[string]any, min(len(value), 8))
		for name, child := range value {
			below, keep := descend(name, rules, keep)
			if kept, stays := cut(child, below, keep); stays {
				out[name] = kept
			}
		}
		return out, keep || includes(rules)
	case []any:
		out := make([]any, 0, len(value))
		for _, element := range value {
			if kept, stays := cut(element, rules, keep); stays {
				out = append(out, kept)
			}
		}
		return out, keep || includes(rules)
	case nil:
		return nil, keep || includes(rules)
	default:
		return value, keep
	}
}

// descend follows the rules into one name of an object.
func descend(name string, rules []rule, keep bool) ([]rule, bool) {
	var below []rule
	for _, r := range rules {
		switch {
		case r.path[0] != "*" && r.path[0] != name:
		case len(r.path) == 1:
			keep = r.include // rules are in order: the last one stands
			// Whatever was said earlier about parts of this value is overruled.
			below = nil
		default:
			below = append(below, rule{r.include, r.path[1:]})
		}
	}
	return below, keep
}

func includes(rules []rule) bool {
	for _, r := range rules {
		if r.include {
			return true
		}
	}
	return false
}
