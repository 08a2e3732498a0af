package install

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"windlass"
	"windlass/manifest"
)

var errSkeleton = &windlass.Failure{Kind: windlass.Internal, Message: "not built yet"}

// CreateProjectRequest is the body of POST /projects.
type CreateProjectRequest struct {
	Name    string `json:"name"`
	AppName string `json:"appName"`
	OrgID   string `json:"orgId,omitempty"`
}

// UpdateProjectRequest is the body of PATCH /projects/{p}.
type UpdateProjectRequest struct {
	UpdateMask []string `json:"updateMask"` // name, appName
	Project    struct {
		Name    string `json:"name,omitempty"`
		AppName string `json:"appName,omitempty"`
	} `json:"project"`
}

// CreateProject makes a project. Names are unique.
func (f *Flow) CreateProject(ctx context.Context, r CreateProjectRequest) (windlass.Project, error) {
	return windlass.Project{}, errSkeleton
}

// Project finds a project by id or name.
func (f *Flow) Project(ctx context.Context, project string) (windlass.Project, error) {
	return windlass.Project{}, errSkeleton
}

// Projects lists all projects.
func (f *Flow) Projects(ctx context.Context) ([]windlass.Project, error) { return nil, errSkeleton }

// UpdateProject changes what the mask names.
func (f *Flow) UpdateProject(ctx context.Context, project string, r UpdateProjectRequest) (windlass.Project, error) {
	return windlass.Project{}, errSkeleton
}

// FirstStart makes a project and an API key for it if there is no project yet.
// The key is zero if there was one; otherwise it can never be shown again.
func (f *Flow) FirstStart(ctx context.Context, name string) (windlass.Project, windlass.APIKey, error) {
	return windlass.Project{}, windlass.APIKey{}, errSkeleton
}

// ProviderAppMetadataValues are a provider app's own settings.
type ProviderAppMetadataValues struct {
	AuthQueryParams map[string][]string `json:"authQueryParams,omitempty"`
	// ProviderParams may hold hourlyLimit: requests an hour, as a number in a string.
	ProviderParams map[string]string `json:"providerParams,omitempty"`
}

// ProviderAppRequest is the body of POST …/provider-apps, and the new values in
// an update.
type ProviderAppRequest struct {
	ExternalRef  string                     `json:"externalRef,omitempty"`
	Provider     string                     `json:"provider,omitempty"`
	ClientID     string                     `json:"clientId,omitempty"`
	ClientSecret windlass.Secret            `json:"clientSecret,omitzero"`
	Scopes       []string                   `json:"scopes,omitempty"`
	Metadata     *ProviderAppMetadataValues `json:"metadata,omitempty"`
}

// UpdateProviderAppRequest is the body of PATCH …/provider-apps/{id}.
type UpdateProviderAppRequest struct {
	// UpdateMask: externalRef, provider, clientId, clientSecret, scopes, metadata,
	// metadata.authQueryParams, metadata.providerParams.
	UpdateMask  []string           `json:"updateMask"`
	ProviderApp ProviderAppRequest `json:"providerApp"`
}

// CreateProviderApp registers an OAuth consumer. What is returned, here and
// below, has no client secret.
func (f *Flow) CreateProviderApp(ctx context.Context, project string, r ProviderAppRequest) (windlass.ProviderApp, error) {
	return windlass.ProviderApp{}, errSkeleton
}

// ProviderApp finds a provider app by id, or by provider if it is the only one.
func (f *Flow) ProviderApp(ctx context.Context, project, app string) (windlass.ProviderApp, error) {
	return windlass.ProviderApp{}, errSkeleton
}

// ProviderApps lists a project's provider apps.
func (f *Flow) ProviderApps(ctx context.Context, project string) ([]windlass.ProviderApp, error) {
	return nil, errSkeleton
}

// UpdateProviderApp changes what the mask names.
func (f *Flow) UpdateProviderApp(ctx context.Context, project, app string, r UpdateProviderAppRequest) (windlass.ProviderApp, error) {
	return windlass.ProviderApp{}, errSkeleton
}

// DeleteProviderApp deletes a provider app that no connection uses.
func (f *Flow) DeleteProviderApp(ctx context.Context, project, app string) error { return errSkeleton }

// Source is where a manifest comes from: one of the three is set.
type Source struct {
	// YAML is the text of an amp.yaml.
	YAML []byte
	// Zip is a zip that holds an amp.yaml, at its top or one folder deep.
	Zip []byte
	// Upload is the address of an uploaded zip, as in gs://bucket/path.
	Upload string
}

// DeployRequest is the body of PUT …/integrations:batch and of POST …/revisions.
type DeployRequest struct {
	SourceYAML   string `json:"sourceYaml,omitempty"`
	SourceZipURL string `json:"sourceZipUrl,omitempty"`
}

// Source returns where the manifest comes from.
func (r DeployRequest) Source() Source {
	return Source{YAML: []byte(r.SourceYAML), Upload: r.SourceZipURL}
}

// Deployment is what a deploy did.
type Deployment struct {
	// Integrations are those of the manifest, in its order, with their latest
	// revisions.
	Integrations []windlass.Integration
	// Changed are the names of those that got a new revision.
	Changed []string
	// Deleted are the names of those that a destructive deploy removed.
	Deleted []string
	// Paused are the reads that a destructive deploy stopped.
	Paused []PausedRead
	// Warnings are sentences about what will not work yet.
	Warnings []string
}

// PausedRead is an object that an installation no longer reads.
type PausedRead struct {
	Integration, InstallationID, GroupRef, Object string
}

// Deploy makes the project's integrations what the manifest says. A manifest
// with mistakes is a failure with an issue for each, whose cause is a
// [manifest.Problems].
func (f *Flow) Deploy(ctx context.Context, project string, from Source, destructive bool) (Deployment, error) {
	return Deployment{}, errSkeleton
}

// CreateIntegrationRequest is the body of POST …/integrations.
type CreateIntegrationRequest struct {
	Name           string `json:"name"`
	Provider       string `json:"provider"`
	LatestRevision struct {
		SpecVersion string          `json:"specVersion"`
		Content     json.RawMessage `json:"content"`
	} `json:"latestRevision"`
}

// CreateIntegration deploys one integration that does not exist yet.
func (f *Flow) CreateIntegration(ctx context.Context, project string, r CreateIntegrationRequest) (Deployment, error) {
	return Deployment{}, errSkeleton
}

// CreateRevision deploys one integration of a manifest that may have others.
func (f *Flow) CreateRevision(ctx context.Context, project, integration string, from Source, destructive bool) (Deployment, error) {
	return Deployment{}, errSkeleton
}

// Integration finds an integration by id or name.
func (f *Flow) Integration(ctx context.Context, project, integration string) (windlass.Integration, error) {
	return windlass.Integration{}, errSkeleton
}

// Integrations lists a project's integrations.
func (f *Flow) Integrations(ctx context.Context, project string) ([]windlass.Integration, error) {
	return nil, errSkeleton
}

// DeleteIntegration deletes an integration and all of its installations.
func (f *Flow) DeleteIntegration(ctx context.Context, project, integration string) error {
	return errSkeleton
}

// UploadTicket is a place to upload one zip to. The URL that is handed out names
// the id and carries the token; whoever deploys names Address.
type UploadTicket struct {
	ID     string
	Token  windlass.Secret
	Bucket string
	Path   string
}

// NewUpload makes a place for one file. md5, in base64, may be empty.
func (f *Flow) NewUpload(ctx context.Context, md5 string) (UploadTicket, error) {
	return UploadTicket{}, errSkeleton
}

// ReceiveUpload stores the file. md5 is that of the request's Content-MD5 header
// and may be empty.
func (f *Flow) ReceiveUpload(ctx context.Context, id, token, md5 string, body io.Reader) error {
	return errSkeleton
}

// HydratedRevision is a revision as one customer sees it.
type HydratedRevision struct {
	ID          string                       `json:"id"`
	SpecVersion string                       `json:"specVersion"`
	CreateTime  time.Time                    `json:"createTime"`
	Content     manifest.HydratedIntegration `json:"content"`
}

// Hydrate fills a revision with the fields that a connection sees. What fails
// for one object is said in its Error; the others are complete.
func (f *Flow) Hydrate(ctx context.Context, project, integration, revision, connectionID string) (HydratedRevision, error) {
	return HydratedRevision{}, errSkeleton
}

// ObjectMetadata says which fields an object has.
type ObjectMetadata struct {
	Name             string                            `json:"name"`
	DisplayName      string                            `json:"displayName,omitempty"`
	MappedObjectName string                            `json:"mappedObjectName,omitempty"`
	Fields           map[string]manifest.FieldMetadata `json:"fields"`
}

// MetadataQuery asks for the fields of an object.
type MetadataQuery struct {
	// Integration or Provider is set. With Integration the group must have
	// installed it, and Object may be the name that the object is mapped to.
	Integration, Provider string
	GroupRef              string
	Object                string
	ExcludeReadOnly       bool
}

// ObjectMetadata returns the fields of an object as a group's connection sees
// them.
func (f *Flow) ObjectMetadata(ctx context.Context, project string, q MetadataQuery) (ObjectMetadata, error) {
	return ObjectMetadata{}, errSkeleton
}

// Catalog returns every provider by name.
func (f *Flow) Catalog() map[string]ProviderInfo { return nil }

// CatalogEntry returns one provider.
func (f *Flow) CatalogEntry(provider string) (ProviderInfo, error) {
	return ProviderInfo{}, errSkeleton
}

// InstallationConfigRequest is a config in a request.
type InstallationConfigRequest struct {
	RevisionID string          `json:"revisionId,omitempty"`
	CreatedBy  string          `json:"createdBy,omitempty"`
	Content    json.RawMessage `json:"content,omitempty"`
}

// CreateInstallationRequest is the body of POST …/installations.
type CreateInstallationRequest struct {
	GroupRef     string                    `json:"groupRef"`
	ConnectionID string                    `json:"connectionId,omitempty"`
	Config       InstallationConfigRequest `json:"config"`
	SkipSampling bool                      `json:"-"` // ?skipSampling=
}

// UpdateInstallationRequest is the body of PATCH …/installations/{id}.
type UpdateInstallationRequest struct {
	// UpdateMask: connectionId, config.createdBy, config.revisionId,
	// config.content, config.content.<action>, config.content.<action>.objects,
	// config.content.<action>.objects.<object>, the same with one key of the
	// object's behind it, config.content.proxy.enabled.
	UpdateMask   []string `json:"updateMask"`
	Installation struct {
		ConnectionID string                    `json:"connectionId,omitempty"`
		Config       InstallationConfigRequest `json:"config,omitzero"`
	} `json:"installation"`
	SkipSampling bool `json:"-"`
}

// PatchConfigRequest is the body of PATCH …/objects/{o}/config-content.
type PatchConfigRequest struct {
	// GroupRef or InstallationID is set.
	GroupRef       string  `json:"groupRef,omitempty"`
	InstallationID string  `json:"installationId,omitempty"`
	Action         string  `json:"action"` // read, write or subscribe
	Changes        []Patch `json:"changes"`
}

// Patch is one operation of RFC 6902.
type Patch struct {
	Op    string          `json:"op"`   // add, remove or replace
	Path  string          `json:"path"` // a pointer of RFC 6901 into the object's config
	Value json.RawMessage `json:"value,omitempty"`
}

// CreateInstallation installs an integration for a group. See [Config] for what
// is filled in. Its reads start with the next time of their schedules.
func (f *Flow) CreateInstallation(ctx context.Context, project, integration string, r CreateInstallationRequest) (windlass.Installation, error) {
	return windlass.Installation{}, errSkeleton
}

// Installation finds an installation of an integration by id.
func (f *Flow) Installation(ctx context.Context, project, integration, id string) (windlass.Installation, error) {
	return windlass.Installation{}, errSkeleton
}

// InstallationQuery chooses installations. What is empty chooses all.
type InstallationQuery struct {
	Integration string // id or name
	GroupRef    string
	After       string // the id of the last one of the page before
	Limit       int    // 0 is all
}

// Installations lists installations in the order in which they were made.
func (f *Flow) Installations(ctx context.Context, project string, q InstallationQuery) ([]windlass.Installation, error) {
	return nil, errSkeleton
}

// UpdateInstallation changes what the mask names. A changed config is of the
// integration's latest revision, or of the one that config.revisionId names.
func (f *Flow) UpdateInstallation(ctx context.Context, project, integration, id string, r UpdateInstallationRequest) (windlass.Installation, error) {
	return windlass.Installation{}, errSkeleton
}

// PatchConfig changes the config of one object.
func (f *Flow) PatchConfig(ctx context.Context, project, integration, object string, r PatchConfigRequest) (windlass.Installation, error) {
	return windlass.Installation{}, errSkeleton
}

// DeleteInstallation uninstalls: reads stop, the connection stays.
func (f *Flow) DeleteInstallation(ctx context.Context, project, integration, id string) error {
	return errSkeleton
}

// DestinationMetadata says where a webhook's messages go.
type DestinationMetadata struct {
	URL     string            `json:"url,omitempty"`
	Headers map[string]string `json:"headers,omitempty"`
}

// CreateDestinationRequest is the body of POST …/destinations.
type CreateDestinationRequest struct {
	Name     string              `json:"name"`
	Type     string              `json:"type"` // webhook
	Metadata DestinationMetadata `json:"metadata"`
}

// UpdateDestinationRequest is the body of PATCH …/destinations/{d}.
type UpdateDestinationRequest struct {
	UpdateMask  []string `json:"updateMask"` // name, metadata, metadata.url, metadata.headers
	Destination struct {
		Name     string              `json:"name,omitempty"`
		Metadata DestinationMetadata `json:"metadata,omitzero"`
	} `json:"destination"`
}

// DestinationOptions say what to do while a destination is looked up.
type DestinationOptions struct {
	IncludeSecrets bool // return the signing secrets, the current one first
	Rotate         bool // make a new one first; the others stay valid beside it
}

// CreateDestination makes a webhook destination with a signing secret.
func (f *Flow) CreateDestination(ctx context.Context, project string, r CreateDestinationRequest) (windlass.Destination, error) {
	return windlass.Destination{}, errSkeleton
}

// Destination finds a destination by id or name. opts may be nil.
func (f *Flow) Destination(ctx context.Context, project, destination string, opts *DestinationOptions) (windlass.Destination, error) {
	return windlass.Destination{}, errSkeleton
}

// Destinations lists a project's destinations, without secrets.
func (f *Flow) Destinations(ctx context.Context, project string) ([]windlass.Destination, error) {
	return nil, errSkeleton
}

// UpdateDestination changes what the mask names.
func (f *Flow) UpdateDestination(ctx context.Context, project, destination string, r UpdateDestinationRequest) (windlass.Destination, error) {
	return windlass.Destination{}, errSkeleton
}

// RetireSecrets ends a rotation: only the current secret stays valid.
func (f *Flow) RetireSecrets(ctx context.Context, project, destination string) (windlass.Destination, error) {
	return windlass.Destination{}, errSkeleton
}

// DeleteDestination deletes a destination that nothing sends to.
func (f *Flow) DeleteDestination(ctx context.Context, project, destination string) error {
	return errSkeleton
}

// APIKeyRequest is the body of POST …/api-keys.
type APIKeyRequest struct {
	Label  string   `json:"label"`
	Scopes []string `json:"scopes,omitempty"` // full, frontend; none is full
}

// PatchAPIKeyRequest is the body of PATCH …/api-keys/{key}.
type PatchAPIKeyRequest struct {
	UpdateMask []string `json:"updateMask"` // active, label, scopes
	APIKey     struct {
		Label  string   `json:"label,omitempty"`
		Active *bool    `json:"active,omitempty"`
		Scopes []string `json:"scopes,omitempty"`
	} `json:"apiKey"`
}

// CreateAPIKey makes a key. Its Key is there this once; its ID, which is the
// key's public part, is what lists show and paths take.
func (f *Flow) CreateAPIKey(ctx context.Context, project string, r APIKeyRequest) (windlass.APIKey, error) {
	return windlass.APIKey{}, errSkeleton
}

// APIKey finds a key by its public part, or by the whole of it.
func (f *Flow) APIKey(ctx context.Context, project, key string) (windlass.APIKey, error) {
	return windlass.APIKey{}, errSkeleton
}

// APIKeys lists a project's keys, or only its active ones.
func (f *Flow) APIKeys(ctx context.Context, project string, active bool) ([]windlass.APIKey, error) {
	return nil, errSkeleton
}

// UpdateAPIKey changes what the mask names.
func (f *Flow) UpdateAPIKey(ctx context.Context, project, key string, r PatchAPIKeyRequest) (windlass.APIKey, error) {
	return windlass.APIKey{}, errSkeleton
}

// DeleteAPIKey deletes a key; it opens nothing from then on.
func (f *Flow) DeleteAPIKey(ctx context.Context, project, key string) error { return errSkeleton }

// Authenticate returns the key that a request came with: its project and its
// scopes. A key that is unknown, deleted or not active is an error of kind
// windlass.Unauthorized, which does not say which of these it is.
func (f *Flow) Authenticate(ctx context.Context, key string) (windlass.APIKey, error) {
	return windlass.APIKey{}, errSkeleton
}

// CreateJWTKeyRequest is the body of POST …/jwt-keys.
type CreateJWTKeyRequest struct {
	Label        string `json:"label"`
	Algorithm    string `json:"algorithm"` // RS256
	PublicKeyPEM string `json:"publicKeyPem"`
}

// PatchJWTKeyRequest is the body of PATCH …/jwt-keys/{id}.
type PatchJWTKeyRequest struct {
	UpdateMask []string `json:"updateMask"` // active, label
	JWTKey     struct {
		Active *bool  `json:"active,omitempty"`
		Label  string `json:"label,omitempty"`
	} `json:"jwtKey"`
}

// CreateJWTKey registers a public key. Its ID is the kid of the tokens.
func (f *Flow) CreateJWTKey(ctx context.Context, project string, r CreateJWTKeyRequest) (windlass.JWTKey, error) {
	return windlass.JWTKey{}, errSkeleton
}

// JWTKey finds a key by id.
func (f *Flow) JWTKey(ctx context.Context, project, id string) (windlass.JWTKey, error) {
	return windlass.JWTKey{}, errSkeleton
}

// JWTKeys lists a project's keys, or only its active ones.
func (f *Flow) JWTKeys(ctx context.Context, project string, active bool) ([]windlass.JWTKey, error) {
	return nil, errSkeleton
}

// UpdateJWTKey changes what the mask names.
func (f *Flow) UpdateJWTKey(ctx context.Context, project, id string, r PatchJWTKeyRequest) (windlass.JWTKey, error) {
	return windlass.JWTKey{}, errSkeleton
}

// DeleteJWTKey deletes a key; tokens that it verified are refused from then on.
func (f *Flow) DeleteJWTKey(ctx context.Context, project, id string) error { return errSkeleton }
