package sandbox

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A linker turns matching text into links; an app supplies the values that may
// match. Only the app itself may ask about it.
type linker struct {
	key, name string
	values    []linkerValue
	nextID    int
}

type linkerValue struct {
	id    int
	value string
}

func (w *world) seedLinkers() {
	for n, key := range []string{"ticket-linker", "incident-linker", "empty-linker"} {
		l := &linker{key: key, name: title(strings.ReplaceAll(key, "-", " ")), nextID: 1}
		for i := range 14 - 7*n {
			l.add(strings.ToUpper(pick(w.words.first, mix(w.seed, kindText, uint64(i)+uint64(n)<<8))) + "-" + strconv.Itoa(i))
		}
		w.linkers = append(w.linkers, l)
	}
}

func (l *linker) add(value string) linkerValue {
	v := linkerValue{id: l.nextID, value: value}
	l.nextID++
	l.values = append(l.values, v)
	return v
}

func (l *linker) has(value string) bool {
	return slices.ContainsFunc(l.values, func(v linkerValue) bool { return v.value == value })
}

// putAddon takes an installation's new descriptor. The sandbox has none to
// change and only checks that the request says something it could be.
func (c *call) putAddon() (*answer, error) {
	doc, err := c.document()
	if err != nil {
		return nil, err
	}
	if _, err := doc.object("descriptor", invalid); err != nil {
		return nil, err
	}
	if _, _, err := doc.text("descriptor_url", invalid); err != nil {
		return nil, err
	}
	return nothing()
}

// deleteAddon ends the installation: its tokens are not accepted any more.
func (c *call) deleteAddon() (*answer, error) {
	c.server.access.uninstall()
	return nothing()
}

func (c *call) linkerURL(l *linker) string { return c.at.api + "/addon/linkers/" + l.key }

func (c *call) linkerBody(l *linker) object {
	self := c.linkerURL(l)
	return object{
		{"type", "linker"},
		{"key", l.key},
		{"name", l.name},
		{"links", object{{"self", href(self)}, {"values", href(self + "/values")}}},
	}
}

func (c *call) linkerValue(l *linker, v linkerValue) object {
	return object{
		{"type", "linker_value"},
		{"id", v.id},
		{"value", v.value},
		{"links", object{{"self", href(c.linkerURL(l) + "/values/" + strconv.Itoa(v.id))}}},
	}
}

func (c *call) listLinkers() (*answer, error) {
	linkers := c.world().linkers
	return c.paged(10, len(linkers), envelopeBare, func(b []byte, i int) []byte {
		return appendObject(b, c.linkerBody(linkers[i]))
	})
}

func (c *call) linker() (*linker, error) {
	for _, l := range c.world().linkers {
		if l.key == c.param("linker") {
			return l, nil
		}
	}
	return nil, notFound("The linker does not exist.")
}

func (c *call) getLinker() (*answer, error) {
	l, err := c.linker()
	if err != nil {
		return nil, err
	}
	return reply(http.StatusOK, c.linkerBody(l))
}

func (c *call) listLinkerValues() (*answer, error) {
	l, err := c.linker()
	if err != nil {
		return nil, err
	}
	return c.paged(10, len(l.values), envelopeBare, func(b []byte, i int) []byte {
		return appendObject(b, c.linkerValue(l, l.values[i]))
	})
}

func checkLinkerValue(v any) (string, error) {
	s, _ := v.(string)
	if !regexp.MustCompile(`^[\w\-]+$`).MatchString(s) {
		return "", invalid("value", "letters, digits, underscores and dashes")
	}
	return s, nil
}

func (c *call) createLinkerValue() (*answer, error) {
	l, err := c.linker()
	if err != nil {
		return nil, err
	}
	doc, err := c.document()
	if err != nil {
		return nil, err
	}
	value, err := checkLinkerValue(doc["value"])
	if err != nil {
		return nil, err
	}
	if l.has(value) {
		return nil, fail(http.StatusConflict, "The linker already has this value.")
	}
	return reply(http.StatusCreated, c.linkerValue(l, l.add(value)))
}

// putLinkerValues replaces all of them.
func (c *call) putLinkerValues() (*answer, error) {
	l, err := c.linker()
	if err != nil {
		return nil, err
	}
	doc, err := c.document()
	if err != nil {
		return nil, err
	}
	values, ok := doc["values"].([]any)
	if !ok {
		return nil, invalid("values", "expected a list")
	}
	replaced := linker{nextID: l.nextID}
	for _, v := range values {
		value, err := checkLinkerValue(v)
		if err != nil {
			return nil, err
		}
		if !replaced.has(value) {
			replaced.add(value)
		}
	}
	l.values, l.nextID = replaced.values, replaced.nextID
	return nothing()
}

func (c *call) deleteLinkerValues() (*answer, error) {
	l, err := c.linker()
	if err != nil {
		return nil, err
	}
	l.values = nil
	return nothing()
}

func (c *call) linkerValueInPath() (*linker, int, error) {
	l, err := c.linker()
	if err != nil {
		return nil, 0, err
	}
	i := slices.IndexFunc(l.values, func(v linkerValue) bool { return strconv.Itoa(v.id) == c.param("value") })
	if i < 0 {
		return nil, 0, notFound("The linker value does not exist.")
	}
	return l, i, nil
}

func (c *call) getLinkerValue() (*answer, error) {
	l, i, err := c.linkerValueInPath()
	if err != nil {
		return nil, err
	}
	return reply(http.StatusOK, c.linkerValue(l, l.values[i]))
}

func (c *call) deleteLinkerValue() (*answer, error) {
	l, i, err := c.linkerValueInPath()
	if err != nil {
		return nil, err
	}
	l.values = slices.Delete(l.values, i, i+1)
	return nothing()
}
