package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"windlass/bitbucket/sandbox/internal/bbql"
	"windlass/bitbucket/sandbox/internal/trim"
)

func (c *call) getWorkspace() (*answer, error) {
	ws, self, html := c.ws, c.at.workspaceURL(c.ws), siteURL+"/"+c.ws.slug+"/"
	return reply(object{
		{"type", "workspace"},
		{"uuid", ws.uuid},
		{"name", ws.name},
		{"slug", ws.slug},
		{"is_private", ws.private},
		{"is_privacy_enforced", false},
		{"links", object{
			{"avatar", href(siteURL + "/workspaces/" + ws.slug + "/avatar/?ts=1767225600")},
			{"hooks", href(self + "/hooks")},
			{"html", href(html)},
			{"html_overview", href(html + "workspace/overview/")},
			{"members", href(self + "/members")},
			{"owners", href(self + "/members?q=permission%3D%22owner%22")},
			{"projects", href(self + "/projects")},
			{"repositories", href(c.at.api + "/repositories/" + ws.slug)},
			{"snippets", href(c.at.api + "/snippets/" + ws.slug)},
			{"self", href(self)},
		}},
		{"created_on", ws.created},
		{"forking_mode", "internal_only"},
	})
}

// membership is one entry of the members. The address of the person is there
// only when a filter named it.
func (c *call) membership(m *membership, address bool) object {
	person := c.at.userMini(m.user)
	if address {
		person = append(person, pair{"email", m.user.address()})
	}
	self := c.at.workspaceURL(c.ws) + "/members/" + escapeUUID(m.user.uuid)
	return object{
		{"type", "workspace_membership"},
		{"user", person},
		{"workspace", c.at.workspaceMini(c.ws)},
		{"links", object{{"self", href(self)}}},
	}
}

// maxEmails is how many addresses a filter of the members may name.
const maxEmails = 90

func (c *call) listMembers() (*answer, error) {
	members, filtered := c.ws.members, c.query.Get("q") != ""
	if filtered {
		if !c.owner() {
			return nil, forbidden("Only administrators of the workspace may filter by email.")
		}
		if strings.Count(c.query.Get("q"), `"`) > 2*maxEmails {
			return nil, fail(http.StatusBadRequest, "At most 90 email addresses may be queried at a time.")
		}
		var err error
		members, err = choose(c, filterable[*membership]{
			fields:   bbql.Fields{"user.email": bbql.String},
			sortable: bbql.Fields{},
			get:      func(m *membership, _ string) any { return m.user.address() },
		}, members)
		if err != nil {
			return nil, err
		}
	}
	address := filtered && trim.Parse(c.query.Get("fields")).Wants("values.user.email")
	return c.paged(10, len(members), envelopeFull, func(b []byte, i int) []byte {
		return appendObject(b, c.membership(members[i], address))
	})
}

// listPermissions carries dates of which the old ones have no offset.
func (c *call) listPermissions() (*answer, error) {
	members, err := choose(c, filterable[*membership]{
		fields: bbql.Fields{
			"permission": bbql.Permission, "user.uuid": bbql.String, "user.display_name": bbql.String,
			"user.nickname": bbql.String, "user.account_id": bbql.String,
		},
		get: func(m *membership, field string) any {
			if field == "permission" {
				return m.permission
			}
			return m.user.field(strings.TrimPrefix(field, "user."))
		},
	}, c.ws.members)
	if err != nil {
		return nil, err
	}
	withoutZone := stampOf(time.Date(2017, time.January, 1, 0, 0, 0, 0, time.UTC))
	return c.paged(50, len(members), envelopeFull, func(b []byte, i int) []byte {
		m := members[i]
		var added any = m.added
		if m.added < withoutZone {
			added = m.added.time().Format(bareLayout)
		}
		body := append(c.membership(m, false),
			pair{"permission", m.permission}, pair{"added_on", added}, pair{"last_accessed", m.lastAccessed})
		return appendObject(b, body)
	})
}

func (u *user) field(name string) any {
	switch name {
	case "uuid":
		return u.uuid
	case "display_name":
		return u.name
	case "nickname":
		return u.nickname
	case "account_id":
		return u.accountID
	}
	return nil
}

// A grant is one person's permission on one repository.
type grant struct {
	user       *user
	number     uint32 // of the repository
	permission string
}

// grantsPerRepository is how many people of a workspace hold an explicit
// permission on each of its repositories.
const grantsPerRepository = 3

func (ws *workspace) grantees() int { return min(grantsPerRepository, len(ws.members)) }

// grant is the k-th permission on the repository with this number. The first
// member always is the first grantee; the rest take turns.
func (ws *workspace) grant(number uint32, k int) grant {
	n := len(ws.members)
	who := ws.members[0].user
	if k > 0 {
		turn := (int(number)%(n-1) + k - 1) % (n - 1)
		who = ws.members[1+turn].user
	}
	level := [...]string{"admin", "write", "read"}[(mix(ws.repositories.seed, kindGrant, uint64(number))+uint64(k))%3]
	if ws.owner(who) {
		level = "admin"
	}
	return grant{user: who, number: number, permission: level}
}

func (c *call) listGrants() (*answer, error) {
	numbers, k := c.ws.repositories.byCreated, c.ws.grantees()
	at := func(i int) grant { return c.ws.grant(numbers[i/k], i%k) }
	return c.pagedGrants(len(numbers)*k, at)
}

// pagedGrants makes all of them only where they are filtered or sorted.
func (c *call) pagedGrants(total int, at func(i int) grant) (*answer, error) {
	if c.query.Get("q") != "" || c.query.Get("sort") != "" {
		all := make([]grant, total)
		for i := range all {
			all[i] = at(i)
		}
		chosen, err := choose(c, c.grants(), all)
		if err != nil {
			return nil, err
		}
		at, total = func(i int) grant { return chosen[i] }, len(chosen)
	}
	return c.paged(10, total, envelopeFull, func(b []byte, i int) []byte { return c.appendGrant(b, at(i)) })
}

func (c *call) grants() filterable[grant] {
	return filterable[grant]{
		fields: bbql.Fields{
			"permission": bbql.Permission, "repository.name": bbql.String, "repository.full_name": bbql.String,
			"repository.uuid": bbql.String, "user.uuid": bbql.String, "user.display_name": bbql.String,
			"user.nickname": bbql.String, "user.account_id": bbql.String,
		},
		get: func(g grant, field string) any {
			if name, ok := strings.CutPrefix(field, "user."); ok {
				return g.user.field(name)
			}
			if field == "permission" {
				return g.permission
			}
			r := c.ws.repositories.get(g.number)
			switch field {
			case "repository.name":
				return r.name
			case "repository.full_name":
				return c.ws.slug + "/" + r.slug
			}
			return r.uuid
		},
	}
}

func (c *call) appendGrant(b []byte, g grant) []byte {
	return appendObject(b, object{
		{"type", "repository_permission"},
		{"permission", g.permission},
		{"user", c.at.userMini(g.user)},
		{"repository", c.at.repositoryMini(c.ws, c.ws.repositories.get(g.number))},
	})
}

// listOwnRepositoryPermissions leaves out what the caller sees only because it
// is public.
func (c *call) listOwnRepositoryPermissions() (*answer, error) {
	numbers := c.ws.repositories.orders.get(c.ws.repositories.version, "explicit "+c.who.user.uuid, func() []uint32 {
		return slices.DeleteFunc(slices.Clone(c.ws.repositories.byCreated), func(n uint32) bool {
			return c.ws.explicit(c.who.user, c.ws.repositories.get(n)) == levelNone
		})
	})
	at := func(i int) grant {
		r := c.ws.repositories.get(numbers[i])
		return grant{user: c.who.user, number: r.number, permission: c.ws.effective(c.who.user, r).String()}
	}
	return c.pagedGrants(len(numbers), at)
}
