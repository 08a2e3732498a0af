package sandbox

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
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
			kept := ws.repositories.hooksOf(number)
			*kept = append(*kept, w.seedHook(100*len(w.workspaces)+10*int(number)+n+10_000))
		}
	}
}

// hooks are a workspace's, or a repository's where the path names one. Only an
// owner of the subject may see them.
func hooks() resource[hook] {
	return resource[hook]{
		length: 10, wrap: envelopeFull, param: "uid",
		missing: func() error { return notFound("Webhook not found") },
		kept: func(c *call) (*[]*hook, error) {
			if c.param("repo") == "" {
				return &c.ws.hooks, nil
			}
			r, err := c.repository(levelAdmin)
			if err != nil {
				return nil, err
			}
			return c.ws.repositories.hooksOf(r.number), nil
		},
		uuid: func(k *hook) string { return k.uuid },
		address: func(c *call) string {
			if r := c.hooked(); r != nil {
				return c.at.repositoryURL(c.ws, r) + "/hooks"
			}
			return c.at.workspaceURL(c.ws) + "/hooks"
		},
		body:  (*call).hookBody,
		fresh: (*call).newHook,
		change: func(c *call, k *hook, doc document) (*hook, error) {
			edited := *k
			return &edited, c.applyHook(&edited, doc)
		},
	}
}

// hooked is the repository whose hooks the path names; nil for the workspace's.
func (c *call) hooked() *repository {
	if c.param("repo") == "" {
		return nil
	}
	return c.ws.repositories.find(c.param("repo"))
}

func (c *call) hookBody(k *hook) object {
	subject := c.at.workspaceMini(c.ws)
	if r := c.hooked(); r != nil {
		subject = c.at.repositoryMini(c.ws, r)
	}
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
		{"links", object{{"self", href(hooks().address(c) + "/" + escapeUUID(k.uuid))}}},
		{"source", nil},
		{"read_only", false},
		{"history_enabled", false},
		{"secret_set", k.secret != ""},
	}
}

func (c *call) newHook(doc document) (*hook, error) {
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
	// The digits after the microseconds are there so that nothing relies on fewer.
	k.created = nanos(int64(c.server.now())*1000 + int64(n*137%1000))
	return k, nil
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

// hooksOf is the list of a repository's hooks.
func (s *repositories) hooksOf(number uint32) *[]*hook {
	if s.hooks[number] == nil {
		s.hooks[number] = &[]*hook{}
	}
	return s.hooks[number]
}
