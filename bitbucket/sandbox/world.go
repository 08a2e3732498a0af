package sandbox

import "time"

// A world is all the data: the workspaces, the people, and the person that
// every credential the sandbox hands out acts for.
type world struct {
	seed       uint64
	words      *vocabulary
	users      []*user
	workspaces []*workspace
	me         *user
	events     []hookEvent
	last       stamp // no change is dated before this
	serial     uint64
	skew       time.Duration // by which the clock is off during the change at hand
}

// newWorld seeds, in this order: the main workspace, which the user owns; one
// of another user's, where the user is a plain member and sees some of what
// is there; the user's own personal one; one the user is no member of; and one
// that is marked as spam.
func newWorld(o *Options) *world {
	w := &world{seed: o.Seed, words: newVocabulary(), events: hookEvents(), last: seedEnd()}
	const strangers = 6
	for n := range o.Members + strangers {
		w.users = append(w.users, seedUser(o.Seed, w.words, n))
	}
	w.me = w.users[0]
	members, others := w.users[:o.Members], w.users[o.Members:]

	main := w.workspace(0, o.Workspace)
	for n, u := range members {
		permission := "member"
		switch {
		case n == 0 || n%9 == 7:
			permission = "owner"
		case n%5 == 3:
			permission = "create-project"
		}
		main.members = append(main.members, seedMembership(o.Seed, u, n, permission))
	}
	w.fill(main, o.Projects, o.Repositories, members[len(members)/2:])
	for n := range o.Hooks {
		main.hooks = append(main.hooks, w.seedHook(n))
	}
	for n := range o.Variables {
		main.variables = append(main.variables, w.seedVariable(n))
	}
	for n := range o.Snippets {
		main.snippets = append(main.snippets, w.seedSnippet(n, members))
	}

	partners := w.workspace(1, o.Workspace+"-partners")
	partners.members = append(partners.members, seedMembership(o.Seed+1, others[0], 0, "owner"),
		seedMembership(o.Seed+1, w.me, 1, "member"), seedMembership(o.Seed+1, others[1], 2, "member"))
	w.fill(partners, 3, 40, nil)
	partners.hooks = append(partners.hooks, w.seedHook(1000))

	own := w.workspace(2, w.me.nickname)
	own.name, own.person, own.uuid = w.me.name, w.me, w.me.uuid
	w.me.personal = own
	own.members = append(own.members, seedMembership(o.Seed+2, w.me, 0, "owner"))
	w.fill(own, 1, 3, []*user{w.me})

	vault := w.workspace(3, o.Workspace+"-vault")
	vault.private = true
	vault.members = append(vault.members, seedMembership(o.Seed+3, others[2], 0, "owner"))
	w.fill(vault, 1, 2, nil)

	flagged := w.workspace(4, o.Workspace+"-flagged")
	flagged.flagged = true
	flagged.members = append(flagged.members, seedMembership(o.Seed+4, others[3], 0, "owner"))
	w.fill(flagged, 1, 0, nil)

	return w
}

func (w *world) workspace(n uint64, slug string) *workspace {
	ws := &workspace{
		uuid: uuidOf(w.seed, kindWorkspace, n), slug: slugify(slug), name: slug,
		created: seedStart() - stamp(n+1)*stamp(time.Hour/time.Microsecond),
		private: n == 0,
	}
	w.workspaces = append(w.workspaces, ws)
	return ws
}

func (w *world) fill(ws *workspace, projects, repositories int, owners []*user) {
	seed := mix(w.seed, kindWorkspace, uint64(len(w.workspaces)))
	for n := range projects {
		ws.projects = append(ws.projects, seedProject(seed, w.words, ws, n))
	}
	ws.repositories = newRepositories(seed, w.words, repositories, ws.projects, owners, ws.person != nil)
	w.seedRepositoryHooks(ws)
}

// find looks a workspace up by slug or UUID.
func (w *world) find(name string) *workspace {
	for _, ws := range w.workspaces {
		if ws.slug == name || ws.uuid == name {
			return ws
		}
	}
	return nil
}

func (w *world) user(name string) *user {
	for _, u := range w.users {
		if u.uuid == name || u.accountID == name {
			return u
		}
	}
	return nil
}

// number gives the next number of something made by a request.
func (w *world) number() uint64 {
	w.serial++
	return w.serial
}

// now dates a change: the time of the server's clock, but always a microsecond
// after the change before and after all seeded data, so that a change is never
// hidden by a clock that stands still or behind.
func (s *Server) now() stamp {
	s.world.last = max(stampOf(s.options.Now().Add(s.world.skew)), s.world.last+1)
	return s.world.last
}
