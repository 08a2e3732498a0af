package sandbox

import (
	"net/http"
	"regexp"
	"slices"
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

func (c *call) listVariables() (*answer, error) {
	variables := c.ws.variables
	return c.paged(10, len(variables), envelopeZeroLength, func(b []byte, i int) []byte {
		return appendObject(b, variables[i].body())
	})
}

func (c *call) variable() (*variable, error) {
	want := "{" + strings.Trim(c.param("uuid"), "{}") + "}"
	i := slices.IndexFunc(c.ws.variables, func(v *variable) bool { return v.uuid == want })
	if i < 0 {
		return nil, fail(http.StatusNotFound, "Not found", pair{"detail", "The requested variable does not exist."})
	}
	return c.ws.variables[i], nil
}

func (c *call) getVariable() (*answer, error) {
	v, err := c.variable()
	if err != nil {
		return nil, err
	}
	return reply(http.StatusOK, v.body())
}

func (c *call) createVariable() (*answer, error) {
	doc, err := c.document()
	if err != nil {
		return nil, err
	}
	v := &variable{}
	if err := c.applyVariable(v, doc); err != nil {
		return nil, err
	}
	v.uuid = uuidOf(c.world().seed, kindVariable, 1<<32+c.world().number())
	c.ws.variables = append(c.ws.variables, v)
	return created(http.StatusCreated,
		c.at.workspaceURL(c.ws)+"/pipelines-config/variables/"+escapeUUID(v.uuid), v.body())
}

// putVariable replaces: what the document does not say is gone, the value too.
// Whoever puts a secured variable back as it was read clears it.
func (c *call) putVariable() (*answer, error) {
	v, err := c.variable()
	if err != nil {
		return nil, err
	}
	doc, err := c.document()
	if err != nil {
		return nil, err
	}
	if _, set := doc["key"]; !set {
		doc["key"] = v.key
	}
	if _, set := doc["secured"]; !set {
		doc["secured"] = v.secured
	}
	edited := variable{uuid: v.uuid}
	if err := c.applyVariable(&edited, doc); err != nil {
		return nil, err
	}
	*v = edited
	return reply(http.StatusOK, v.body())
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

func (c *call) deleteVariable() (*answer, error) {
	v, err := c.variable()
	if err != nil {
		return nil, err
	}
	c.ws.variables = slices.DeleteFunc(c.ws.variables, func(other *variable) bool { return other == v })
	return nothing()
}
