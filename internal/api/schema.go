package api

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"windlass"
	"windlass/internal/setup"
	"windlass/internal/sink"
)

// A schemaSet holds the JSON Schemas of the types that go through the API, made
// from the types: the document shows them and requests are checked by them.
type schemaSet struct {
	registry huma.Registry
	// of is filled while the set is made, and only read afterwards.
	of map[reflect.Type]*huma.Schema
	// resource leads from the type of a body that makes or changes a resource to
	// the schema that the resource is answered in. Published clients send it back
	// whole, so what only an answer has is ignored in a body.
	resource map[reflect.Type]*huma.Schema
}

// componentPrefix is where the document keeps its schemas.
const componentPrefix = "#/components/schemas/"

func newSchemaSet(routes []route, destinations *sink.Table) *schemaSet {
	settings := settingsOf(destinations.Types())
	name := func(t reflect.Type, hint string) string {
		if t == settings {
			return settingsName
		}
		return schemaName(t, hint)
	}
	s := &schemaSet{registry: huma.NewMapRegistry(componentPrefix, name), of: map[reflect.Type]*huma.Schema{}, resource: map[reflect.Type]*huma.Schema{}}
	s.registry.RegisterTypeAlias(reflect.TypeFor[windlass.Secret](), reflect.TypeFor[string]())
	s.registry.RegisterTypeAlias(reflect.TypeFor[setup.DestinationMetadata](), settings)
	s.add(reflect.TypeFor[problem](), "")
	for _, r := range routes {
		s.add(r.op.in, r.id+"Request")
		s.add(r.op.out, r.id+"Answer")
		for _, part := range r.op.parts {
			s.add(part, r.id+"Request")
		}
		for _, other := range r.op.others {
			s.add(other, r.id+"Answer")
		}
		if made := r.resource(); made != nil {
			s.add(made, r.id+"Resource")
			s.resource[r.op.in] = s.of[made]
		}
	}
	s.destinationTypes(destinations)
	for _, schema := range s.registry.Map() {
		tighten(schema)
	}
	for _, schema := range s.of {
		tighten(schema)
	}
	return s
}

func (s *schemaSet) add(t reflect.Type, hint string) {
	if t != nil && t != reflect.TypeFor[text]() && t != reflect.TypeFor[page]() {
		s.of[t] = s.registry.Schema(t, true, hint)
	}
}

// schemaName names a schema after its Go type, in the document's spelling.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case strings.HasSuffix(t.PkgPath(), "/manifest"):
		name = "Manifest" + name // some of its names are those of package install, too
	case strings.HasSuffix(t.PkgPath(), "/internal/write"):
		name = "Write" + name // it says Request, Answer and Problem of its own
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// maxMask is how many fields an update may name.
const maxMask = 100

// tighten adds to a schema the rules for all bodies: nothing is null (huma allows it
// for lists), and masks are bounded.
func tighten(s *huma.Schema) {
	if s == nil {
		return
	}
	s.Nullable = false
	tighten(s.Items)
	for name, property := range s.Properties {
		tighten(property)
		if name == "updateMask" || name == "changes" {
			most := maxMask
			property.MaxItems = &most
			property.PrecomputeMessages()
		}
	}
	if values, ok := s.AdditionalProperties.(*huma.Schema); ok {
		tighten(values)
	}
}

// check holds a parsed body against the schema of a type and adds everything that
// is wrong, in the order of the places. It repeats no value: one may be a secret
// that stands in the wrong place.
func (s *schemaSet) check(t reflect.Type, value any, found *faults) {
	before := len(found.issues)
	s.unknownKeys(s.of[t], s.resource[t], value, nil, found)
	if found.full() || found.large {
		return // the rest would cost more than it tells
	}
	var result huma.ValidateResult
	huma.Validate(s.registry, s.of[t], huma.NewPathBuffer(nil, 0), huma.ModeWriteToServer, value, &result)
	for _, err := range result.Errors {
		var detail *huma.ErrorDetail
		if !errors.As(err, &detail) {
			continue
		}
		name, message := detail.Location, detail.Message
		if message == "unexpected property" {
			continue // unknownKeys lists the known keys
		}
		if found.full() {
			break
		}
		if missing, cut := strings.CutPrefix(message, "expected required property "); cut {
			missing, _, _ = strings.Cut(missing, " ")
			name, message = join(name, missing), "it is required"
		}
		found.issues = append(found.issues, windlass.Issue{In: "body", Name: name, Message: message})
	}
	slices.SortStableFunc(found.issues[before:], func(a, b windlass.Issue) int { return cmp.Compare(a.Name, b.Name) })
}

// unknownKeys adds the keys that no schema has, letter by letter (huma and
// encoding/json take any case), and the texts that cannot be kept. Keys that the
// resource has in an answer are passed over.
func (s *schemaSet) unknownKeys(schema, resource *huma.Schema, value any, at *place, found *faults) {
	if found.full() {
		return
	}
	found.looked++
	schema, resource = s.resolve(schema), s.resolve(resource)
	switch value := value.(type) {
	case string:
		if !printable(value) {
			found.add(at, "it holds a NUL")
		}
		if schema != nil && schema.Type == huma.TypeString {
			found.text(at, value)
		}
	case []any:
		if schema != nil && schema.Type == huma.TypeArray && schema.MaxItems == nil && len(value) > maxList {
			found.tooLarge(at, fmt.Sprintf("it has %d entries: at most %d are allowed", len(value), maxList))
			return
		}
		for i, member := range value {
			s.unknownKeys(itemSchema(schema), itemSchema(resource), member, at.item(i), found)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(value)) {
			if found.full() {
				return
			}
			member, known := memberSchema(schema, key)
			if !known && (schema == nil || len(schema.Properties) == 0) {
				found.add(at.member(key), "the key contains a NUL character")
				continue
			}
			inAnswer := answerMember(schema, resource, key)
			if !known && inAnswer != nil {
				continue
			}
			if !known {
				found.add(at.member(key), "there is no such key; there are "+
					strings.Join(slices.Sorted(maps.Keys(schema.Properties)), ", "))
				continue
			}
			s.unknownKeys(member, inAnswer, value[key], at.member(key), found)
		}
	}
}

func (s *schemaSet) resolve(schema *huma.Schema) *huma.Schema {
	for schema != nil && schema.Ref != "" {
		schema = s.registry.SchemaFromRef(schema.Ref)
	}
	return schema
}

func itemSchema(schema *huma.Schema) *huma.Schema {
	if schema == nil {
		return nil
	}
	return schema.Items
}

// answerMember returns the schema that a key has in an answer, or nil. The body
// of an update has the resource under a name of its own, beside the mask.
func answerMember(schema, resource *huma.Schema, key string) *huma.Schema {
	if schema == nil || resource == nil {
		return nil
	}
	if _, updates := schema.Properties["updateMask"]; updates {
		if _, known := schema.Properties[key]; known && key != "updateMask" {
			return resource
		}
		return nil
	}
	if member := resource.Properties[key]; member != nil || resource.Properties["createTime"] == nil {
		return member
	}
	if slices.Contains([]string{"id", "projectId", "createTime", "updateTime"}, key) { // whatever the answer leaves out of them
		return &huma.Schema{Type: huma.TypeString}
	}
	return nil
}

// memberSchema returns the schema of one key, nil where anything goes, and
// whether there may be such a key.
func memberSchema(schema *huma.Schema, key string) (*huma.Schema, bool) {
	if schema == nil {
		return nil, printable(key)
	}
	if member, ok := schema.Properties[key]; ok {
		return member, true
	}
	switch additional := schema.AdditionalProperties.(type) {
	case bool:
		return nil, additional
	case *huma.Schema:
		return additional, printable(key)
	default:
		return nil, len(schema.Properties) == 0 && printable(key)
	}
}
