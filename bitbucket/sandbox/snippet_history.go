package sandbox

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

func (c *call) commit(s *snippet, k *commit) object {
	self := c.at.snippetURL(s)
	parents := list{}
	if before := s.before(k); before != nil {
		parents = append(parents, object{
			{"type", "snippet_commit"},
			{"hash", before.hash},
			{"links", object{{"self", href(self + "/commits/" + before.hash)}}},
		})
	}
	author := object{
		{"type", "author"}, {"raw", k.author.name + " <" + k.author.address() + ">"}, {"user", c.at.userMini(k.author)},
	}
	return object{
		{"type", "snippet_commit"},
		{"hash", k.hash},
		{"date", k.date},
		{"author", author},
		{"message", k.message},
		{"summary", object{{"raw", k.message}, {"markup", "markdown"}, {"html", "<p>" + k.message + "</p>"}}},
		{"parents", parents},
		{"links", object{
			{"self", href(self + "/commits/" + k.hash)},
			{"html", href(siteURL + "/" + s.ws.slug + "/workspace/snippets/" + s.id + "/" + k.hash)},
			{"diff", href(self + "/" + k.hash + "/diff")},
		}},
		{"snippet", object{{"type", "snippet"}, {"title", s.title}, {"links", object{{"self", href(self)}}}}},
	}
}

// listCommits has the latest first, as a log does.
func (c *call) listCommits() (*answer, error) {
	s, _, err := c.snippet()
	if err != nil {
		return nil, err
	}
	return c.paged(10, len(s.commits), envelopeFull, func(b []byte, i int) []byte {
		return appendObject(b, c.commit(s, s.commits[len(s.commits)-1-i]))
	})
}

func (c *call) getCommit() (*answer, error) {
	s, at, err := c.snippet()
	if err != nil {
		return nil, err
	}
	return reply(http.StatusOK, c.commit(s, at))
}

const plainText = "text/plain; charset=utf-8"

func (c *call) getDiff() (*answer, error) {
	s, at, err := c.snippet()
	if err != nil {
		return nil, err
	}
	return &answer{status: http.StatusOK, kind: plainText, body: s.diff(at, c.query.Get("path"))}, nil
}

func (c *call) getPatch() (*answer, error) {
	s, at, err := c.snippet()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "From %s Mon Sep 17 00:00:00 2001\nFrom: %s <%s>\nDate: %s\nSubject: [PATCH] %s\n\n---\n",
		at.hash, at.author.name, at.author.address(), at.date.time().Format(time.RFC1123Z), at.message)
	b.Write(s.diff(at, ""))
	return &answer{status: http.StatusOK, kind: plainText, body: b.Bytes()}, nil
}

// diff compares a commit with the one before, of one file or (with no name) of
// all. A changed file is one hunk that replaces all of it: valid, if not the
// shortest.
func (s *snippet) diff(at *commit, only string) []byte {
	before := map[string][]byte{}
	if previous := s.before(at); previous != nil {
		before = previous.files
	}
	names := at.names()
	for name := range before {
		if _, there := at.files[name]; !there {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var b bytes.Buffer
	for _, name := range names {
		old, had := before[name]
		now, has := at.files[name]
		if only != "" && name != only || had && has && bytes.Equal(old, now) {
			continue
		}
		diffFile(&b, name, old, now, had, has)
	}
	return b.Bytes()
}

func diffFile(b *bytes.Buffer, name string, old, now []byte, had, has bool) {
	fmt.Fprintf(b, "diff --git a/%s b/%s\n", name, name)
	from, to := "a/"+name, "b/"+name
	if !had {
		b.WriteString("new file mode 100644\n")
		from = "/dev/null"
	}
	if !has {
		b.WriteString("deleted file mode 100644\n")
		to = "/dev/null"
	}
	if !utf8.Valid(old) || !utf8.Valid(now) {
		fmt.Fprintf(b, "Binary files %s and %s differ\n", from, to)
		return
	}
	removed, added := lines(old), lines(now)
	fmt.Fprintf(b, "--- %s\n+++ %s\n@@ -%s +%s @@\n", from, to, span(len(removed)), span(len(added)))
	writeLines(b, "-", removed)
	writeLines(b, "+", added)
}

func span(n int) string {
	if n == 0 {
		return "0,0"
	}
	return fmt.Sprintf("1,%d", n)
}

func lines(b []byte) []string {
	if len(b) == 0 {
		return nil
	}
	return strings.SplitAfter(strings.TrimSuffix(string(b), "\n"), "\n")
}

func writeLines(b *bytes.Buffer, mark string, lines []string) {
	for _, line := range lines {
		b.WriteString(mark + strings.TrimSuffix(line, "\n") + "\n")
	}
}

func (c *call) listWatchers() (*answer, error) {
	s, _, err := c.snippet()
	if err != nil {
		return nil, err
	}
	return c.paged(10, len(s.watchers), envelopeFull, func(b []byte, i int) []byte {
		return appendObject(b, c.at.userMini(s.watchers[i]))
	})
}

// getWatch says by its status whether the caller watches.
func (c *call) getWatch() (*answer, error) {
	s, _, err := c.snippet()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(s.watchers, c.who.user) {
		return nil, notFound("You are not watching this snippet.")
	}
	return nothing()
}

func (c *call) putWatch() (*answer, error) {
	s, _, err := c.snippet()
	if err != nil {
		return nil, err
	}
	if !slices.Contains(s.watchers, c.who.user) {
		s.watchers = append(s.watchers, c.who.user)
	}
	return nothing()
}

func (c *call) deleteWatch() (*answer, error) {
	s, _, err := c.snippet()
	if err != nil {
		return nil, err
	}
	s.watchers = slices.DeleteFunc(s.watchers, func(u *user) bool { return u == c.who.user })
	return nothing()
}
