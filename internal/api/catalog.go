package api

import "windlass/internal/install"

func (a *API) listProviders(*call) (map[string]install.ProviderInfo, error) {
	catalog := a.install.Catalog()
	if catalog == nil {
		catalog = map[string]install.ProviderInfo{}
	}
	return catalog, nil
}

func (a *API) getProvider(c *call) (install.ProviderInfo, error) {
	return a.install.CatalogEntry(c.param("provider"))
}
