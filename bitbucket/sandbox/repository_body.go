package sandbox

import "strconv"

// A repositoryWriter encodes repositories of one workspace for one request.
// The parts that repeat on every record of a page are encoded once; the rest
// is appended without building a tree, because a page of a hundred of these is
// what nearly every request to the sandbox asks for.
type repositoryWriter struct {
	at        links
	ws        *workspace
	workspace []byte
	team      []byte
	prefix    string // of every link to a repository, up to its slug
	projects  map[*project][]byte
}

func newRepositoryWriter(at links, ws *workspace) *repositoryWriter {
	return &repositoryWriter{
		at: at, ws: ws,
		workspace: appendObject(nil, at.workspaceMini(ws)),
		team:      appendObject(nil, at.ownerOf(ws, nil)),
		prefix:    at.api + "/repositories/" + ws.slug + "/",
		projects:  map[*project][]byte{},
	}
}

func (w *repositoryWriter) project(p *project) []byte {
	body, ok := w.projects[p]
	if !ok {
		body = appendObject(nil, w.at.projectMini(p))
		w.projects[p] = body
	}
	return body
}

// append writes the full record.
func (w *repositoryWriter) append(b []byte, r *repository) []byte {
	self := w.prefix + r.slug
	full := w.ws.slug + "/" + r.slug
	html := siteURL + "/" + full
	b = append(b, `{"type":"repository","full_name":`...)
	b = appendString(b, full)
	b = append(b, `,"links":{"self":{"href":"`...)
	b = append(b, self...)
	b = append(b, `"},"html":{"href":"`...)
	b = append(b, html...)
	b = append(b, `"},"avatar":{"href":"`...)
	b = append(b, avatarOf(r)...)
	for _, l := range [...][2]string{
		{"pullrequests", "/pullrequests"},
		{"commits", "/commits"},
		{"forks", "/forks"},
		{"watchers", "/watchers"},
		{"branches", "/refs/branches"},
		{"tags", "/refs/tags"},
		{"downloads", "/downloads"},
		{"source", "/src"},
	} {
		b = append(b, `"},"`...)
		b = append(b, l[0]...)
		b = append(b, `":{"href":"`...)
		b = append(b, self...)
		b = append(b, l[1]...)
	}
	b = append(b, `"},"clone":[{"name":"https","href":"https://`...)
	b = append(b, w.at.as...)
	b = append(b, `@bitbucket.org/`...)
	b = append(b, full...)
	b = append(b, `.git"},{"name":"ssh","href":"git@bitbucket.org:`...)
	b = append(b, full...)
	b = append(b, `.git"}],"hooks":{"href":"`...)
	b = append(b, self...)
	b = append(b, `/hooks"}},"name":`...)
	b = appendString(b, r.name)
	b = append(b, `,"slug":`...)
	b = appendString(b, r.slug)
	b = append(b, `,"description":`...)
	b = appendValue(b, r.description)
	b = append(b, `,"scm":"git","website":`...)
	b = appendValue(b, r.website)
	b = append(b, `,"owner":`...)
	if r.owner == nil {
		b = append(b, w.team...)
	} else {
		b = appendObject(b, w.at.userMini(r.owner))
	}
	b = append(b, `,"workspace":`...)
	b = append(b, w.workspace...)
	b = append(b, `,"is_private":`...)
	b = strconv.AppendBool(b, r.private)
	b = append(b, `,"project":`...)
	b = append(b, w.project(r.project)...)
	b = append(b, `,"fork_policy":`...)
	b = appendString(b, r.forkPolicy)
	b = append(b, `,"created_on":`...)
	b = appendStamp(b, r.created)
	b = append(b, `,"updated_on":`...)
	b = appendStamp(b, r.updated)
	b = append(b, `,"size":`...)
	b = strconv.AppendInt(b, r.size, 10)
	b = append(b, `,"language":`...)
	b = appendString(b, r.language)
	b = append(b, `,"uuid":`...)
	b = appendString(b, r.uuid)
	b = append(b, `,"mainbranch":`...)
	if r.mainbranch == "" {
		b = append(b, "null"...)
	} else {
		b = append(b, `{"name":`...)
		b = appendString(b, r.mainbranch)
		b = append(b, `,"type":"branch"}`...)
	}
	b = append(b, `,"override_settings":{"default_merge_strategy":true,"branching_model":true},"parent":`...)
	if p := w.ws.parent(r); p == nil {
		b = append(b, "null"...)
	} else {
		b = appendObject(b, w.at.repositoryMini(w.ws, p))
	}
	return append(b, `,"enforced_signed_commits":null}`...)
}

// parent is what r was forked from, or nil when that is gone.
func (ws *workspace) parent(r *repository) *repository {
	if r.parent < 0 || ws.repositories.deleted[uint32(r.parent)] {
		return nil
	}
	return ws.repositories.get(uint32(r.parent))
}

func avatarOf(r *repository) string {
	language := r.language
	if language == "" {
		language = "default"
	}
	return "https://bytebucket.org/ravatar/" + escapeUUID(r.uuid) + "?ts=" + slugify(language)
}
