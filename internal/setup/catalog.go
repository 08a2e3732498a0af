package setup

import (
	"fmt"

	"windlass"
	"windlass/connector"
	"windlass/internal/input"
)

// Catalog returns every provider by name.
func (f *Flow) Catalog() map[string]ProviderInfo {
	all := make(map[string]ProviderInfo, len(f.providers))
	for _, p := range f.providers {
		info := entryFor(p)
		all[info.Name] = info
	}
	return all
}

// CatalogEntry returns one provider.
func (f *Flow) CatalogEntry(provider string) (ProviderInfo, error) {
	p, known := f.providers.Named(provider)
	if !known {
		return ProviderInfo{}, &windlass.Error{
			Kind: windlass.NotFound, Op: "find the provider", Message: fmt.Sprintf("there is no provider %q", input.Shorten(provider)),
			Remedy: "the providers are " + input.OneOf(f.Catalog()),
		}
	}
	return entryFor(p), nil
}

// Providers returns what is known of each provider, for pages that explain it.
func (f *Flow) Providers() []connector.Info {
	all := make([]connector.Info, 0, len(f.providers))
	for _, p := range f.providers {
		all = append(all, p.Info())
	}
	return all
}

// Objects returns a provider's objects; none for an unknown provider.
func (f *Flow) Objects(provider string) []connector.Object { return f.providers.Objects(provider) }

// entryFor is a provider's entry in the catalog, in the contract's shape.
func entryFor(p connector.Provider) ProviderInfo {
	facts, objects := p.Info(), p.Objects()
	info := ProviderInfo{
		Name: facts.Name, DisplayName: facts.DisplayName, AuthType: string(facts.AuthType),
		BaseURL: facts.BaseURL, ProviderOpts: map[string]string{},
		Support: Support{Proxy: true, Read: len(objects) > 0},
	}
	for i := range objects {
		info.Support.Write = info.Support.Write || objects[i].Create || objects[i].Update
		info.Support.Delete = info.Support.Delete || objects[i].Delete
	}
	if c := facts.Consent; c != nil {
		info.OAuth2Opts = &OAuth2Opts{
			GrantType: "authorizationCode", AuthURL: c.AuthURL, TokenURL: c.TokenURL, DocsURL: c.DocsURL,
			// The form asks for the workspace by Metadata, which carries it to the connection.
			ExplicitWorkspaceRequired: false,
			TokenMetadataFields:       TokenMetadataFields{ScopesField: c.ScopesField},
		}
	}
	if facts.IconURL != "" {
		pictures := Pictures{IconURL: facts.IconURL, LogoURL: facts.IconURL}
		info.Media = &Media{Regular: &pictures, DarkMode: &pictures}
	}
	if facts.Category != "" {
		info.Labels = map[string]string{"category": facts.Category}
	}
	if len(facts.Inputs) > 0 {
		info.Metadata = &ProviderMetadata{Input: inputs(facts.Inputs)}
	}
	if len(facts.AppInputs) > 0 {
		info.ProviderAppMetadata = &ProviderAppMetadata{ProviderParams: inputs(facts.AppInputs)}
	}
	return info
}

func inputs(of []connector.Input) []MetadataInput {
	all := make([]MetadataInput, 0, len(of))
	for _, in := range of {
		all = append(all, MetadataInput{Name: in.Name, DisplayName: in.DisplayName, Prompt: in.Prompt, DocsURL: in.DocsURL})
	}
	return all
}

// ProviderInfo is a provider's entry in the catalog, in the contract's shape.
type ProviderInfo struct {
	Name                string               `json:"name"`
	DisplayName         string               `json:"displayName,omitempty"`
	AuthType            string               `json:"authType"`
	BaseURL             string               `json:"baseURL"`
	DefaultModule       string               `json:"defaultModule"`
	OAuth2Opts          *OAuth2Opts          `json:"oauth2Opts,omitempty"`
	ProviderOpts        map[string]string    `json:"providerOpts"`
	Support             Support              `json:"support"`
	Media               *Media               `json:"media,omitempty"`
	Labels              map[string]string    `json:"labels,omitempty"`
	Metadata            *ProviderMetadata    `json:"metadata,omitempty"`
	ProviderAppMetadata *ProviderAppMetadata `json:"providerAppMetadata,omitempty"`
}

// OAuth2Opts says how customers consent.
type OAuth2Opts struct {
	GrantType                 string              `json:"grantType"`
	AuthURL                   string              `json:"authURL,omitempty"`
	TokenURL                  string              `json:"tokenURL"`
	ExplicitScopesRequired    bool                `json:"explicitScopesRequired"`
	ExplicitWorkspaceRequired bool                `json:"explicitWorkspaceRequired"`
	TokenMetadataFields       TokenMetadataFields `json:"tokenMetadataFields"`
	DocsURL                   string              `json:"docsURL,omitempty"`
}

// TokenMetadataFields names the fields of a token endpoint's answer.
type TokenMetadataFields struct {
	ScopesField string `json:"scopesField,omitempty"`
}

// Support says what can be done with a provider.
type Support struct {
	BulkWrite        BulkWriteSupport `json:"bulkWrite"`
	Proxy            bool             `json:"proxy"`
	Read             bool             `json:"read"`
	Subscribe        bool             `json:"subscribe"`
	Write            bool             `json:"write"`
	Delete           bool             `json:"delete"`
	Search           SearchSupport    `json:"search"`
	SubscribeSupport SubscribeSupport `json:"subscribeSupport"`
	BatchWrite       BatchWrite       `json:"batchWrite"`
}

// BulkWriteSupport says which writes the provider takes in bulk.
type BulkWriteSupport struct {
	Insert bool `json:"insert"`
	Update bool `json:"update"`
	Upsert bool `json:"upsert"`
	Delete bool `json:"delete"`
}

// SearchSupport says how records can be searched.
type SearchSupport struct {
	Operators SearchOperators `json:"operators"`
}

// SearchOperators says which comparisons a search may make.
type SearchOperators struct {
	Equals bool `json:"equals"`
}

// SubscribeSupport says which changes can be followed.
type SubscribeSupport struct {
	Create      bool `json:"create"`
	Update      bool `json:"update"`
	Delete      bool `json:"delete"`
	PassThrough bool `json:"passThrough"`
}

// BatchWrite says which writes the provider takes several records at once of.
type BatchWrite struct {
	Create BatchSupport `json:"create"`
	Update BatchSupport `json:"update"`
	Upsert BatchSupport `json:"upsert"`
	Delete BatchSupport `json:"delete"`
}

// BatchSupport says whether it does.
type BatchSupport struct {
	Supported bool `json:"supported"`
}

// Media are the provider's pictures.
type Media struct {
	Regular  *Pictures `json:"regular,omitempty"`
	DarkMode *Pictures `json:"darkMode,omitempty"`
}

// Pictures are URLs.
type Pictures struct {
	IconURL string `json:"iconURL,omitempty"`
	LogoURL string `json:"logoURL,omitempty"`
}

// ProviderMetadata says what has to be known of a connection besides its
// credentials.
type ProviderMetadata struct {
	Input []MetadataInput `json:"input,omitempty"`
}

// ProviderAppMetadata says what can be set on a provider app.
type ProviderAppMetadata struct {
	AuthQueryParams []MetadataInput `json:"authQueryParams,omitempty"`
	ProviderParams  []MetadataInput `json:"providerParams,omitempty"`
}

// MetadataInput is a value that a person is asked for.
type MetadataInput struct {
	Name         string `json:"name"`
	DisplayName  string `json:"displayName,omitempty"`
	Prompt       string `json:"prompt,omitempty"`
	DefaultValue string `json:"defaultValue,omitempty"`
	DocsURL      string `json:"docsURL,omitempty"`
}
