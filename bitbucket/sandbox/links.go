package sandbox

import "strings"

// siteURL is where pages for people live. Only links name it.
const siteURL = "https://bitbucket.org"

// links writes the condensed records that appear inside other records, with
// every API link on the address the request came to.
type links struct {
	api string // "https://api.bitbucket.org/2.0"
	as  string // whose name clone links carry
}

func (l links) workspaceMini(ws *workspace) object {
	return object{
		{"type", "workspace"},
		{"uuid", ws.uuid},
		{"name", ws.name},
		{"slug", ws.slug},
		{"links", object{
			{"avatar", href(siteURL + "/workspaces/" + ws.slug + "/avatar/?ts=1767225600")},
			{"html", href(siteURL + "/" + ws.slug + "/")},
			{"self", href(l.workspaceURL(ws))},
		}},
	}
}

func (l links) workspaceURL(ws *workspace) string { return l.api + "/workspaces/" + ws.slug }

// ownerOf is the account that owns what lives in a workspace: a user, the
// person behind a personal workspace, or the team that a workspace is.
func (l links) ownerOf(ws *workspace, u *user) object {
	if u == nil {
		u = ws.person
	}
	if u != nil {
		return l.userMini(u)
	}
	id := escapeUUID(ws.uuid)
	return object{
		{"display_name", ws.name},
		{"links", object{
			{"self", href(l.api + "/workspaces/" + id)},
			{"avatar", href(siteURL + "/account/" + ws.slug + "/avatar/")},
			{"html", href(siteURL + "/" + id + "/")},
		}},
		{"type", "team"},
		{"uuid", ws.uuid},
		{"username", ws.slug},
	}
}

func (l links) userMini(u *user) object {
	id := escapeUUID(u.uuid)
	return object{
		{"display_name", u.name},
		{"links", object{
			{"self", href(l.api + "/users/" + id)},
			{"avatar", href(u.avatar())},
			{"html", href(siteURL + "/" + id + "/")},
		}},
		{"type", "user"},
		{"uuid", u.uuid},
		{"account_id", u.accountID},
		{"nickname", u.nickname},
	}
}

func (l links) projectMini(p *project) object {
	html := siteURL + "/" + p.ws.slug + "/workspace/projects/" + p.key
	return object{
		{"type", "project"},
		{"key", p.key},
		{"uuid", p.uuid},
		{"name", p.name},
		{"links", object{
			{"self", href(l.projectURL(p))},
			{"html", href(html)},
			{"avatar", href(html + "/avatar/32?ts=1767225600")},
		}},
	}
}

func (l links) projectURL(p *project) string {
	return l.workspaceURL(p.ws) + "/projects/" + p.key
}

func (l links) repositoryMini(ws *workspace, r *repository) object {
	full := ws.slug + "/" + r.slug
	return object{
		{"type", "repository"},
		{"full_name", full},
		{"links", object{
			{"self", href(l.api + "/repositories/" + full)},
			{"html", href(siteURL + "/" + full)},
			{"avatar", href(avatarOf(r))},
		}},
		{"name", r.name},
		{"uuid", r.uuid},
	}
}

func (l links) repositoryURL(ws *workspace, r *repository) string {
	return strings.Join([]string{l.api, "repositories", ws.slug, r.slug}, "/")
}
