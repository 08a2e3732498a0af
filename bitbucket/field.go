package bitbucket

import (
	"context"
	"strings"

	"windlass"
	"windlass/connector"
	"windlass/internal/nearest"
)

// field is one field of an object in the table.
type field struct {
	name     string // dotted path
	value    connector.ValueType
	provider string
	values   []string
	refs     []string
	use      use
	secret   bool // its value must never be shown
}

// use says who may set a field, and when.
type use int

const (
	readOnly   use = iota
	writable       // a create or an update may set it
	required       // a create must set it, an update may
	createOnly     // a create may set it, an update may not
	writeOnly      // may be set, is never returned
)

// The constructors below name a field's type once, in both vocabularies.

func text(name string) field { return field{name: name, value: connector.String, provider: "string"} }

func link(name string) field {
	return field{name: name, value: connector.String, provider: "string (uri)"}
}

func flag(name string) field {
	return field{name: name, value: connector.Boolean, provider: "boolean"}
}

func number(name string) field {
	return field{name: name, value: connector.Int, provider: "integer"}
}

func moment(name string) field {
	return field{name: name, value: connector.DateTime, provider: "string (date-time)"}
}

func tree(name string) field { return field{name: name, value: connector.Other, provider: "object"} }
func list(name string) field { return field{name: name, value: connector.Other, provider: "array"} }

func choice(name string, values ...string) field {
	return field{name: name, value: connector.SingleSelect, provider: "string (enum)", values: values}
}

func choices(name string, values ...string) field {
	return field{name: name, value: connector.MultiSelect, provider: "array (enum)", values: values}
}

func reference(name string, objects ...string) field {
	return field{name: name, value: connector.Reference, provider: "object", refs: objects}
}

// The groups below are fields that many objects share. An object's own are in
// its file: those of Atlassian's document and those that recorded bodies have
// beside them, nested fields after their parents.

// account returns the fields of a user or team under a parent.
func account(parent string) []field {
	return []field{
		reference(parent, "members"),
		text(parent + ".type"),
		text(parent + ".uuid"),
		text(parent + ".display_name"),
		text(parent + ".nickname"),
		text(parent + ".username"),
		text(parent + ".account_id"),
		tree(parent + ".links"),
	}
}

// itsWorkspace returns the fields of the workspace inside another record.
func itsWorkspace() []field {
	return []field{
		reference("workspace", "workspaces"),
		text("workspace.type"),
		text("workspace.uuid"),
		text("workspace.name"),
		text("workspace.slug"),
		tree("workspace.links"),
	}
}

// itsRepository returns the fields of the repository inside another record.
func itsRepository() []field {
	return []field{
		reference("repository", "repositories"),
		text("repository.type"),
		text("repository.uuid"),
		text("repository.name"),
		text("repository.full_name"),
		tree("repository.links"),
	}
}

// with returns the field with another use.
func (f field) with(u use) field {
	f.use = u
	return f
}

// hidden returns the field with a value that must not be shown.
func (f field) hidden() field {
	f.secret = true
	return f
}

func (f field) public() connector.Field {
	return connector.Field{
		Name: f.name, DisplayName: displayName(f.name),
		Type: f.value, ProviderType: f.provider,
		ReadOnly: f.use == readOnly, Required: f.use == required, WriteOnly: f.use == writeOnly,
		Secret: f.secret, Values: f.values, ReferenceTo: f.refs,
	}
}

// displayName turns "project.created_on" into "Project created on".
func displayName(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return r == '.' || r == '_' })
	for i, word := range words {
		switch word {
		case "id", "uuid", "url", "scm", "html":
			words[i] = strings.ToUpper(word)
		default:
			if i == 0 {
				words[i] = strings.ToUpper(word[:1]) + word[1:]
			}
		}
	}
	return strings.Join(words, " ")
}

// Objects returns what can be done with each object, sorted by name.
func (c *Connector) Objects() []connector.Object { return Objects() }

// Describe returns the fields of an object, parents before children. It makes
// no request: the fields are those of the table, which the package's tests
// hold against bodies that Bitbucket returned and against its document.
func (c *Connector) Describe(_ context.Context, name string) ([]connector.Field, error) {
	return Describe(name)
}

// Describe returns the fields of an object, parents before children.
func Describe(name string) ([]connector.Field, error) {
	o, err := lookup(name)
	if err != nil {
		return nil, inOp("describe "+name, err)
	}
	return o.describe(), nil
}

func (o *object) describe() []connector.Field {
	fields := make([]connector.Field, 0, len(o.fields))
	for _, f := range o.fields {
		fields = append(fields, f.public())
	}
	return fields
}

// field finds a field by its dotted path.
func (o *object) field(name string) (field, bool) {
	for _, f := range o.fields {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}

// checkFields refuses the first name that is no field of the object.
func (o *object) checkFields(names []string) error {
	for _, name := range names {
		if _, ok := o.field(name); ok {
			continue
		}
		return &windlass.Error{
			Kind:    windlass.Invalid,
			Message: o.name + " have no field " + quote(name),
			Remedy:  o.suggestField(name), Provider: &windlass.ProviderDetails{},
		}
	}
	return nil
}

// suggestField says which field was probably meant, or lists the top-level ones.
func (o *object) suggestField(name string) string {
	all := o.fieldNames(func(field) bool { return true })
	if nearest.To(name, all) != "" {
		return suggest(name, all)
	}
	return suggest(name, o.fieldNames(func(f field) bool { return !strings.Contains(f.name, ".") }))
}

// fieldNames returns the names of the fields that keep says to keep.
func (o *object) fieldNames(keep func(field) bool) []string {
	var names []string
	for _, f := range o.fields {
		if keep(f) {
			names = append(names, f.name)
		}
	}
	return names
}
