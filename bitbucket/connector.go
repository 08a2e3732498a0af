package bitbucket

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"windlass"
	"windlass/connector"
	"windlass/internal/jsonscan"
)

// DefaultAPIURL is where Bitbucket Cloud's API is.
const DefaultAPIURL = "https://api.bitbucket.org/2.0"

// Options are the optional parts of a Connector; the zero value is useful.
type Options struct {
	// Workspace is a workspace's slug, or its UUID in braces. Objects that
	// belong to the credential's own user, hook_events and addon/linkers do
	// without one.
	Workspace string
	// APIURL is the API's base URL; empty means DefaultAPIURL.
	APIURL string
	// Role is which repositories and snippets are read: those in which the
	// credential's user has at least this role. Empty means "member". The word
	// "any" sends no role, which on repositories includes public ones that the
	// user has no part in.
	Role string
	// UserAgent is sent with every request; empty means "windlass".
	UserAgent string
	// Lessons are shared with other connectors to the same workspace; nil means
	// that this one learns by itself.
	Lessons *Lessons
}

// Roles are the values that Options.Role takes.
func Roles() []string { return []string{"member", "contributor", "admin", "owner", anyRole} }

const anyRole = "any"

// Connector reads and writes the records of one workspace. It is safe for
// concurrent use. It implements every interface of package connector.
type Connector struct {
	client    *http.Client
	api       *url.URL // no query, no fragment, no trailing slash
	workspace string
	role      string
	agent     string

	lessons *Lessons
}

// Lessons are what a workspace's endpoints have shown of themselves: page lengths
// that are refused, filters that work. Connectors to one workspace that share them
// try nothing twice. The zero value knows nothing; it is safe for concurrent use.
type Lessons struct {
	mu     sync.Mutex // guards learnt
	learnt map[string]lesson
}

// lesson is what one object's endpoint has shown.
type lesson struct {
	plain    bool // refuses pagelen=100: ask without
	filter   bool // the probe has run
	filtered bool // and the undocumented filter works
}

// New returns a connector that sends its requests through client, which must
// authenticate them (see Transport). A nil client sends anonymous requests,
// which Bitbucket answers for hook_events and public repositories only.
func New(client *http.Client, opts *Options) (*Connector, error) {
	if opts == nil {
		opts = &Options{}
	}
	if client == nil {
		client = http.DefaultClient
	}
	api, err := parseAPI(opts.APIURL)
	if err != nil {
		return nil, err
	}
	role := opts.Role
	if role == "" {
		role = "member"
	}
	if !slices.Contains(Roles(), role) {
		return nil, &windlass.Error{
			Kind:    windlass.Invalid,
			Message: "there is no role " + quote(role),
			Remedy:  suggest(role, Roles()), Provider: &windlass.ProviderDetails{},
		}
	}
	if opts.Workspace != "" {
		if _, err := segment("a workspace", opts.Workspace); err != nil {
			return nil, err
		}
	}
	lessons := opts.Lessons
	if lessons == nil {
		lessons = &Lessons{}
	}
	agent := opts.UserAgent
	if agent == "" {
		agent = "windlass"
	}
	c := &Connector{
		api:       api,
		workspace: opts.Workspace, role: role, agent: agent,
		lessons: lessons,
	}
	c.client = c.following(client)
	return c, nil
}

// parseAPI reads an API base URL.
func parseAPI(raw string) (*url.URL, error) {
	if raw == "" {
		raw = DefaultAPIURL
	}
	api, err := url.Parse(raw)
	if err != nil || (api.Scheme != "https" && api.Scheme != "http") || api.Host == "" ||
		api.User != nil || api.RawQuery != "" || api.Fragment != "" {
		return nil, &windlass.Error{
			Kind:    windlass.Invalid,
			Message: "the API's URL is not one",
			Remedy:  "it looks like " + DefaultAPIURL + ": http or https, a host and a path", Provider: &windlass.ProviderDetails{},
		}
	}
	api.Path = strings.TrimRight(api.Path, "/")
	api.RawPath = ""
	return api, nil
}

// listPath fills in the path of an object's list.
func (c *Connector) listPath(o *object, parent connector.Parent) (string, error) {
	template, err := fill(o.list, "{parent}", "a record of "+o.parent, parent.ID)
	if err != nil {
		return "", err
	}
	for _, key := range o.keys {
		what := "the " + key + " of a record of " + o.parent
		if template, err = fill(template, "{parent."+key+"}", what, jsonscan.Plain(parent.Keys[key])); err != nil {
			return "", err
		}
	}
	return c.path(template, "")
}

// path fills in a path template of the table.
func (c *Connector) path(template, id string) (string, error) {
	if c.workspace == "" && strings.Contains(template, "{workspace}") {
		return "", &windlass.Error{
			Kind:    windlass.Invalid,
			Message: "no workspace was named",
			Remedy:  "name the workspace, by the slug in its web address or by its UUID in braces", Provider: &windlass.ProviderDetails{},
		}
	}
	template, err := fill(template, "{workspace}", "a workspace", c.workspace)
	if err != nil {
		return "", err
	}
	return fill(template, "{id}", "an id", id)
}

// fill puts a value into a path template in the place of its name, where that is
// in it.
func fill(template, name, what, value string) (string, error) {
	if !strings.Contains(template, name) {
		return template, nil
	}
	if invented(value) {
		remedy := "it can be read, and neither changed nor deleted"
		if name != "{id}" {
			remedy = "nothing below it can be read"
		}
		return "", &windlass.Error{
			Kind:    windlass.Invalid,
			Message: quote(value) + " is no id of Bitbucket's: the record came without one",
			Remedy:  remedy, Provider: &windlass.ProviderDetails{},
		}
	}
	escaped, err := segment(what, value)
	if err != nil {
		return "", err
	}
	return strings.Replace(template, name, escaped, 1), nil
}

// segment escapes a value for one segment of a path, and refuses what could
// make the path lead elsewhere (invariant 6).
func segment(what, value string) (string, error) {
	bad := value == "" || value == "." || value == ".." || len(value) > 256 ||
		strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f })
	if bad || strings.ContainsAny(value, `/\`) {
		return "", &windlass.Error{
			Kind:    windlass.Invalid,
			Message: quote(value) + " cannot be " + what,
			Remedy:  "it is one part of a path, without slashes", Provider: &windlass.ProviderDetails{},
		}
	}
	return url.PathEscape(value), nil
}

// lesson returns what has been learnt of an object.
func (c *Connector) lesson(o *object) lesson {
	c.lessons.mu.Lock()
	defer c.lessons.mu.Unlock()
	return c.lessons.learnt[o.name]
}

// learn notes something of an object.
func (c *Connector) learn(o *object, note func(*lesson)) {
	c.lessons.mu.Lock()
	defer c.lessons.mu.Unlock()
	l := c.lessons.learnt[o.name]
	note(&l)
	if c.lessons.learnt == nil {
		c.lessons.learnt = map[string]lesson{}
	}
	c.lessons.learnt[o.name] = l
}
