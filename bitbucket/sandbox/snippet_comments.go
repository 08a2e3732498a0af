package sandbox

import (
	"html"
	"net/http"
	"slices"
	"strconv"
)

func (c *call) comment(s *snippet, k *comment) object {
	self := c.at.snippetURL(s) + "/comments/" + strconv.Itoa(k.id)
	text := k.text
	if k.deleted {
		text = ""
	}
	o := object{
		{"type", "snippet_comment"},
		{"id", k.id},
		{"created_on", k.created},
		{"updated_on", k.updated},
		{"content", object{
			{"raw", text}, {"markup", "markdown"}, {"html", "<p>" + html.EscapeString(text) + "</p>"},
		}},
		{"user", c.at.userMini(k.author)},
		{"deleted", k.deleted},
		{"links", object{
			{"self", href(self)},
			{"html", href(siteURL + "/" + s.ws.slug + "/workspace/snippets/" + s.id + "#comment-" + strconv.Itoa(k.id))},
		}},
		{"snippet", object{
			{"type", "snippet"}, {"title", s.title}, {"links", object{{"self", href(c.at.snippetURL(s))}}},
		}},
	}
	if k.parent != 0 {
		parent := c.at.snippetURL(s) + "/comments/" + strconv.Itoa(k.parent)
		o = append(o, pair{"parent", object{
			{"type", "snippet_comment"}, {"id", k.parent}, {"links", object{{"self", href(parent)}}},
		}})
	}
	return o
}

func (c *call) listComments() (*answer, error) {
	s, _, err := c.snippet()
	if err != nil {
		return nil, err
	}
	return c.paged(10, len(s.comments), envelopeFull, func(b []byte, i int) []byte {
		return appendObject(b, c.comment(s, s.comments[i]))
	})
}

func (c *call) commentInPath() (*snippet, *comment, error) {
	s, _, err := c.snippet()
	if err != nil {
		return nil, nil, err
	}
	i := slices.IndexFunc(s.comments, func(k *comment) bool { return strconv.Itoa(k.id) == c.param("comment") })
	if i < 0 {
		return nil, nil, notFound("There is no such comment.")
	}
	return s, s.comments[i], nil
}

func (c *call) getComment() (*answer, error) {
	s, k, err := c.commentInPath()
	if err != nil {
		return nil, err
	}
	return reply(http.StatusOK, c.comment(s, k))
}

// commentText reads what was written; there must be something.
func commentText(doc document) (string, error) {
	content, err := doc.object("content", invalid)
	if err != nil {
		return "", err
	}
	text, _, err := content.text("raw", invalid)
	if err != nil {
		return "", err
	}
	if text == nil || *text == "" {
		return "", invalid("content.raw", required)
	}
	return *text, nil
}

func (c *call) createComment() (*answer, error) {
	s, _, err := c.snippet()
	if err != nil {
		return nil, err
	}
	doc, err := c.document()
	if err != nil {
		return nil, err
	}
	k := &comment{author: c.who.user}
	if k.text, err = commentText(doc); err != nil {
		return nil, err
	}
	parent, err := doc.object("parent", invalid)
	if err != nil {
		return nil, err
	}
	if parent != nil {
		i := slices.IndexFunc(s.comments, func(other *comment) bool { return parent.number("id") == other.id })
		if i < 0 {
			return nil, invalid("parent", "There is no such comment.")
		}
		k.parent = s.comments[i].id
	}
	k.id = 1_000_000 + int(c.world().number())
	k.created = c.server.now()
	k.updated = k.created
	s.comments = append(s.comments, k)
	return created(http.StatusCreated, c.at.snippetURL(s)+"/comments/"+strconv.Itoa(k.id), c.comment(s, k))
}

// ownComment is the comment in the path, for its author.
func (c *call) ownComment() (*snippet, *comment, error) {
	s, k, err := c.commentInPath()
	if err == nil && k.author != c.who.user {
		err = forbidden("You may only change your own comments.")
	}
	return s, k, err
}

func (c *call) putComment() (*answer, error) {
	s, k, err := c.ownComment()
	if err != nil {
		return nil, err
	}
	doc, err := c.document()
	if err != nil {
		return nil, err
	}
	text, err := commentText(doc)
	if err != nil {
		return nil, err
	}
	k.text, k.updated = text, c.server.now()
	return reply(http.StatusOK, c.comment(s, k))
}

// deleteComment leaves an empty shell where others have answered.
func (c *call) deleteComment() (*answer, error) {
	s, k, err := c.ownComment()
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(s.comments, func(other *comment) bool { return other.parent == k.id }) {
		k.deleted, k.updated = true, c.server.now()
		return nothing()
	}
	s.comments = slices.DeleteFunc(s.comments, func(other *comment) bool { return other == k })
	return nothing()
}
