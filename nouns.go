package windlass

import (
	"encoding/json"
	"time"
)

// Project is a product's space: everything else belongs to one.
type Project struct {
	ID      string
	Name    string // unique; what commands and URLs may name it by
	AppName string // how the product calls itself on the consent page
	OrgID   string // carried for the published contract, which requires it
	// Origins are the origins of the pages that may begin a consent; none means
	// that any may.
	Origins []string
	Created time.Time
	Updated time.Time
}

// ProviderApp is an OAuth consumer of the product, which its customers consent to. The
// requests of every connection made through it count against one budget.
type ProviderApp struct {
	ID           string
	ProjectID    string
	ExternalRef  string
	Provider     string
	ClientID     string
	ClientSecret Secret
	Scopes       []string            // as set on the consumer; for checks and messages
	AuthParams   map[string][]string // added to the authorization URL
	Params       map[string]string
	HourlyLimit  int // requests an hour; 0 means the provider's default
	Created      time.Time
	Updated      time.Time
}

// Integration is one entry of a manifest: what the product wants of a provider.
type Integration struct {
	ID        string
	ProjectID string
	Name      string
	Provider  string
	Latest    Revision
	Created   time.Time
	Updated   time.Time
}

// Revision is one deployed version of an integration. It never changes.
type Revision struct {
	ID            string
	IntegrationID string
	SpecVersion   string
	Content       json.RawMessage // the manifest's entry, as JSON of package manifest
	Created       time.Time
}

// Group is a customer, by the product's own id.
type Group struct {
	ProjectID string
	Ref       string
	Name      string
	Created   time.Time
	Updated   time.Time
}

// Consumer is a person at a customer, by the product's own id.
type Consumer struct {
	ProjectID string
	Ref       string
	Name      string
	Created   time.Time
	Updated   time.Time
}

// ConnectionStatus says whether a connection's credentials work.
type ConnectionStatus string

// The states of a connection, as the published contract names them.
const (
	ConnectionCreated ConnectionStatus = "created"         // not used yet
	ConnectionWorking ConnectionStatus = "working"         // the last use succeeded
	ConnectionBad     ConnectionStatus = "bad_credentials" // the customer has to connect again
)

// AuthScheme says which sort of credentials a connection has.
type AuthScheme string

// The schemes, as the published contract names them. A Connect app's JWT, which
// the contract has no name for, is an apiKey to it.
const (
	AuthOAuth  AuthScheme = "oauth2/authorizationCode"
	AuthBasic  AuthScheme = "basic"
	AuthAPIKey AuthScheme = "apiKey"
)

// MetadataValue is one value that a provider or a person gave for a connection,
// such as its workspace.
type MetadataValue struct {
	Value       string `json:"value"`
	Source      string `json:"source"` // input, token or provider
	DisplayName string `json:"displayName,omitempty"`
}

// Connection is a customer's credentials for one workspace, without the
// credentials themselves (see Credentials).
type Connection struct {
	ID            string
	ProjectID     string
	Provider      string
	ProviderAppID string // empty unless OAuth
	Group         Group
	Consumer      Consumer
	Workspace     string // the workspace as it was named
	ConsumerRef   string // the provider's id of the person who consented
	Metadata      map[string]MetadataValue
	Scheme        AuthScheme
	Status        ConnectionStatus
	StatusReason  string    // a sentence: why it is bad, or what it is waiting for
	Scopes        []string  // granted, where known
	Used          time.Time // when the credentials were last used or refreshed
	Created       time.Time
	Updated       time.Time
}

// WorkspacePath is the workspace in the paths of requests: its id once the provider
// has said it, since a name changes when the workspace is renamed, and may then belong
// to another one.
func (c *Connection) WorkspacePath() string {
	if id := c.Metadata["workspaceId"]; id.Source == "provider" && id.Value != "" {
		return id.Value
	}
	return c.Workspace
}

// InWorkspace reports whether a workspace, noted by its id or by its name, is that
// of the connection.
func (c *Connection) InWorkspace(noted string) bool {
	return noted == c.WorkspacePath() || noted == c.Workspace
}

// Credentials are what a connection authenticates with. The fields that are set
// depend on the scheme: the tokens for OAuth; APIKey for an access token; Username
// and Password for an API token; AppKey, ClientKey and SharedSecret for a Connect
// app.
type Credentials struct {
	AccessToken  Secret
	AccessExpiry time.Time // zero when it does not expire, or the expiry is unknown
	AccessIssued time.Time
	RefreshToken Secret
	APIKey       Secret
	Username     string
	Password     Secret
	AppKey       string
	ClientKey    string
	SharedSecret Secret
	// Version counts the times the credentials were replaced.
	Version int64
}

// Installation is an integration installed for one customer.
type Installation struct {
	ID            string
	ProjectID     string
	IntegrationID string
	Group         Group
	Connection    Connection
	Config        Config
	CreatedBy     string
	Healthy       bool
	LastStatus    string // of the last operation; empty when there was none
	Created       time.Time
	Updated       time.Time
}

// Config is what an installation's customer chose, filled in from the revision.
type Config struct {
	ID         string
	RevisionID string
	Content    json.RawMessage // the config's content, in the contract's shape
	CreatedBy  string
	Created    time.Time
}

// Destination is where results and notifications go.
type Destination struct {
	ID        string
	ProjectID string
	Name      string
	Type      string          // by which the server knows how to send there
	Settings  json.RawMessage // of its type; the contract calls them metadata
	Address   string          // where they lead, for people
	// Secrets sign what is sent: the first is the current one, the others are
	// still valid while a rotation is under way.
	Secrets  []Secret
	Disabled bool
	// Disabling says why, while it is disabled. The store keeps it when the
	// destination is disabled, not when it is updated.
	Disabling Disabling
	Created   time.Time
	Updated   time.Time
}

// Disabling is why something is disabled. It is zero where that is not known.
type Disabling struct {
	Why string // a sentence
	By  string // who did it by hand, as the log names callers; empty for the server itself
	At  time.Time
}

// APIKey lets a program call the API.
type APIKey struct {
	ID        string
	ProjectID string
	Key       Secret // known only when it is made: the store keeps a hash
	Label     string
	Scopes    []string // full or frontend
	Active    bool
	Created   time.Time
	Updated   time.Time
}

// JWTKey is a public key that verifies the tokens a product signs for its own
// front end.
type JWTKey struct {
	ID           string
	ProjectID    string
	Label        string
	Algorithm    string // RS256
	PublicKeyPEM string
	Active       bool
	Created      time.Time
	Updated      time.Time
}
