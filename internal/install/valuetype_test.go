package install_test

import (
	"testing"

	"windlass/bitbucket"
	"windlass/internal/flowtest"
	"windlass/internal/install"
)

// The types that published clients of 2025 know.
var oldValueTypes = map[string]bool{
	"string": true, "boolean": true, "singleSelect": true, "multiSelect": true, "date": true,
	"datetime": true, "int": true, "float": true, "other": true,
}

func TestMetadataNamesNoTypeThatOlderClientsRefuse(t *testing.T) {
	t.Parallel()
	w := flowtest.Once(t)
	w.Ready(flowtest.Reader)
	references := 0
	for _, o := range bitbucket.Objects() {
		got, err := w.Install.ObjectMetadata(w.Context(), w.Project.ID, install.MetadataQuery{Provider: "bitbucket", GroupRef: "acme", Object: o.Name})
		w.OK(err)
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
