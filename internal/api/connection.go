package api

import (
	"time"

	"windlass"
	"windlass/internal/auth"
	"windlass/internal/connect"
)

// connection is a customer's connection, in the contract's shape. The
// credentials are there only when they were asked for.
type connection struct {
	ID                   string                   `json:"id"`
	ProjectID            string                   `json:"projectId"`
	Provider             string                   `json:"provider"`
	ProviderApp          *providerApp             `json:"providerApp,omitempty"`
	Group                group                    `json:"group"`
	Consumer             consumer                 `json:"consumer"`
	ProviderWorkspaceRef string                   `json:"providerWorkspaceRef,omitempty"`
	ProviderConsumerRef  string                   `json:"providerConsumerRef,omitempty"`
	CreateTime           time.Time                `json:"createTime"`
	UpdateTime           time.Time                `json:"updateTime,omitzero"`
	AuthScheme           string                   `json:"authScheme" enum:"oauth2/authorizationCode,basic,apiKey"`
	Status               string                   `json:"status" enum:"created,working,bad_credentials"`
	OAuth                *oauthCredentials        `json:"oauth2AuthorizationCode,omitempty"`
	APIKey               string                   `json:"apiKey,omitempty"`
	ProviderMetadata     map[string]metadataValue `json:"providerMetadata,omitempty"`
}

// group is a customer of the product's.
type group struct {
	GroupRef   string    `json:"groupRef"`
	GroupName  string    `json:"groupName"`
	ProjectID  string    `json:"projectId"`
	CreateTime time.Time `json:"createTime"`
	UpdateTime time.Time `json:"updateTime,omitzero"`
}

// consumer is a person at a customer.
type consumer struct {
	ConsumerRef  string    `json:"consumerRef"`
	ConsumerName string    `json:"consumerName"`
	ProjectID    string    `json:"projectId"`
	CreateTime   time.Time `json:"createTime"`
	UpdateTime   time.Time `json:"updateTime,omitzero"`
}

// oauthCredentials are tokens, in requests and in answers.
type oauthCredentials struct {
	AccessToken  *token   `json:"accessToken,omitempty"`
	RefreshToken *token   `json:"refreshToken,omitempty"`
	Scopes       []string `json:"scopes,omitempty"`
}

type token struct {
	Token     string    `json:"token" minLength:"1"`
	IssuedAt  time.Time `json:"issuedAt,omitzero"`
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
}

func asGroup(g windlass.Group) group {
	return group{
		GroupRef: g.Ref, GroupName: orElse(g.Name, g.Ref), ProjectID: g.ProjectID,
		CreateTime: g.Created.UTC(), UpdateTime: g.Updated.UTC(),
	}
}

func asConsumer(p windlass.Consumer) consumer {
	return consumer{
		ConsumerRef: p.Ref, ConsumerName: orElse(p.Name, p.Ref), ProjectID: p.ProjectID,
		CreateTime: p.Created.UTC(), UpdateTime: p.Updated.UTC(),
	}
}

func orElse(name, otherwise string) string {
	if name == "" {
		return otherwise
	}
	return name
}

func asConnection(c windlass.Connection) connection {
	return connection{
		ID: c.ID, ProjectID: c.ProjectID, Provider: c.Provider, Group: asGroup(c.Group), Consumer: asConsumer(c.Consumer),
		ProviderWorkspaceRef: c.Workspace, ProviderConsumerRef: c.ConsumerRef,
		CreateTime: c.Created.UTC(), UpdateTime: c.Updated.UTC(),
		AuthScheme: string(c.Scheme), Status: string(c.Status), ProviderMetadata: asMetadata(c.Metadata),
	}
}

func asMetadata(from map[string]windlass.MetadataValue) map[string]metadataValue {
	to := make(map[string]metadataValue, len(from))
	for name, value := range from {
		to[name] = metadataValue{Value: value.Value, Source: value.Source, DisplayName: value.DisplayName}
	}
	return to
}

func fromMetadata(from map[string]metadataValue) map[string]windlass.MetadataValue {
	to := make(map[string]windlass.MetadataValue, len(from))
	for name, value := range from {
		to[name] = windlass.MetadataValue{Value: value.Value, Source: value.Source, DisplayName: value.DisplayName}
	}
	return to
}

// withCredentials adds the credentials that were asked for. Of an API token the
// contract has no place to show the password.
func withCredentials(out connection, scheme windlass.AuthScheme, scopes []string, creds windlass.Credentials, refreshToken bool) connection {
	switch scheme {
	case windlass.AuthOAuth:
		out.OAuth = &oauthCredentials{Scopes: scopes}
		if !creds.AccessToken.IsZero() {
			out.OAuth.AccessToken = &token{
				Token: creds.AccessToken.Reveal(), IssuedAt: creds.AccessIssued.UTC(), ExpiresAt: creds.AccessExpiry.UTC(),
			}
		}
		if refreshToken && !creds.RefreshToken.IsZero() {
			out.OAuth.RefreshToken = &token{Token: creds.RefreshToken.Reveal()}
		}
	case windlass.AuthAPIKey:
		out.APIKey = creds.APIKey.Reveal()
	case windlass.AuthBasic:
	}
	return out
}

func (a *API) listConnections(c *call, p windlass.Page) (listed[connection], error) {
	groupRef, visible := c.who.Within(c.query.Get("groupRef"))
	consumerRef := c.query.Get("consumerRef")
	if c.who.IsPerson() {
		visible = visible && (consumerRef == "" || consumerRef == c.who.ConsumerRef)
		consumerRef = c.who.ConsumerRef
	}
	if !visible {
		return listed[connection]{items: []connection{}}, nil
	}
	all, err := a.lookup.Connections(c.ctx(), windlass.ConnectionFilter{
		ProjectID: c.project.ID, Provider: c.query.Get("provider"), GroupRef: groupRef, ConsumerRef: consumerRef, Page: p,
	})
	if err != nil {
		return listed[connection]{}, err
	}
	out := asList(p, all, func(x windlass.Connection) string { return x.ID }, asConnection)
	return out, a.addProviderApps(c, all[:len(out.items)], out.items)
}

// addProviderApps puts into each connection the provider app that it was made
// through.
func (a *API) addProviderApps(c *call, from []windlass.Connection, to []connection) error {
	apps := map[string]*providerApp{}
	for i := range from {
		id := from[i].ProviderAppID
		if id == "" {
			continue
		}
		if len(apps) == 0 {
			all, err := a.setup.ProviderApps(c.ctx(), c.project.ID, windlass.Page{})
			if err != nil {
				return err
			}
			for _, app := range all {
				shown := asProviderApp(app)
				apps[app.ID] = &shown
			}
		}
		to[i].ProviderApp = apps[id]
	}
	return nil
}

// ownConnection refuses a token the connections of others; for keys the flows
// look at the project themselves.
func (a *API) ownConnection(c *call, id string) error {
	if id == "" || !c.who.IsPerson() {
		return nil
	}
	found, err := a.lookup.Connection(c.ctx(), c.project.ID, id)
	if err == nil && !c.who.Sees(found.Group.Ref, found.Consumer.Ref) {
		return notFound("connection", id)
	}
	return err
}

func (a *API) getConnection(c *call) (connection, error) {
	id := c.param("connectionId")
	if err := a.ownConnection(c, id); err != nil {
		return connection{}, err
	}
	fresh := connect.Freshness(c.query.Get("refresh"))
	refreshToken := c.flag("includeRefreshToken")
	withCreds := c.flag("includeCreds") || refreshToken
	if (withCreds || fresh == connect.Force) && c.who.Access < auth.Server {
		return connection{}, auth.Closed(auth.Server)
	}
	found, creds, err := a.connect.Get(c.ctx(), c.project.ID, id, fresh)
	if err != nil {
		return connection{}, err
	}
	out := []connection{asConnection(found)}
	if withCreds {
		out[0] = withCredentials(out[0], found.Scheme, found.Scopes, creds, refreshToken)
	}
	return out[0], a.addProviderApps(c, []windlass.Connection{found}, out[:1])
}

func (a *API) deleteConnection(c *call) error {
	id := c.param("connectionId")
	if err := a.ownConnection(c, id); err != nil {
		return err
	}
	return a.connect.Delete(c.ctx(), c.project.ID, id)
}
