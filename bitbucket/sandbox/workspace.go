package sandbox

import (
	"strconv"
	"strings"
)

// A workspace and everything in it.
type workspace struct {
	uuid, slug, name string
	created          stamp
	private          bool
	person           *user // whose personal workspace it is, or nil
	flagged          bool  // marked as spam: answers 410
	members          []*membership

	repositories *repositories
	projects     []*project // in order of creation
	hooks        []*hook
	variables    []*variable
	snippets     []*snippet
}

// A membership is one person's place in a workspace.
type membership struct {
	user         *user
	permission   string // owner, create-project or member
	added        stamp
	lastAccessed stamp
}

// A user is a person. Users live outside of workspaces.
type user struct {
	number                          uint64
	uuid, accountID, name, nickname string
	created                         stamp
	emails                          []email
	personal                        *workspace
}

type email struct {
	address            string
	primary, confirmed bool
}

func (u *user) avatar() string {
	return "https://avatar-management--avatars.us-west-2.prod.public.atl-paas.net/initials/" +
		slugify(u.name)[:1] + "-2.png"
}

func (u *user) address() string { return u.emails[0].address }

// membership returns u's place in the workspace, or nil.
func (ws *workspace) membership(u *user) *membership {
	for _, m := range ws.members {
		if m.user == u {
			return m
		}
	}
	return nil
}

func (ws *workspace) owner(u *user) bool {
	m := ws.membership(u)
	return m != nil && m.permission == "owner"
}

// project finds one by key, or by UUID in braces.
func (ws *workspace) project(key string) *project {
	for _, p := range ws.projects {
		if p.uuid == key || strings.EqualFold(p.key, key) {
			return p
		}
	}
	return nil
}

// explicit is the permission that u was given on a repository, whatever being
// an owner of the workspace adds to it. An owner of the workspace has at
// least read on everything in it; of the others' repositories one in four was
// never shared with u.
func (ws *workspace) explicit(u *user, r *repository) level {
	if u == nil || ws.membership(u) == nil {
		return levelNone
	}
	if r.owner == u || ws.person == u {
		return levelAdmin
	}
	return ws.granted(u, r)
}

func (ws *workspace) granted(u *user, r *repository) level {
	if r.number >= uint32(ws.repositories.seededCount) {
		// Made through the API or an admin method: everyone who owns the
		// workspace administers it, the others may read it.
		if ws.owner(u) {
			return levelAdmin
		}
		return levelRead
	}
	h := mix(ws.repositories.seed, kindGrant, uint64(r.number)<<16+u.number)
	switch {
	case h%12 < 6:
		return levelAdmin
	case h%12 < 8:
		return levelWrite
	case h%12 < 9 || ws.owner(u):
		return levelRead
	}
	return levelNone
}

// effective is the most that u may do to r, everything counted.
func (ws *workspace) effective(u *user, r *repository) level {
	if u != nil && ws.owner(u) {
		return levelAdmin
	}
	l := ws.explicit(u, r)
	if l == levelNone && !r.private {
		return levelRead
	}
	return l
}

// seedUser makes the n-th person.
func seedUser(seed uint64, v *vocabulary, n int) *user {
	h := mix(seed, kindUser, uint64(n))
	given, family := pick(v.given, h>>8), pick(v.family, h>>24)
	nickname := slugify(family) + strconv.Itoa(n)
	u := &user{
		number:    uint64(n),
		uuid:      uuidOf(seed, kindUser, uint64(n)),
		accountID: "712020:" + strings.Trim(uuidOf(seed+1, kindUser, uint64(n)), "{}"),
		name:      given + " " + family,
		nickname:  nickname,
		created:   seedStart() + stamp(h%uint64(seedEnd()-seedStart())),
	}
	u.emails = []email{
		{address: nickname + "@example.com", primary: true, confirmed: true},
		{address: nickname + "@mail.example.org", confirmed: true},
		{address: nickname + "+old@example.net"},
	}
	return u
}

func seedMembership(seed uint64, u *user, n int, permission string) *membership {
	h := mix(seed, kindWorkspace, uint64(n)+1000)
	return &membership{
		user: u, permission: permission,
		added:        seedStart() + stamp(h%uint64(seedEnd()-seedStart())),
		lastAccessed: seedEnd() - stamp(h>>8%(1<<40)),
	}
}
