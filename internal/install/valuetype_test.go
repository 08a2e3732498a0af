package install_test

import (
	"testing"

	"windlass/bitbucket"
	"windlass/internal/install"
)

// The types that published clients of 2025 know.
var oldValueTypes = map[string]bool{
	"string": true, "boolean": true, "singleSelect": true, "multiSelect": true, "date": true,
	"datetime": true, "int": true, "float": true, "other": true,
}

func TestMetadataNamesNoTypeThatOlderClientsRefuse(t *testing.T) {
	t.Parallel()
	w := once(t)
	w.ready(reader)
	references := 0
	for _, o := range bitbucket.Objects() {
		got, err := w.flow.ObjectMetadata(w.ctx, w.project.ID, install.MetadataQuery{Provider: "bitbucket", GroupRef: "acme", Object: o.Name})
		w.ok(err)
		for name, field := range got.Fields {
			if !oldValueTypes[field.ValueType] {
				t.Errorf("%s.%s is of type %q", o.Name, name, field.ValueType)
			}
			if len(field.ReferenceTo) > 0 {
				references++
			}
		}
	}
	if references == 0 {
		t.Error("no field says what it refers to")
	}
}
