package sandbox

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// A snippet is a few files under version control. Its id is a short text,
// whatever Atlassian's document says.
type snippet struct {
	ws               *workspace
	id               string
	title            *string
	private          bool
	owner, creator   *user // owner is nil when the workspace owns it
	created, updated stamp
	files            map[string][]byte
	hash             string // of the commit with these files
	changes          int    // commits before that one
}

// change replaces files or, where nil, deletes them, in a commit of its own.
func (s *snippet) change(seed uint64, at stamp, files map[string][]byte) {
	next := maps.Clone(s.files)
	if next == nil {
		next = map[string][]byte{}
	}
	for name, content := range files {
		if content == nil {
			delete(next, name)
		} else {
			next[name] = content
		}
	}
	h := mix(seed, kindSnippet, uint64(at))
	for _, c := range s.id {
		h = mix(h, kindSnippet, uint64(c))
	}
	hash := strings.ReplaceAll(strings.Trim(uuidOf(h, kindSnippet, uint64(s.changes)), "{}"), "-", "")
	s.files, s.hash, s.changes = next, hash+hash[:8], s.changes+1
}

// snippetID is the n-th short id: five letters or digits, or more.
func snippetID(seed, n uint64) string {
	return "s" + strconv.FormatUint(mix(seed, kindSnippet, n)%(1<<30)|1<<20, 36)
}

func (w *world) seedSnippet(n int, people []*user) *snippet {
	h := mix(w.seed, kindSnippet, uint64(n)+1<<33)
	author := people[int(h>>8%uint64(len(people)))]
	s := &snippet{
		ws: w.workspaces[0], id: snippetID(w.seed, uint64(n)), private: n%3 != 1, creator: author,
		created: seedStart() + stamp(h>>4%uint64(seedEnd()-seedStart())),
	}
	if n%4 == 2 {
		s.owner = author
	}
	if title := "How to " + pick(w.words.first, h>>12) + " the " + pick(w.words.second, h>>20); n%5 != 4 {
		s.title = &title
	}
	first := pick(w.words.second, h>>28) + ".sh"
	s.change(w.seed, s.created, map[string][]byte{
		first:       []byte("#!/bin/sh\nset -eu\necho " + pick(w.words.first, h>>40) + "\n"),
		"README.md": []byte("# Notes\n\n" + pick(w.words.descriptions, h>>44) + "\n"),
	})
	s.updated = s.created
	if n%2 == 0 {
		s.updated += stamp(h >> 16 % uint64(seedEnd()-s.created))
		s.change(w.seed, s.updated, map[string][]byte{
			first: []byte("#!/bin/sh\nset -eu\necho " + pick(w.words.first, h>>48) + "\n"),
		})
	}
	return s
}

func (l links) snippetURL(s *snippet) string { return l.api + "/snippets/" + s.ws.slug + "/" + s.id }

// snippet is the record without its files, as lists have it.
func (l links) snippet(s *snippet) object {
	self := l.snippetURL(s)
	return object{
		{"type", "snippet"},
		{"id", s.id},
		{"title", s.title},
		{"scm", "git"},
		{"is_private", s.private},
		{"created_on", s.created},
		{"updated_on", s.updated},
		{"owner", l.ownerOf(s.ws, s.owner)},
		{"creator", l.userMini(s.creator)},
		{"links", object{
			{"self", href(self)},
			{"html", href(siteURL + "/" + s.ws.slug + "/workspace/snippets/" + s.id)},
			{"comments", href(self + "/comments")},
			{"watchers", href(self + "/watchers")},
			{"commits", href(self + "/commits")},
			{"patch", href(self + "/" + s.hash + "/patch")},
			{"diff", href(self + "/" + s.hash + "/diff")},
		}},
	}
}

// snippetWhole is the record with its files.
func (l links) snippetWhole(s *snippet) object {
	files := object{}
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		files = append(files, pair{name, object{{"links", object{
			{"self", href(l.snippetURL(s) + "/" + s.hash + "/files/" + (&url.URL{Path: name}).EscapedPath())},
			{"html", href(siteURL + "/" + s.ws.slug + "/workspace/snippets/" + s.id + "#file-" + name)},
		}}}})
	}
	return append(l.snippet(s), pair{"files", files})
}
