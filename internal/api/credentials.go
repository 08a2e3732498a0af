package api

import (
	"fmt"
	"slices"
	"strings"

	"windlass"
	"windlass/internal/connect"
)

// connectionRequest is the body that creates or changes a connection.
type connectionRequest struct {
	Provider             string                   `json:"provider,omitempty"`
	GroupRef             string                   `json:"groupRef,omitempty"`
	GroupName            string                   `json:"groupName,omitempty"`
	ConsumerRef          string                   `json:"consumerRef,omitempty"`
	ConsumerName         string                   `json:"consumerName,omitempty"`
	ProviderWorkspaceRef string                   `json:"providerWorkspaceRef,omitempty"`
	ProviderMetadata     map[string]metadataValue `json:"providerMetadata,omitempty"`
	SentCredentials
}

// SentCredentials are credentials of one sort in a request. (Exported because huma
// looks into no other embedded type.)
type SentCredentials struct {
	OAuth      *oauthCredentials  `json:"oauth2AuthorizationCode,omitempty"`
	BasicAuth  *basicCredentials  `json:"basicAuth,omitempty"`
	APIKey     string             `json:"apiKey,omitempty" doc:"An access token."`
	CustomAuth *connectAppSecrets `json:"customAuth,omitempty"`
}

// basicCredentials are a name and an API token.
type basicCredentials struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

// connectAppSecrets sign the JWTs of a Connect app.
type connectAppSecrets struct {
	AppKey       string `json:"appKey"`
	ClientKey    string `json:"clientKey"`
	SharedSecret string `json:"sharedSecret"`
}

// generateRequest is the body of POST …/connections:generate.
type generateRequest struct {
	Provider             string                   `json:"provider" minLength:"1"`
	GroupRef             string                   `json:"groupRef" minLength:"1"`
	GroupName            string                   `json:"groupName,omitempty"`
	ConsumerRef          string                   `json:"consumerRef" minLength:"1"`
	ConsumerName         string                   `json:"consumerName,omitempty"`
	ProviderWorkspaceRef string                   `json:"providerWorkspaceRef,omitempty"`
	ProviderMetadata     map[string]metadataValue `json:"providerMetadata,omitempty"`
	SentCredentials
}

// updateConnectionRequest is the body of PATCH …/connections/{id}.
type updateConnectionRequest struct {
	UpdateMask []string          `json:"updateMask" maxItems:"100"`
	Connection connectionRequest `json:"connection"`
}

func (r SentCredentials) credentials() windlass.Credentials {
	var c windlass.Credentials
	if r.OAuth != nil {
		if t := r.OAuth.AccessToken; t != nil {
			c.AccessToken, c.AccessIssued, c.AccessExpiry = windlass.NewSecret(t.Token), t.IssuedAt, t.ExpiresAt
		}
		if t := r.OAuth.RefreshToken; t != nil {
			c.RefreshToken = windlass.NewSecret(t.Token)
		}
	}
	if r.BasicAuth != nil {
		c.Username, c.Password = r.BasicAuth.Username, windlass.NewSecret(r.BasicAuth.Password)
	}
	if r.APIKey != "" {
		c.APIKey = windlass.NewSecret(r.APIKey)
	}
	if r.CustomAuth != nil {
		c.AppKey, c.ClientKey = r.CustomAuth.AppKey, r.CustomAuth.ClientKey
		c.SharedSecret = windlass.NewSecret(r.CustomAuth.SharedSecret)
	}
	return c
}

func (a *API) generateConnection(c *call, r generateRequest) (connection, error) {
	if err := c.who.MustBe(r.GroupRef, r.ConsumerRef); err != nil {
		return connection{}, err
	}
	var scopes []string
	if r.OAuth != nil {
		scopes = r.OAuth.Scopes
	}
	var outcome connect.Outcome
	err := a.gate.Try(c.who, addressOf(c.r), func() (err error) {
		outcome, err = a.connect.Generate(c.ctx(), connect.Import{
			Ask: connect.Ask{
				Project: c.project.ID, Provider: r.Provider,
				GroupRef: r.GroupRef, GroupName: r.GroupName, ConsumerRef: r.ConsumerRef, ConsumerName: r.ConsumerName,
				Workspace: r.ProviderWorkspaceRef, Metadata: fromMetadata(r.ProviderMetadata),
			},
			Credentials: r.credentials(), Scopes: scopes,
		})
		return err
	})
	return asConnection(outcome.Connection), err
}

// The fields that the mask of a connection's update may name.
var connectionMask = []string{"providerWorkspaceRef", "providerMetadata", "apiKey", "basicAuth", "customAuth"}

func (a *API) updateConnection(c *call, r updateConnectionRequest) (connection, error) {
	id := c.param("connectionId")
	if err := a.ownConnection(c, id); err != nil {
		return connection{}, err
	}
	change, err := r.change()
	if err != nil {
		return connection{}, err
	}
	var changed windlass.Connection
	update := func() (err error) {
		changed, err = a.connect.Update(c.ctx(), c.project.ID, id, change)
		return err
	}
	if change.Credentials != nil || change.Workspace != "" { // which tells whether a credential reaches it
		err = a.gate.Try(c.who, addressOf(c.r), update)
	} else {
		err = update()
	}
	return asConnection(changed), err
}

// change applies the fields that the mask names, and no others.
func (r updateConnectionRequest) change() (connect.Change, error) {
	var change connect.Change
	var issues []windlass.Issue
	report := func(name, message string) {
		issues = append(issues, windlass.Issue{In: "body", Name: name, Message: message})
	}
	if len(r.UpdateMask) == 0 {
		report("updateMask", "it names nothing to change; it can name "+strings.Join(connectionMask, ", "))
	}
	var named SentCredentials
	for i, path := range r.UpdateMask {
		missing := false
		switch path {
		case "providerWorkspaceRef":
			change.Workspace, missing = r.Connection.ProviderWorkspaceRef, r.Connection.ProviderWorkspaceRef == ""
		case "providerMetadata":
			change.Metadata, missing = fromMetadata(r.Connection.ProviderMetadata), r.Connection.ProviderMetadata == nil
			if workspace, ok := change.Metadata["workspace"]; ok && !slices.Contains(r.UpdateMask, "providerWorkspaceRef") {
				change.Workspace = workspace.Value // clients may also name it here
			}
		case "apiKey":
			named.APIKey, missing = r.Connection.APIKey, r.Connection.APIKey == ""
		case "basicAuth":
			named.BasicAuth, missing = r.Connection.BasicAuth, r.Connection.BasicAuth == nil
		case "customAuth":
			named.CustomAuth, missing = r.Connection.CustomAuth, r.Connection.CustomAuth == nil
		default:
			report(fmt.Sprintf("updateMask[%d]", i), "it cannot be changed; what can is "+strings.Join(connectionMask, ", "))
		}
		if missing {
			report("connection."+path, "the mask names it, but the request has no such value")
		}
	}
	if named != (SentCredentials{}) {
		creds := named.credentials()
		change.Credentials = &creds
	}
	return change, invalid(issues)
}
