package api

import (
	"reflect"
	"slices"
	"strings"

	"windlass/internal/sink"
)

// settingsName is the schema of a destination's settings in the document.
const settingsName = "DestinationMetadata"

// settingsOf is a struct with all settings that destinations may have, whatever
// their type: which of them one has is checked by what it is sent through.
func settingsOf(types []sink.Type) reflect.Type {
	var fields []reflect.StructField
	for i := range types {
		for _, field := range types[i].Fields() {
			field = reflect.StructField{Name: field.Name, Type: field.Type, Tag: optional(field.Tag)}
			at := slices.IndexFunc(fields, func(other reflect.StructField) bool {
				return other.Tag == field.Tag || other.Name == field.Name
			})
			switch {
			case at < 0:
				fields = append(fields, field)
			case fields[at].Type != field.Type || fields[at].Tag != field.Tag:
				fields[at].Type = reflect.TypeFor[any]()
			}
		}
	}
	return reflect.StructOf(fields)
}

// optional is the tag of a field that may be left out.
func optional(tag reflect.StructTag) reflect.StructTag {
	name, _, _ := strings.Cut(tag.Get("json"), ",")
	return reflect.StructTag(`json:"` + name + `,omitempty"`)
}

// destinationTypes says in the schema of a destination which types there are.
func (s *schemaSet) destinationTypes(types *sink.Table) {
	schema := s.registry.Map()["Destination"].Properties["type"]
	for _, name := range types.Names() {
		schema.Enum = append(schema.Enum, name)
	}
	schema.PrecomputeMessages()
}
