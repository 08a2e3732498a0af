package api

import (
	"context"
	"io"

	"windlass"
	"windlass/internal/connect"
	"windlass/internal/install"
)

// Installing is what deploying and installing are to the API: *install.Flow. Its
// methods say there what they promise.
type Installing interface {
	Projects
	ProviderApps
	Deploying
	Uploading
	Describing
	Installations
	Destinations
	Keys
	JWTKeys
}

// Projects are read and changed, with the customers in them.
type Projects interface {
	CreateProject(ctx context.Context, r install.CreateProjectRequest) (windlass.Project, error)
	Project(ctx context.Context, project string) (windlass.Project, error)
	Projects(ctx context.Context, page windlass.Page) ([]windlass.Project, error)
	UpdateProject(ctx context.Context, project string, r install.UpdateProjectRequest) (windlass.Project, error)
	DeleteProject(ctx context.Context, project string) error
	KeepGroup(ctx context.Context, project string, r install.GroupRequest, fromBrowser bool) (windlass.Group, error)
	KeepConsumer(ctx context.Context, project string, r install.ConsumerRequest, fromBrowser bool) (windlass.Consumer, error)
}

// ProviderApps are read and changed. None comes back with its secret.
type ProviderApps interface {
	CreateProviderApp(ctx context.Context, project string, r install.ProviderAppRequest) (windlass.ProviderApp, error)
	ProviderApp(ctx context.Context, project, app string) (windlass.ProviderApp, error)
	ProviderApps(ctx context.Context, project string, page windlass.Page) ([]windlass.ProviderApp, error)
	UpdateProviderApp(ctx context.Context, project, app string, r install.UpdateProviderAppRequest) (windlass.ProviderApp, error)
	DeleteProviderApp(ctx context.Context, project, app string) error
}

// Deploying turns manifests into integrations.
type Deploying interface {
	Deploy(ctx context.Context, project string, from install.Source, destructive bool) (install.Deployment, error)
	CreateIntegration(ctx context.Context, project string, r install.CreateIntegrationRequest) (install.Deployment, error)
	CreateRevision(ctx context.Context, project, integration string, from install.Source, destructive bool) (install.Deployment, error)
	Integration(ctx context.Context, project, integration string) (windlass.Integration, error)
	Integrations(ctx context.Context, project string, page windlass.Page) ([]windlass.Integration, error)
	DeleteIntegration(ctx context.Context, project, integration string) error
}

// Uploading takes zips that are deployed later.
type Uploading interface {
	NewUpload(ctx context.Context, projectID, md5 string) (install.UploadTicket, error)
	ReceiveUpload(ctx context.Context, id, token, md5 string, body io.Reader) error
}

// Describing says what providers have, and what a connection sees of it.
type Describing interface {
	Hydrate(ctx context.Context, project, integration, revision, connectionID string) (install.HydratedRevision, error)
	ObjectMetadata(ctx context.Context, project string, q install.MetadataQuery) (install.ObjectMetadata, error)
	Catalog() map[string]install.ProviderInfo
	CatalogEntry(provider string) (install.ProviderInfo, error)
}

// Installations are read and changed.
type Installations interface {
	CreateInstallation(ctx context.Context, project, integration string, r install.CreateInstallationRequest) (windlass.Installation, error)
	Installation(ctx context.Context, project, integration, id string) (windlass.Installation, error)
	Installations(ctx context.Context, project string, q install.InstallationQuery) ([]windlass.Installation, error)
	UpdateInstallation(ctx context.Context, project, integration, id string, r install.UpdateInstallationRequest) (windlass.Installation, error)
	PatchConfig(ctx context.Context, project, integration, object string, r install.PatchConfigRequest) (windlass.Installation, error)
	DeleteInstallation(ctx context.Context, project, integration, id string) error
}

// Destinations are read and changed.
type Destinations interface {
	CreateDestination(ctx context.Context, project string, r install.CreateDestinationRequest) (windlass.Destination, error)
	Destination(ctx context.Context, project, destination string, opts *install.DestinationOptions) (windlass.Destination, error)
	Destinations(ctx context.Context, project string, page windlass.Page) ([]windlass.Destination, error)
	UpdateDestination(ctx context.Context, project, destination string, r install.UpdateDestinationRequest) (windlass.Destination, error)
	DeleteDestination(ctx context.Context, project, destination string) error
}

// Keys open the API; Authenticate says which one a request came with.
type Keys interface {
	CreateAPIKey(ctx context.Context, project string, r install.APIKeyRequest) (windlass.APIKey, error)
	APIKey(ctx context.Context, project, key string) (windlass.APIKey, error)
	APIKeys(ctx context.Context, project string, active bool, page windlass.Page) ([]windlass.APIKey, error)
	UpdateAPIKey(ctx context.Context, project, key string, r install.PatchAPIKeyRequest) (windlass.APIKey, error)
	DeleteAPIKey(ctx context.Context, project, key string) error
	Authenticate(ctx context.Context, key string) (windlass.APIKey, error)
}

// JWTKeys verify the tokens of customers.
type JWTKeys interface {
	CreateJWTKey(ctx context.Context, project string, r install.CreateJWTKeyRequest) (windlass.JWTKey, error)
	JWTKey(ctx context.Context, project, id string) (windlass.JWTKey, error)
	JWTKeys(ctx context.Context, project string, active bool, page windlass.Page) ([]windlass.JWTKey, error)
	UpdateJWTKey(ctx context.Context, project, id string, r install.PatchJWTKeyRequest) (windlass.JWTKey, error)
	DeleteJWTKey(ctx context.Context, project, id string) error
}

// Lookup is what the API looks up without a flow: the store. What is not there is
// an error of kind windlass.NotFound.
type Lookup interface {
	Connection(ctx context.Context, projectID, id string) (windlass.Connection, error)
	Connections(ctx context.Context, filter windlass.ConnectionFilter) ([]windlass.Connection, error)
	// JWTKey returns the public key that a token names, whatever its project.
	JWTKey(ctx context.Context, id string) (windlass.JWTKey, error)
}

// Connecting is what connections are to the API: *connect.Service.
type Connecting interface {
	Start(ctx context.Context, ask connect.Ask, opener connect.Opener) (connect.Consent, error)
	Reconnect(ctx context.Context, projectID, id string, opener connect.Opener) (connect.Consent, error)
	Open(ctx context.Context, ticket string, kept windlass.Secret) (connect.Opening, error)
	Continue(ctx context.Context, ticket string, kept windlass.Secret, confirmation string) (connect.Opening, error)
	Callback(ctx context.Context, answer connect.Answer) (connect.Outcome, error)
	Generate(ctx context.Context, given connect.Import) (connect.Outcome, error)
	Get(ctx context.Context, projectID, id string, fresh connect.Freshness) (windlass.Connection, windlass.Credentials, error)
	Update(ctx context.Context, projectID, id string, change connect.Change) (windlass.Connection, error)
	Delete(ctx context.Context, projectID, id string) error
}
