package sandbox

import (
	"strconv"
	"strings"
)

// A project groups repositories of a workspace.
type project struct {
	ws          *workspace
	uuid, key   string
	name        string
	description *string
	private     bool
	avatar      string
	created     stamp
	updated     stamp

	repositories, public int // how many it holds, and how many of these anyone may see
}

// count keeps the figures when a repository comes (1) or goes (-1).
func (p *project) count(r *repository, by int) {
	p.repositories += by
	if !r.private {
		p.public += by
	}
}

func seedProject(seed uint64, v *vocabulary, ws *workspace, n int) *project {
	h := mix(seed, kindProject, uint64(n)+1<<40)
	name := v.projects[n%len(v.projects)]
	key := strings.ToUpper(name[:min(4, len(name))])
	if round := n / len(v.projects); round > 0 {
		name += " " + strconv.Itoa(round+1)
		key += strconv.Itoa(round + 1)
	}
	p := &project{
		ws: ws, uuid: uuidOf(seed, kindProject, uint64(n)), key: key, name: name,
		private: n%4 == 2,
		created: seedStart() + stamp(n)*stamp(3_600_000_001),
	}
	p.updated = p.created + stamp(h%uint64(seedEnd()-p.created))
	if text := pick(v.descriptions, h>>32); n%3 != 1 {
		p.description = &text
	}
	return p
}

// body is the full record.
func (l links) project(p *project) object {
	html := siteURL + "/" + p.ws.slug + "/workspace/projects/" + p.key
	repositories := object{{"href", l.api + "/repositories/" + p.ws.slug + `?q=project.key="` + p.key + `"`}}
	if p.repositories == 0 {
		repositories = object{} // seen on projects without repositories
	}
	avatar := html + "/avatar/32?ts=1767225600"
	if strings.HasPrefix(p.avatar, "http") {
		avatar = p.avatar
	}
	return object{
		{"type", "project"},
		{"owner", l.ownerOf(p.ws, nil)},
		{"workspace", l.workspaceMini(p.ws)},
		{"key", p.key},
		{"uuid", p.uuid},
		{"is_private", p.private},
		{"name", p.name},
		{"description", p.description},
		{"links", object{
			{"self", href(l.projectURL(p))},
			{"html", href(html)},
			{"repositories", repositories},
			{"avatar", href(avatar)},
		}},
		{"created_on", p.created},
		{"updated_on", p.updated},
		{"has_publicly_visible_repos", p.public > 0},
	}
}
