package sandbox

import (
	"maps"
	"mime"
	"path"
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
	commits          []*commit // oldest first, never empty
	comments         []*comment
	watchers         []*user
}

// A commit is a state of all files.
type commit struct {
	hash    string
	author  *user
	date    stamp
	message string
	files   map[string][]byte
}

// A comment was written on a snippet.
type comment struct {
	id               int
	author           *user
	created, updated stamp
	text             string
	parent           int // id of the comment it answers; 0 for none
	deleted          bool
}

func (s *snippet) head() *commit { return s.commits[len(s.commits)-1] }

// revision finds a commit by its hash or the beginning of it; nil when there
// is none.
func (s *snippet) revision(hash string) *commit {
	for _, c := range s.commits {
		if len(hash) >= 7 && strings.HasPrefix(c.hash, hash) {
			return c
		}
	}
	return nil
}

// before is the commit that c follows, nil for the first.
func (s *snippet) before(c *commit) *commit {
	if i := slices.Index(s.commits, c); i > 0 {
		return s.commits[i-1]
	}
	return nil
}

func (c *commit) names() []string { return slices.Sorted(maps.Keys(c.files)) }

// change adds a commit in which files are replaced or, where nil, deleted.
func (s *snippet) change(seed uint64, author *user, at stamp, files map[string][]byte) {
	next := map[string][]byte{}
	message := "Snippet created."
	if len(s.commits) > 0 {
		message = "Snippet updated."
		maps.Copy(next, s.head().files)
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
	hash := strings.ReplaceAll(strings.Trim(uuidOf(h, kindSnippet, uint64(len(s.commits))), "{}"), "-", "")
	s.commits = append(s.commits, &commit{
		hash: hash + hash[:8], author: author, date: at, message: message, files: next,
	})
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
	s.change(w.seed, author, s.created, map[string][]byte{
		first:       []byte("#!/bin/sh\nset -eu\necho " + pick(w.words.first, h>>40) + "\n"),
		"README.md": []byte("# Notes\n\n" + pick(w.words.descriptions, h>>44) + "\n"),
	})
	s.updated = s.created
	if n%2 == 0 {
		s.updated += stamp(h >> 16 % uint64(seedEnd()-s.created))
		s.change(w.seed, people[0], s.updated, map[string][]byte{
			first: []byte("#!/bin/sh\nset -eu\necho " + pick(w.words.first, h>>48) + "\n"),
		})
	}
	for i := range n % 4 {
		at := s.created + stamp(i+1)*1_000_003
		s.comments = append(s.comments, &comment{
			id: 1000*(n+1) + i, author: people[(n+i)%len(people)], created: at, updated: at,
			text: pick(w.words.descriptions, mix(h, kindComment, uint64(i))) + " Thanks!",
		})
	}
	s.watchers = []*user{author}
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
			{"patch", href(self + "/" + s.head().hash + "/patch")},
			{"diff", href(self + "/" + s.head().hash + "/diff")},
		}},
	}
}

// snippetAt is the record with the files of one commit.
func (l links) snippetAt(s *snippet, at *commit) object {
	files := object{}
	for _, name := range at.names() {
		files = append(files, pair{name, object{{"links", object{
			{"self", href(l.fileURL(s, at, name))},
			{"html", href(siteURL + "/" + s.ws.slug + "/workspace/snippets/" + s.id + "#file-" + name)},
		}}}})
	}
	return append(l.snippet(s), pair{"files", files})
}

func (l links) fileURL(s *snippet, at *commit, name string) string {
	return l.snippetURL(s) + "/" + at.hash + "/files/" + escapePath(name)
}

// mimeType goes by the name alone and, for text, names no encoding. The few
// types that matter are fixed, since the tables of the machine differ.
func mimeType(name string) string {
	switch ext := path.Ext(name); ext {
	case ".md":
		return "text/markdown"
	case ".sh":
		return "application/x-sh"
	case ".go", ".py", ".txt":
		return "text/plain"
	default:
		if kind, _, err := mime.ParseMediaType(mime.TypeByExtension(ext)); err == nil {
			return kind
		}
		return "application/octet-stream"
	}
}
