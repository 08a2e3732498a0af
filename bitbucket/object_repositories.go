package bitbucket

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"windlass"
	"windlass/internal/jsonscan"
)

var objectRepositories = object{
	name: "repositories", display: "Repositories",
	about: "The workspace's repositories in which the credential has a role. Changing the name changes the slug.",
	list:  "/repositories/{workspace}", item: "/repositories/{workspace}/{id}",
	id:     []string{"uuid"},
	stable: "created_on", moved: "updated_on", filter: goodFilter, role: true, home: "workspace.slug",
	read: scopes{"repository"}, write: scopes{"repository:admin"}, erase: scopes{"repository:delete"},
	writes: repositoryWriter{},
	fields: repositoryFields,
}

var repositoryFields = slices.Concat(
	[]field{
		text("type"),
		text("uuid"),
		text("full_name"),
		text("name").with(writable),
		text("slug").with(createOnly),
		text("description").with(writable),
		choice("scm", "git").with(createOnly),
		link("website").with(writable),
		flag("is_private").with(writable),
		choice("fork_policy", "allow_forks", "no_public_forks", "no_forks").with(writable),
		moment("created_on"),
		moment("updated_on"),
		number("size"),
		text("language").with(writable),
		flag("has_issues").with(writable),
		flag("has_wiki").with(writable),
		flag("enforced_signed_commits"),
		reference("project", "projects").with(writable),
		text("project.type"),
		text("project.key").with(writable),
		text("project.uuid").with(writable),
		text("project.name"),
		tree("project.links"),
		tree("mainbranch").with(writable),
		text("mainbranch.type"),
		text("mainbranch.name").with(writable),
		reference("parent", "repositories"),
		text("parent.uuid"),
		text("parent.full_name"),
		tree("override_settings"),
		flag("override_settings.default_merge_strategy"),
		flag("override_settings.branching_model"),
		tree("links"),
		link("links.self.href"),
		link("links.html.href"),
		link("links.avatar.href"),
		list("links.clone"),
	},
	account("owner"),
	itsWorkspace(),
)

// repositoryWriter writes repositories. An update goes by UUID, which a PUT
// cannot create.
type repositoryWriter struct{ plainWriter }

func (repositoryWriter) create(ctx context.Context, w *writing) (answer, error) {
	slug := slugFor(w.record)
	if slug == "" {
		return answer{}, &windlass.Error{
			Kind:    windlass.Invalid,
			Message: "the record lacks a name",
			Remedy:  "a new repository needs a name with letters or digits in it, or a slug", Provider: &windlass.ProviderDetails{},
		}
	}
	path, err := w.item(slug)
	if err != nil {
		return answer{}, err
	}
	record := maps.Clone(w.record)
	delete(record, "slug") // it is in the path
	if _, ok := record["scm"]; !ok {
		record["scm"] = json.RawMessage(`"git"`)
	}
	return w.send(ctx, http.MethodPost, path, record)
}

func (repositoryWriter) update(ctx context.Context, w *writing) (answer, error) {
	before, err := w.current(ctx, w.id)
	if err != nil {
		return answer{}, err
	}
	id := jsonscan.Plain(before["uuid"])
	if id == "" {
		id = w.id
	}
	path, err := w.item(id)
	if err != nil {
		return answer{}, err
	}
	a, err := w.send(ctx, http.MethodPut, path, w.record)
	if err != nil {
		return answer{}, err
	}
	return a, w.same(before, a)
}

// find asks by name: what slug Bitbucket makes of a name or of a slug that was
// given, cut at 62 characters and with dashes for what it does not like, is its
// own affair.
func (repositoryWriter) find(ctx context.Context, f *finding) (string, error) {
	name := jsonscan.Plain(f.record["name"])
	slug := jsonscan.Plain(f.record["slug"])
	if name == "" {
		name = slug
	}
	list, err := f.list()
	if err != nil {
		return "", err
	}
	query := url.Values{"q": {"name = " + bbqlString(name)}, "sort": {"-created_on"}, "pagelen": {strconv.Itoa(maxPage)}}
	a, err := f.send(ctx, http.MethodGet, list+encode(query), nil)
	if err != nil {
		return "", err
	}
	page, err := parsePage(f.o, a.body)
	if err != nil {
		return "", malformed(f.op, a, err)
	}
	for _, record := range page.records {
		var one map[string]json.RawMessage
		if json.Unmarshal(record.Raw, &one) != nil || f.old(one) || jsonscan.Plain(one["name"]) != name {
			continue
		}
		if slug == "" || madeOf(slug, jsonscan.Plain(one["slug"])) {
			return record.ID, nil
		}
	}
	return "", nil
}

// bbqlString writes a string of Bitbucket's query language.
func bbqlString(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// slugFor is the slug that a new repository gets.
func slugFor(record map[string]json.RawMessage) string {
	if slug := jsonscan.Plain(record["slug"]); slug != "" {
		return strings.ToLower(slug)
	}
	return slugOf(jsonscan.Plain(record["name"]))
}

// slugOf derives a slug from a name as Bitbucket does: lower case, and a dash
// for whatever is not a letter, a digit, a dot, a dash or an underscore.
func slugOf(name string) string {
	var b strings.Builder
	dash := false
	for _, r := range strings.ToLower(name) {
		switch {
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '.' || r == '_'):
			b.WriteRune(r)
			dash = false
		case !dash && b.Len() > 0:
			b.WriteByte('-')
			dash = true
		}
	}
	return strings.Trim(b.String(), "-.")
}

// minCutSlug is a length below which Bitbucket cuts no slug off; it cuts at 62.
const minCutSlug = 60

// madeOf reports whether a slug is what Bitbucket makes of one that was given: its
// letters and digits are the same, as far as it goes.
func madeOf(given, slug string) bool {
	given, rest := bare(given), bare(slug)
	return given == rest || len(slug) >= minCutSlug && strings.HasPrefix(given, rest)
}

// bare leaves the letters and digits.
func bare(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(text))
}
