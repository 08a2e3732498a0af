package sandbox

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A hook is a webhook of a workspace or, when repository is set, of a
// repository of it. The secret never leaves the server.
type hook struct {
	uuid, url   string
	description *string
	active      bool
	events      []string
	created     nanos
	secret      string
}

const maxSecret = 128

func (w *world) seedHook(n int) *hook {
	h := mix(w.seed, kindHook, uint64(n))
	description := "Notify " + pick(w.words.second, h>>8)
	k := &hook{
		uuid:   uuidOf(w.seed, kindHook, uint64(n)),
		url:    "https://hooks.example.com/" + pick(w.words.first, h>>16) + "/" + strconv.Itoa(n),
		active: n%4 != 3, description: &description,
		created: nanos(int64(seedStart()+stamp(h%uint64(seedEnd()-seedStart())))*1000 + int64(h>>20%1000)),
	}
	if n%5 == 2 {
		k.description = nil
	}
	for i := range 1 + n%3 {
		k.events = append(k.events, w.events[(n*5+i*7)%(len(w.events)-1)].event)
	}
	if n%2 == 1 {
		k.secret = "seeded-secret-" + strconv.Itoa(n)
	}
	return k
}

// seedRepositoryHooks gives the first three repositories a hook or more.
func (w *world) seedRepositoryHooks(ws *workspace) {
	for number := range uint32(min(3, ws.repositories.seededCount)) {
		for n := range int(number) + 1 {
			ws.repositories.hooks[number] = append(ws.repositories.hooks[number],
				w.seedHook(100*len(w.workspaces)+10*int(number)+n+10_000))
		}
	}
}

// hooksOf is the list that the path names, with the subject it belongs to and
// the address it has. Only who owns the subject may see it.
func (c *call) hooksOf() (hooks []*hook, subject object, self string, err error) {
	if c.param("repo") == "" {
		return c.ws.hooks, c.at.workspaceMini(c.ws), c.at.workspaceURL(c.ws) + "/hooks", nil
	}
	r, err := c.repository(levelAdmin)
	if err != nil {
		return nil, nil, "", err
	}
	return c.ws.repositories.hooks[r.number], c.at.repositoryMini(c.ws, r), c.at.repositoryURL(c.ws, r) + "/hooks", nil
}

func (c *call) setHooks(hooks []*hook) {
	if c.param("repo") == "" {
		c.ws.hooks = hooks
		return
	}
	number := c.ws.repositories.find(c.param("repo")).number
	c.ws.repositories.hooks[number] = hooks
}

func (k *hook) body(subject object, self string) object {
	return object{
		{"type", "webhook_subscription"},
		{"uuid", k.uuid},
		{"description", k.description},
		{"url", k.url},
		{"active", k.active},
		{"skip_cert_verification", false},
		{"events", k.events},
		{"created_at", k.created},
		{"subject", subject},
		{"links", object{{"self", href(self + "/" + escapeUUID(k.uuid))}}},
		{"source", nil},
		{"read_only", false},
		{"history_enabled", false},
		{"secret_set", k.secret != ""},
	}
}

func (c *call) listHooks() (*answer, error) {
	hooks, subject, self, err := c.hooksOf()
	if err != nil {
		return nil, err
	}
	return c.paged(10, len(hooks), envelopeFull, func(b []byte, i int) []byte {
		return appendObject(b, hooks[i].body(subject, self))
	})
}

func (c *call) createHook() (*answer, error) {
	hooks, subject, self, err := c.hooksOf()
	if err != nil {
		return nil, err
	}
	doc, err := c.document()
	if err != nil {
		return nil, err
	}
	for _, field := range []string{"url", "events"} {
		if doc[field] == nil {
			return nil, invalid(field, required)
		}
	}
	k := &hook{active: true}
	if err := c.applyHook(k, doc); err != nil {
		return nil, err
	}
	n := c.world().number()
	k.uuid = uuidOf(c.world().seed, kindHook, 1<<32+n)
	// The digits after the microseconds are there so that nobody relies on
	// fewer.
	k.created = nanos(int64(c.server.now())*1000 + int64(n*137%1000))
	c.setHooks(append(slices.Clone(hooks), k))
	return created(http.StatusCreated, self+"/"+escapeUUID(k.uuid), k.body(subject, self))
}

// hook finds the one in the path.
func (c *call) hook() (k *hook, hooks []*hook, subject object, self string, err error) {
	hooks, subject, self, err = c.hooksOf()
	if err != nil {
		return nil, nil, nil, "", err
	}
	want := "{" + strings.Trim(c.param("uid"), "{}") + "}"
	i := slices.IndexFunc(hooks, func(k *hook) bool { return k.uuid == want })
	if i < 0 {
		return nil, nil, nil, "", notFound("Webhook not found")
	}
	return hooks[i], hooks, subject, self, nil
}

func (c *call) getHook() (*answer, error) {
	k, _, subject, self, err := c.hook()
	if err != nil {
		return nil, err
	}
	return reply(http.StatusOK, k.body(subject, self))
}

func (c *call) putHook() (*answer, error) {
	k, _, subject, self, err := c.hook()
	if err != nil {
		return nil, err
	}
	doc, err := c.document()
	if err != nil {
		return nil, err
	}
	edited := *k
	if err := c.applyHook(&edited, doc); err != nil {
		return nil, err
	}
	*k = edited
	return reply(http.StatusOK, k.body(subject, self))
}

func (c *call) deleteHook() (*answer, error) {
	k, hooks, _, _, err := c.hook()
	if err != nil {
		return nil, err
	}
	c.setHooks(slices.DeleteFunc(slices.Clone(hooks), func(other *hook) bool { return other == k }))
	return nothing()
}

// applyHook validates what the document says and writes it into k. A document
// without secret leaves the secret; null or an empty one removes it.
func (c *call) applyHook(k *hook, doc document) error {
	if description, set, err := doc.text("description", invalid); err != nil {
		return err
	} else if set {
		k.description = description
	}
	if address, set, err := doc.text("url", invalid); err != nil {
		return err
	} else if set {
		if address == nil || !reachable(*address) {
			return invalid("url", "Enter a valid URL that can be reached from the internet.")
		}
		k.url = *address
	}
	if active, set, err := doc.flag("active", invalid); err != nil {
		return err
	} else if set {
		k.active = active
	}
	if secret, set, err := doc.text("secret", invalid); err != nil {
		return err
	} else if set {
		switch {
		case secret == nil:
			k.secret = ""
		case utf8.RuneCountInString(*secret) > maxSecret:
			return invalid("secret", "Ensure this value has at most 128 characters.")
		default:
			k.secret = *secret
		}
	}
	return c.applyEvents(k, doc)
}

func (c *call) applyEvents(k *hook, doc document) error {
	value, set := doc["events"]
	if !set {
		return nil
	}
	names, ok := value.([]any)
	if !ok || len(names) == 0 {
		return invalid("events", "expected a list of one event or more")
	}
	events := make([]string, 0, len(names))
	for _, v := range names {
		name, _ := v.(string)
		e, ok := c.world().event(name, c.param("repo") == "")
		if !ok {
			return invalid("events", "Invalid event: "+name)
		}
		// Hearing of something needs the scope for reading it.
		if err := c.who.require("webhook", e.scope); err != nil {
			return err
		}
		if slices.Contains(events, name) {
			return invalid("events", "Duplicate event: "+name)
		}
		events = append(events, name)
	}
	k.events = events
	return nil
}

// reachable refuses what cannot be an address on the internet: Bitbucket
// resolves it and takes no internal ones.
func reachable(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Hostname() == "localhost" {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return err != nil || !ip.IsPrivate() && !ip.IsLoopback() && !ip.IsUnspecified() && !ip.IsLinkLocalUnicast()
}
