package sandbox

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// A variable is set in every pipeline of the workspace.
type variable struct {
	uuid, key, value string
	secured          bool
}

func (w *world) seedVariable(n int) *variable {
	h := mix(w.seed, kindVariable, uint64(n))
	v := &variable{
		uuid:    uuidOf(w.seed, kindVariable, uint64(n)),
		key:     strings.ToUpper(pick(w.words.first, h) + "_" + pick(w.words.second, h>>16)),
		value:   pick(w.words.second, h>>32),
		secured: n%3 == 1,
	}
	v.key = strings.ReplaceAll(v.key, "-", "_") + "_" + strconv.Itoa(n)
	return v
}

// body has no value at all when the variable is secured.
func (v *variable) body() object {
	o := object{{"type", "pipeline_variable"}, {"uuid", v.uuid}, {"key", v.key}}
	if !v.secured {
		o = append(o, pair{"value", v.value})
	}
	return append(o, pair{"secured", v.secured})
}

// badVariable is what the service of pipelines says: detail in a sentence and
// data about it.
func badVariable(field, why string) *failure {
	return fail(http.StatusBadRequest, "Bad request", pair{"detail", field + ": " + why},
		pair{"data", object{{"key", "variable.invalid"}, {"arguments", object{{"field", field}}}}})
}

// variables are the workspace's. A PUT replaces: what the document does not say is
// gone, the value too. Putting a secured variable back as it was read clears it.
func variables() resource[variable] {
	return resource[variable]{
		length: 10, wrap: envelopeZeroLength, param: "uuid",
		missing: func() error {
			return fail(http.StatusNotFound, "Not found", pair{"detail", "The requested variable does not exist."})
		},
		kept:    func(c *call) (*[]*variable, error) { return &c.ws.variables, nil },
		uuid:    func(v *variable) string { return v.uuid },
		address: func(c *call) string { return c.at.workspaceURL(c.ws) + "/pipelines-config/variables" },
		body:    func(_ *call, v *variable) object { return v.body() },
		fresh: func(c *call, doc document) (*variable, error) {
			v := &variable{}
			if err := c.applyVariable(v, doc); err != nil {
				return nil, err
			}
			v.uuid = uuidOf(c.world().seed, kindVariable, 1<<32+c.world().number())
			return v, nil
		},
		change: func(c *call, v *variable, doc document) (*variable, error) {
			for field, value := range map[string]any{"key": v.key, "secured": v.secured} {
				if _, set := doc[field]; !set {
					doc[field] = value
				}
			}
			edited := &variable{uuid: v.uuid}
			return edited, c.applyVariable(edited, doc)
		},
	}
}

func (c *call) applyVariable(v *variable, doc document) error {
	key, _, err := doc.text("key", badVariable)
	if err != nil {
		return err
	}
	if key == nil || !regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`).MatchString(*key) {
		return badVariable("key", "letters, digits and underscores, not beginning with a digit")
	}
	for _, other := range c.ws.variables {
		if other.key == *key && other.uuid != v.uuid {
			return fail(http.StatusConflict, "Conflict",
				pair{"detail", "A variable with the key " + *key + " already exists."})
		}
	}
	value, _, err := doc.text("value", badVariable)
	if err != nil {
		return err
	}
	secured, _, err := doc.flag("secured", badVariable)
	if err != nil {
		return err
	}
	v.key, v.value, v.secured = *key, "", secured
	if value != nil {
		v.value = *value
	}
	return nil
}
