package install_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"windlass/bitbucket"
	"windlass/connector"
	"windlass/internal/config"
	"windlass/internal/install"
)

// contract reads the published document once.
var contract = sync.OnceValues(func() (*openapi3.T, error) {
	return openapi3.NewLoader().LoadFromFile(filepath.Join(sharedFolder(), "contract", "ampersand", "api.bundled.json"))
})

// conform checks that a value, as JSON, is what a schema of the published
// contract describes.
func conform(t *testing.T, schema string, value any) {
	t.Helper()
	if _, err := os.Stat(sharedFolder()); err != nil && os.Getenv("WINDLASS_SHARED_REQUIRED") != "1" {
		t.Log("not compared with the published contract, which is not beside the repository")
		return
	}
	document, err := contract()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var plain any
	if err := json.Unmarshal(text, &plain); err != nil {
		t.Fatal(err)
	}
	// A field that exists and is mapped fits both forms that the contract has for
	// fields, of which it wants exactly one: no such field could ever pass.
	if schema == "HydratedRevision" {
		unmapped(plain)
	}
	if at := null(plain, ""); at != "" {
		t.Errorf("%s: %s is null", schema, at)
	}
	found := document.Components.Schemas[schema]
	if found == nil {
		t.Fatalf("the contract has no schema %s", schema)
	}
	if err := found.Value.VisitJSON(plain, openapi3.MultiErrors()); err != nil {
		t.Errorf("%s: %v", schema, err)
	}
}

// unmapped takes the mapping off fields that exist.
func unmapped(value any) {
	switch value := value.(type) {
	case map[string]any:
		if _, exists := value["fieldName"]; exists {
			delete(value, "mapToName")
		}
		for _, inside := range value {
			unmapped(inside)
		}
	case []any:
		for _, inside := range value {
			unmapped(inside)
		}
	}
}

// null returns where a value has a null in it.
func null(value any, at string) string {
	switch value := value.(type) {
	case nil:
		return at + "."
	case map[string]any:
		for key, inside := range value {
			if found := null(inside, at+"."+key); found != "" {
				return found
			}
		}
	case []any:
		for _, inside := range value {
			if found := null(inside, at+"[]"); found != "" {
				return found
			}
		}
	}
	return ""
}

// without is a provider that has no objects.
type without struct{ bitbucket.Provider }

func (*without) Objects() []connector.Object { return nil }

func TestCatalogIsWhatTheContractDescribes(t *testing.T) {
	t.Parallel()
	w := once(t)
	info, err := w.flow.CatalogEntry("bitbucket")
	w.ok(err)
	conform(t, "ProviderInfo", info)
	conform(t, "CatalogType", w.flow.Catalog())
	golden(t, "catalog.json", info)
	if !info.Support.Read || !info.Support.Write || !info.Support.Delete || info.Support.Subscribe {
		t.Errorf("got support %+v", info.Support)
	}
	empty := install.New(w.store, connector.Providers{&without{}}, nil)
	if info, err := empty.CatalogEntry("bitbucket"); err != nil || info.Support.Read || info.Support.Write {
		t.Errorf("got support %+v without objects, %v", info.Support, err)
	}
	_, err = w.flow.CatalogEntry("github")
	w.refused(err, "not found", `there is no provider "github"; the providers are bitbucket`)
}

func TestConfigsAreWhatTheContractDescribes(t *testing.T) {
	t.Parallel()
	for _, content := range []string{
		minimal, `{}`,
		`{"write":{"objects":{"projects":{"selectedFieldSettings":{"name":{"default":{"integerValue":9007199254740993}}}}}}}`,
		`{"read":{"objects":{"members":{"selectedFieldMappings":{"person":"type"},"fieldFilters":[{"fieldName":"type","operator":"eq","value":1}]}}}}`,
	} {
		w := once(t)
		w.ready(reader)
		in, err := w.install("acme", content)
		w.ok(err)
		conform(t, "ConfigContent", w.config(in))
		again, err := config.Parse(in.Config.Content)
		w.ok(err)
		if s := again.Write; s != nil && *s.Objects["projects"].SelectedFieldSettings["name"].Default.IntegerValue != 9007199254740993 {
			t.Errorf("a large number lost its last digits: %s", in.Config.Content)
		}
	}
}

func TestHydratedRevisionIsWhatTheContractDescribes(t *testing.T) {
	t.Parallel()
	w := once(t)
	w.ready(reader)
	in, err := w.flow.Integration(w.ctx, w.project.ID, "reader")
	w.ok(err)
	hydrated, err := w.flow.Hydrate(w.ctx, w.project.ID, "reader", in.Latest.ID, "con-acme")
	w.ok(err)
	conform(t, "HydratedRevision", hydrated)
	golden(t, "hydrated.json", hydrated.Content)

	// What cannot be found out is said where it is missing.
	w.provider.down = true
	hydrated, err = w.flow.Hydrate(w.ctx, w.project.ID, "reader", in.Latest.ID, "con-acme")
	w.provider.down = false
	w.ok(err)
	conform(t, "HydratedRevision", hydrated)
	objects := hydrated.Content.Read.Objects
	if len(objects) != 2 || objects[0].Error != "its fields could not be determined: 503 Service Unavailable" || len(objects[0].RequiredFields) != 2 {
		t.Errorf("got %+v", objects)
	}

	for _, test := range []struct{ name, revision, connection, want string }{
		{"no connection", in.Latest.ID, "", "query connectionId: is missing"},
		{"an unknown connection", in.Latest.ID, "x", ""},
		{"an unknown revision", "x", "con-acme", ""},
	} {
		_, err = w.flow.Hydrate(w.ctx, w.project.ID, "reader", test.revision, test.connection)
		if err == nil || test.want != "" && issues(err)[:len(test.want)] != test.want {
			t.Errorf("%s: got %v", test.name, err)
		}
	}
}

func TestObjectMetadata(t *testing.T) {
	t.Parallel()
	w := once(t)
	w.ready(reader)
	_, err := w.flow.ObjectMetadata(w.ctx, w.project.ID, install.MetadataQuery{Integration: "reader", GroupRef: "acme", Object: "repos"})
	w.refused(err, "not found", "is not installed for group")
	_, err = w.install("acme", minimal)
	w.ok(err)
	mapped, err := w.flow.ObjectMetadata(w.ctx, w.project.ID, install.MetadataQuery{Integration: "reader", GroupRef: "acme", Object: "repos"})
	w.ok(err)
	conform(t, "ObjectMetadata", mapped)
	if mapped.Name != "repositories" || mapped.MappedObjectName != "repos" || mapped.Fields["$['project']['key']"].FieldName == "" {
		t.Errorf("got %+v", mapped)
	}
	golden(t, "metadata.json", mapped)
	writable, err := w.flow.ObjectMetadata(w.ctx, w.project.ID, install.MetadataQuery{Provider: "bitbucket", GroupRef: "acme", Object: "projects", ExcludeReadOnly: true})
	w.ok(err)
	conform(t, "ObjectMetadata", writable)
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
		if _, err := w.flow.ObjectMetadata(w.ctx, w.project.ID, q); err == nil {
			t.Errorf("%+v: no error", q)
		}
	}
}

// Every key that the contract has for a config is one that we read: clients are
// made from it, and we refuse keys that we do not know.
func TestEveryKeyOfTheContractIsKnown(t *testing.T) {
	t.Parallel()
	shared(t, "api.bundled.json")
	document, err := contract()
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
