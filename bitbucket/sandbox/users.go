package sandbox

import (
	"strconv"
	"strings"

	"windlass/bitbucket/sandbox/internal/bbql"
)

func (c *call) getUser() (*answer, error) {
	u := c.who.user
	if u == nil {
		return nil, forbidden("This credential does not belong to a user.")
	}
	id := escapeUUID(u.uuid)
	return reply(object{
		{"display_name", u.name},
		{"links", object{
			{"self", href(c.at.api + "/users/" + id)},
			{"avatar", href(u.avatar())},
			{"repositories", href(c.at.api + "/repositories/" + id)},
			{"snippets", href(c.at.api + "/snippets/" + id)},
			{"html", href(siteURL + "/" + id + "/")},
			{"hooks", href(c.at.api + "/workspaces/" + id + "/hooks")},
		}},
		{"created_on", u.created},
		{"type", "user"},
		{"uuid", u.uuid},
		{"has_2fa_enabled", nil},
		{"username", u.nickname},
		{"is_staff", false},
		{"account_id", u.accountID},
		{"nickname", u.nickname},
		{"account_status", "active"},
		{"location", nil},
	})
}

func (l links) email(e email) object {
	return object{
		{"type", "email"},
		{"email", e.address},
		{"is_primary", e.primary},
		{"is_confirmed", e.confirmed},
		{"links", object{{"self", href(l.api + "/user/emails/" + strings.ReplaceAll(e.address, "+", "%2B"))}}},
	}
}

func emails() listing[email] {
	return listing[email]{
		length: 10, wrap: envelopeNoLength,
		items: func(c *call) ([]email, error) { return c.who.emails(), nil },
		body:  func(c *call, e email) object { return c.at.email(e) },
	}
}

func (p principal) emails() []email {
	if p.user == nil {
		return nil
	}
	return p.user.emails
}

// listUserWorkspaces gives memberships, which do not carry the name of the
// workspace.
func (c *call) listUserWorkspaces() (*answer, error) {
	only := c.query.Get("administrator")
	if only != "" {
		if _, err := strconv.ParseBool(only); err != nil {
			return nil, invalid("administrator", "expected true or false")
		}
	}
	var mine []*workspace
	for _, ws := range c.world().workspaces {
		if c.who.user == nil || ws.membership(c.who.user) == nil {
			continue
		}
		if want, err := strconv.ParseBool(only); err != nil || want == ws.owner(c.who.user) {
			mine = append(mine, ws)
		}
	}
	mine, err := choose(c, filterable[*workspace]{
		fields:   bbql.Fields{"slug": bbql.String, "workspace.slug": bbql.String, "administrator": bbql.Bool},
		sortable: bbql.Fields{"slug": bbql.String, "workspace.slug": bbql.String},
		get: func(ws *workspace, field string) any {
			if field == "administrator" {
				return ws.owner(c.who.user)
			}
			return ws.slug
		},
	}, mine)
	if err != nil {
		return nil, err
	}
	nulls := max(c.server.options.NullMemberships, 0)
	return c.paged(25, len(mine)+nulls, envelopeFull, func(b []byte, i int) []byte {
		if i < nulls {
			return appendObject(b, object{{"type", "workspace_access"}, {"administrator", false}, {"workspace", nil}})
		}
		ws := mine[i-nulls]
		return appendObject(b, object{
			{"type", "workspace_access"},
			{"administrator", ws.owner(c.who.user)},
			{"workspace", object{
				{"type", "workspace_base"},
				{"uuid", ws.uuid},
				{"slug", ws.slug},
				{"links", object{
					{"avatar", href(siteURL + "/workspaces/" + ws.slug + "/avatar/")},
					{"self", href(c.at.workspaceURL(ws))},
				}},
			}},
		})
	})
}

func (c *call) getOwnPermission() (*answer, error) {
	m := c.ws.membership(c.who.user)
	return reply(object{
		{"type", "workspace_membership"},
		{"permission", m.permission},
		{"user", c.at.userMini(m.user)},
		{"workspace", c.at.workspaceMini(c.ws)},
	})
}
