package install_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"windlass/internal/config"
	"windlass/internal/flowtest"
	"windlass/internal/install"
)

func TestConfigsAreWhatTheContractDescribes(t *testing.T) {
	t.Parallel()
	for _, content := range []string{
		flowtest.Minimal, `{}`,
		`{"write":{"objects":{"projects":{"selectedFieldSettings":{"name":{"default":{"integerValue":9007199254740993}}}}}}}`,
		`{"read":{"objects":{"members":{"selectedFieldMappings":{"person":"type"},"fieldFilters":[{"fieldName":"type","operator":"eq","value":1}]}}}}`,
	} {
		w := flowtest.Once(t)
		w.Ready(flowtest.Reader)
		in, err := w.Installed("acme", content)
		w.OK(err)
		flowtest.Conform(t, "ConfigContent", w.Config(in))
		again, err := config.Parse(in.Config.Content)
		w.OK(err)
		if s := again.Write; s != nil && *s.Objects["projects"].SelectedFieldSettings["name"].Default.IntegerValue != 9007199254740993 {
			t.Errorf("a large number lost its last digits: %s", in.Config.Content)
		}
	}
}

func TestObjectMetadata(t *testing.T) {
	t.Parallel()
	w := flowtest.Once(t)
	w.Ready(flowtest.Reader)
	_, err := w.Install.ObjectMetadata(w.Context(), w.Project.ID, install.MetadataQuery{Integration: "reader", GroupRef: "acme", Object: "repos"})
	w.Refused(err, "not found", "is not installed for group")
	_, err = w.Installed("acme", flowtest.Minimal)
	w.OK(err)
	mapped, err := w.Install.ObjectMetadata(w.Context(), w.Project.ID, install.MetadataQuery{Integration: "reader", GroupRef: "acme", Object: "repos"})
	w.OK(err)
	flowtest.Conform(t, "ObjectMetadata", mapped)
	if mapped.Name != "repositories" || mapped.MappedObjectName != "repos" || mapped.Fields["$['project']['key']"].FieldName == "" {
		t.Errorf("got %+v", mapped)
	}
	flowtest.Golden(t, "metadata.json", mapped)
	writable, err := w.Install.ObjectMetadata(w.Context(), w.Project.ID, install.MetadataQuery{Provider: "bitbucket", GroupRef: "acme", Object: "projects", ExcludeReadOnly: true})
	w.OK(err)
	flowtest.Conform(t, "ObjectMetadata", writable)
	for name, field := range writable.Fields {
		if *field.ReadOnly {
			t.Errorf("%s is read-only", name)
		}
	}
	if key := writable.Fields["key"]; !*key.IsRequired || len(writable.Fields) < 3 {
		t.Errorf("got %+v", writable.Fields)
	}
	for _, q := range []install.MetadataQuery{
		{Provider: "bitbucket", GroupRef: "acme", Object: "issues"},
		{Provider: "bitbucket", GroupRef: "unknown", Object: "projects"},
		{Provider: "bitbucket", Object: "projects"},
		{Integration: "x", GroupRef: "acme", Object: "projects"},
	} {
		if _, err := w.Install.ObjectMetadata(w.Context(), w.Project.ID, q); err == nil {
			t.Errorf("%+v: no error", q)
		}
	}
}

// Every key that the contract has for a config is one that we read: clients are
// made from it, and we refuse keys that we do not know.
func TestEveryKeyOfTheContractIsKnown(t *testing.T) {
	t.Parallel()
	flowtest.Shared(t, "api.bundled.json")
	document, err := flowtest.Contract()
	if err != nil {
		t.Fatal(err)
	}
	for name, ours := range map[string]reflect.Type{
		"BaseConfigContent":               reflect.TypeFor[config.Config](),
		"BaseReadConfig":                  reflect.TypeFor[config.ReadConfig](),
		"BaseReadConfigObject":            reflect.TypeFor[config.ReadObject](),
		"DynamicMappingsInputEntry":       reflect.TypeFor[config.DynamicMapping](),
		"DynamicMappingsInputMappedValue": reflect.TypeFor[config.MappedValue](),
		"BackfillConfig":                  reflect.TypeFor[config.Backfill](),
		"ReadFilter":                      reflect.TypeFor[config.Filter](),
		"BaseWriteConfig":                 reflect.TypeFor[config.WriteConfig](),
		"BaseWriteConfigObject":           reflect.TypeFor[config.WriteObject](),
		"DeletionSettings":                reflect.TypeFor[config.DeletionSettings](),
		"FieldSetting":                    reflect.TypeFor[config.FieldSetting](),
		"FieldSettingDefault":             reflect.TypeFor[config.DefaultValue](),
		"ValueDefaultString":              reflect.TypeFor[config.ValueDefault](),
		"BaseSubscribeConfig":             reflect.TypeFor[config.SubscribeConfig](),
		"BaseSubscribeConfigObject":       reflect.TypeFor[config.SubscribeObject](),
		"BaseProxyConfig":                 reflect.TypeFor[config.ProxyConfig](),
	} {
		schema := document.Components.Schemas[name]
		if schema == nil {
			t.Errorf("the contract has no schema %s", name)
			continue
		}
		var known []string
		for field := range ours.Fields() {
			key, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			known = append(known, key)
		}
		for key := range schema.Value.Properties {
			if !slices.Contains(known, key) {
				t.Errorf("%s has the key %s, and %v has not", name, key, ours)
			}
		}
	}
}
