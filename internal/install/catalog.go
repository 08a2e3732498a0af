package install

import (
	"fmt"
	"slices"

	"windlass"
	"windlass/connector"
)

// Catalog returns every provider by name.
func (f *Flow) Catalog() map[string]ProviderInfo {
	all := make(map[string]ProviderInfo, len(f.providers))
	for _, p := range f.providers {
		all[p.Info.Name] = p.Info
	}
	return all
}

// CatalogEntry returns one provider.
func (f *Flow) CatalogEntry(provider string) (ProviderInfo, error) {
	p, known := f.provider(provider)
	if !known {
		return ProviderInfo{}, &windlass.Failure{
			Kind: windlass.NotFound, Op: "find the provider", Message: fmt.Sprintf("there is no provider %q", clip(provider)),
			Remedy: "the providers are " + oneOf(f.Catalog()),
		}
	}
	return p.Info, nil
}

// Objects returns what can be read and written of a provider; nothing of one that
// is not known.
func (f *Flow) Objects(provider string) []connector.Object {
	p, _ := f.provider(provider)
	return slices.Clone(p.Objects)
}

// BitbucketInfo is the catalog's entry for Bitbucket Cloud, given the objects
// that its connector has.
func BitbucketInfo(objects []connector.Object) ProviderInfo {
	info := ProviderInfo{
		Name: "bitbucket", DisplayName: "Bitbucket Cloud", AuthType: "oauth2",
		BaseURL: "https://api.bitbucket.org", DefaultModule: "",
		ProviderOpts: map[string]string{},
		OAuth2Opts: &OAuth2Opts{ //nolint:gosec // these are public addresses, not credentials
			GrantType: "authorizationCode",
			AuthURL:   "https://bitbucket.org/site/oauth2/authorize", TokenURL: "https://bitbucket.org/site/oauth2/access_token",
			// The form asks for the workspace by Metadata, which carries it to the connection.
			ExplicitWorkspaceRequired: false,
			TokenMetadataFields:       TokenMetadataFields{ScopesField: "scope"},
			DocsURL:                   "https://support.atlassian.com/bitbucket-cloud/docs/use-oauth-on-bitbucket-cloud/",
		},
		Support: Support{Proxy: true, Read: len(objects) > 0},
		Media: &Media{
			Regular:  &Pictures{IconURL: bitbucketIcon, LogoURL: bitbucketIcon},
			DarkMode: &Pictures{IconURL: bitbucketIcon, LogoURL: bitbucketIcon},
		},
		Labels: map[string]string{"category": "developer-tools"},
		Metadata: &ProviderMetadata{Input: []MetadataInput{{
			Name: "workspace", DisplayName: "Workspace",
			Prompt:  "The workspace's id, which stands behind bitbucket.org/ in the address of any of its pages.",
			DocsURL: "https://support.atlassian.com/bitbucket-cloud/docs/what-is-a-workspace/",
		}}},
		ProviderAppMetadata: &ProviderAppMetadata{ProviderParams: []MetadataInput{{
			Name: HourlyLimit, DisplayName: "Requests an hour",
			Prompt: "How many requests an hour all connections of this consumer may make together. Leave it empty for Bitbucket's usual limit.",
		}}},
	}
	for i := range objects {
		info.Support.Write = info.Support.Write || objects[i].Create || objects[i].Update
		info.Support.Delete = info.Support.Delete || objects[i].Delete
	}
	return info
}

// The picture is Atlassian's, from where Bitbucket's own pages have it.
const bitbucketIcon = "https://bitbucket.org/favicon.ico"

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

// TokenMetadataFields says where a token's answer holds what.
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
