package sandbox

// Credentials are what the sandbox accepts. They follow from the seed.
type Credentials struct {
	Workspace           string `json:"workspace"`      // slug of the main workspace
	WorkspaceUUID       string `json:"workspace_uuid"` // in braces
	AccessToken         string `json:"access_token"`   // a bearer token with every scope
	Email               string `json:"email"`          // with APIToken: HTTP Basic
	APIToken            string `json:"api_token"`
	ConsumerKey         string `json:"consumer_key"` // of an OAuth consumer with every scope
	ConsumerSecret      string `json:"consumer_secret"`
	ConnectAppKey       string `json:"connect_app_key"` // claim iss
	ConnectClientKey    string `json:"connect_client_key"`
	ConnectSharedSecret string `json:"connect_shared_secret"`
	OtherWorkspace      string `json:"other_workspace"` // slug of one where the user is a plain member
}
