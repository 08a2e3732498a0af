package api

import "windlass/internal/setup"

func (a *API) listProviders(*call) (map[string]setup.ProviderInfo, error) {
	catalog := a.setup.Catalog()
	if catalog == nil {
		catalog = map[string]setup.ProviderInfo{}
	}
	return catalog, nil
}

func (a *API) getProvider(c *call) (setup.ProviderInfo, error) {
	return a.setup.CatalogEntry(c.param("provider"))
}
