package setup_test

import (
	"testing"

	"windlass/bitbucket"
	"windlass/connector"
	"windlass/internal/flowtest"
	"windlass/internal/setup"
)

// without is a provider that has no objects.
type without struct{ bitbucket.Provider }

func (*without) Objects() []connector.Object { return nil }

func TestCatalogIsWhatTheContractDescribes(t *testing.T) {
	t.Parallel()
	w := flowtest.Once(t)
	info, err := w.Setup.CatalogEntry("bitbucket")
	w.OK(err)
	flowtest.Conform(t, "ProviderInfo", info)
	flowtest.Conform(t, "CatalogType", w.Setup.Catalog())
	flowtest.Golden(t, "catalog.json", info)
	if !info.Support.Read || !info.Support.Write || !info.Support.Delete || info.Support.Subscribe {
		t.Errorf("got support %+v", info.Support)
	}
	empty := setup.New(w.Store, connector.Providers{&without{}}, nil)
	if info, err := empty.CatalogEntry("bitbucket"); err != nil || info.Support.Read || info.Support.Write {
		t.Errorf("got support %+v without objects, %v", info.Support, err)
	}
	_, err = w.Setup.CatalogEntry("github")
	w.Refused(err, "not found", `there is no provider "github"; the providers are bitbucket`)
}
