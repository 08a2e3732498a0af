package manifest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"windlass/internal/nearest"
)

// A checker applies the rules that go beyond the form of a manifest.
type checker struct {
	*report
	opts *Options
}

var integrationName = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)

func (c checker) manifest(m *Manifest) {
	if c.need(m.SpecVersion, "specVersion", `write "specVersion: `+SpecVersion+`"`) && m.SpecVersion != SpecVersion {
		c.add("specVersion", "specVersion "+quote(m.SpecVersion)+" is not supported", "write "+SpecVersion)
	}
	if len(m.Integrations) == 0 {
		c.add("integrations", "there is no integration", `list at least one under "integrations:"`)
	}
	names := unique{checker: c, what: "integration"}
	for i := range m.Integrations {
		path := item("integrations", i)
		c.integration(&m.Integrations[i], path)
		names.add(m.Integrations[i].Name, within(path, "name"))
	}
}

func (c checker) integration(in *Integration, path string) {
	if c.need(in.Name, within(path, "name"), `name the integration, as in "name: repositories-to-crm"`) && !integrationName.MatchString(in.Name) {
		c.add(within(path, "name"), "the name "+quote(in.Name)+" cannot be used",
			`write 1 to 64 lower-case letters, digits, "-" and "_"`+suggestName(in.Name))
	}
	if c.need(in.Provider, within(path, "provider"), `name the provider, as in "provider: bitbucket"`) {
		c.known(in.Provider, c.opts.Providers, within(path, "provider"), "provider")
	}
	c.actions(in, path)
	if in.Read != nil {
		c.read(in, within(path, "read"))
	}
	if in.Write != nil {
		c.write(in, within(path, "write"))
	}
	if in.Subscribe != nil {
		c.subscribe(in, within(path, "subscribe"))
	}
	if in.WatchSchema != nil {
		c.watchSchema(in.WatchSchema, within(path, "watchSchema"))
	}
}

// actions checks that an integration has at least one action.
func (c checker) actions(in *Integration, path string) {
	proxies := in.Proxy != nil && in.Proxy.Enabled
	if in.Read != nil || in.Write != nil || in.Subscribe != nil || proxies {
		return
	}
	for _, action := range []string{"read", "write", "subscribe", "proxy"} {
		if c.spoilt[within(path, action)] {
			return // it was meant to do something
		}
	}
	if in.Proxy != nil {
		c.add(within(path, "proxy.enabled"), "the integration does nothing: its proxy is not enabled", `write "enabled: true" in it, or add read, write or subscribe`)
		return
	}
	c.add(path, "the integration does nothing", "add at least one of read, write, proxy and subscribe")
}

// need reports a value that is missing or blank, and whether it is there.
func (c checker) need(value, path, remedy string) bool {
	switch {
	case strings.TrimSpace(value) != "":
		return true
	case c.has(path):
		c.add(path, label(path)+" is empty", remedy)
	default:
		c.add(path, label(path)+" is missing", remedy)
	}
	return false
}

// known reports an unknown name.
func (c checker) known(name string, names []string, path, what string) {
	if names == nil || slices.Contains(names, name) {
		return
	}
	remedy := "there is none with a name like this"
	if meant := nearest.To(name, names); meant != "" {
		remedy = "write " + quote(meant)
	} else if few := slices.Sorted(slices.Values(names)); len(few) > 0 && len(few) <= 20 {
		remedy = "there are " + strings.Join(few, ", ")
	}
	c.add(path, "unknown "+what+" "+quote(name), remedy)
}

// oneOf reports a value that is neither absent nor one of the choices.
func (c checker) oneOf(value, path string, choices ...string) {
	if value == "" && !c.has(path) || slices.Contains(choices, value) {
		return
	}
	remedy := "write " + choices[0] + ", or leave the key out"
	if len(choices) > 1 {
		remedy = "write one of " + strings.Join(choices, ", ")
	}
	c.add(path, label(path)+" "+quote(value)+" has no meaning", remedy)
}

// unique reports names that come twice.
type unique struct {
	checker
	what  string
	first map[string]string // from a name to its path
}

func (u *unique) add(name, path string) {
	if name == "" {
		return
	}
	if u.first == nil {
		u.first = map[string]string{}
	}
	before, twice := u.first[name]
	if !twice {
		u.first[name] = path
		return
	}
	where := before
	if at := u.find(before); at.line > 0 {
		where = fmt.Sprintf("line %d", at.line)
	}
	u.checker.add(path, fmt.Sprintf("%s %s is in %s already", u.what, quote(name), where), "rename or remove one of the two")
}

// suggestName turns what the author wrote into a valid name.
func suggestName(name string) string {
	fit := strings.Map(func(char rune) rune {
		switch {
		case char >= 'a' && char <= 'z', char >= '0' && char <= '9', char == '-', char == '_':
			return char
		case char == ' ' || char == '.' || char == '/':
			return '-'
		default:
			return -1
		}
	}, strings.ToLower(name))
	fit = strings.Trim(fit[:min(len(fit), 64)], "-")
	if fit == "" {
		return ""
	}
	return ", such as " + quote(fit)
}
