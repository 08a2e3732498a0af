package connect

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"windlass"
	"windlass/connector"
)

// StateLife is how long a consent may take.
const StateLife = 10 * time.Minute

// Opener is the page of the product from which a consent starts.
type Opener struct {
	// Origin is the page's origin, as in https://app.example.com: the only place
	// that the callback page may tell how the consent went. Empty means that
	// no page is told.
	Origin string
}

// Consent is a consent that has begun.
type Consent struct {
	// URL is a page of ours, below the callback URL, to show to the person. It says
	// what is asked for, binds the consent to that browser, and continues to the
	// provider. See [Service.Open].
	URL string
	// Expires is when the consent expires.
	Expires time.Time
}

// asked is the stored state of a consent while the person is at the provider's page.
type asked struct {
	ProjectID     string `json:"project"`
	Provider      string `json:"provider"`
	ProviderAppID string `json:"app"`
	// ConnectionID is the connection whose credentials are to be replaced. It is
	// empty when a new one was asked for, and then the rest is what it will be.
	ConnectionID string                            `json:"connection,omitempty"`
	GroupRef     string                            `json:"group,omitempty"`
	GroupName    string                            `json:"groupName,omitempty"`
	ConsumerRef  string                            `json:"consumer,omitempty"`
	ConsumerName string                            `json:"consumerName,omitempty"`
	Workspace    string                            `json:"workspace,omitempty"`
	Metadata     map[string]windlass.MetadataValue `json:"metadata,omitempty"`
	Origin       string                            `json:"origin,omitempty"`
	Callback     string                            `json:"callback"` // as the provider was told
}

// Start begins a consent for a new connection. Calling it again begins another
// one; the first stays good.
func (s *Service) Start(ctx context.Context, ask Ask, opener Opener) (Consent, error) {
	const op = "start a consent"
	checked, err := s.check(ctx, op, ask, true)
	if err != nil {
		return Consent{}, err
	}
	return s.begin(ctx, op, checked, opener)
}

// Reconnect begins a consent that will replace the credentials of a connection.
// The workspace stays the same. A connection that was made without OAuth becomes
// one with it.
func (s *Service) Reconnect(ctx context.Context, projectID, id string, opener Opener) (Consent, error) {
	const op = "restart a consent"
	connection, err := s.store.Connection(ctx, projectID, id)
	if err != nil {
		return Consent{}, explain(op, err)
	}
	provider, err := s.provider(op, connection.Provider)
	if err != nil {
		return Consent{}, err
	}
	app, err := s.app(ctx, projectID, connection.Provider, connection.ProviderAppID)
	if err != nil {
		return Consent{}, explain(op, err)
	}
	connection.ProviderAppID = app.ID
	return s.begin(ctx, op, subject{connection: connection, provider: provider, app: app}, opener)
}

// begin makes the ticket and the URL that contains it.
func (s *Service) begin(ctx context.Context, op string, checked subject, opener Opener) (Consent, error) {
	if _, err := s.mayOpen(ctx, op, checked.connection.ProjectID, opener.Origin); err != nil {
		return Consent{}, err
	}
	// Check the page now, rather than fail when the person opens it.
	oauth, err := s.oauth(op, checked.provider)
	if err != nil {
		return Consent{}, err
	}
	if _, err := oauth.AuthorizeURL(checked.app, connector.Consent{State: "-", Callback: s.callback}); err != nil {
		return Consent{}, explain(op, err)
	}
	if err := s.roomFor(ctx, checked.connection); err != nil {
		return Consent{}, explain(op, err)
	}
	remembered := remember(checked.connection)
	remembered.Origin, remembered.Callback = opener.Origin, s.callback
	data, err := json.Marshal(remembered)
	if err != nil {
		return Consent{}, explain(op, err)
	}
	expires := s.now().Add(StateLife)
	ticket := newTicket(expires, opener.Origin)
	err = s.store.CreateState(ctx, windlass.ConnectState{
		Hash: hashed(ticket), Data: data, Expires: expires,
		ProjectID: checked.connection.ProjectID, GroupRef: checked.connection.Group.Ref,
	})
	if err != nil {
		return Consent{}, explain(op, err)
	}
	s.sweepAt(expires)
	return Consent{URL: s.beginURL(ticket), Expires: expires}, nil
}

func remember(c windlass.Connection) asked {
	return asked{
		ProjectID: c.ProjectID, Provider: c.Provider, ProviderAppID: c.ProviderAppID, ConnectionID: c.ID,
		GroupRef: c.Group.Ref, GroupName: c.Group.Name, ConsumerRef: c.Consumer.Ref, ConsumerName: c.Consumer.Name,
		Workspace: c.Workspace, Metadata: c.Metadata,
	}
}

// target returns the connection that a consent is to become: a new one, or the
// one it is for as it is by now.
func (s *Service) target(ctx context.Context, remembered asked) (windlass.Connection, error) {
	if remembered.ConnectionID == "" {
		return windlass.Connection{
			ProjectID: remembered.ProjectID, Provider: remembered.Provider, ProviderAppID: remembered.ProviderAppID,
			Group:     windlass.Group{ProjectID: remembered.ProjectID, Ref: remembered.GroupRef, Name: remembered.GroupName},
			Consumer:  windlass.Consumer{ProjectID: remembered.ProjectID, Ref: remembered.ConsumerRef, Name: remembered.ConsumerName},
			Workspace: remembered.Workspace, Metadata: remembered.Metadata,
		}, nil
	}
	connection, err := s.store.Connection(ctx, remembered.ProjectID, remembered.ConnectionID)
	if errors.Is(err, windlass.NotFound) {
		err = deletedMeanwhile(err)
	}
	connection.ProviderAppID = remembered.ProviderAppID
	return connection, err
}
