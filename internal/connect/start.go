package connect

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"time"

	"windlass"
)

// stateLife is how long a consent may take.
const stateLife = 10 * time.Minute

// Opener is the page of the product from which a consent starts.
type Opener struct {
	// Origin is the page's origin, as in https://app.example.com: the only place
	// that the callback page may tell how the consent went. Empty means nobody
	// is told.
	Origin string
	// Bind ties the consent to the browser that starts it: see Consent.Browser.
	Bind bool
}

// Consent is a consent that has begun.
type Consent struct {
	// URL is the provider's page to show to the person.
	URL string
	// Browser is a secret that the person's browser has to show again at the
	// callback; zero unless Opener.Bind was set. Keep it in a cookie that scripts
	// cannot read.
	Browser windlass.Secret
	// Expires is when it will be too late to come back.
	Expires time.Time
}

// asked is what is remembered while a person is at the provider's page.
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
	Browser      string                            `json:"browser,omitempty"` // the hash of Consent.Browser
	Callback     string                            `json:"callback"`          // as the provider was told
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
	const op = "start a consent anew"
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

// begin makes the state and the address that carries it.
func (s *Service) begin(ctx context.Context, op string, checked subject, opener Opener) (Consent, error) {
	if !isOrigin(opener.Origin) {
		return Consent{}, &windlass.Failure{
			Kind: windlass.Invalid, Op: op, Message: quote(opener.Origin) + " is not an origin",
			Remedy: "an origin is a scheme and a host, as in https://app.example.com",
			Issues: []windlass.Issue{{In: "header", Name: "Origin", Message: "not an origin"}},
		}
	}
	state := secret()
	remembered := remember(checked.connection)
	remembered.Origin, remembered.Callback = opener.Origin, s.callback
	consent := Consent{Expires: s.now().Add(stateLife)}
	if opener.Bind {
		browser := secret()
		consent.Browser, remembered.Browser = windlass.NewSecret(browser), hashed(browser)
	}
	page, err := checked.provider.AuthorizeURL(checked.app, state, s.callback)
	if err != nil {
		return Consent{}, explain(op, err)
	}
	consent.URL = page
	data, err := json.Marshal(remembered)
	if err != nil {
		return Consent{}, explain(op, err)
	}
	// The state itself is kept nowhere: who reads the database cannot finish a
	// consent that somebody else began.
	err = s.store.CreateState(ctx, windlass.ConnectState{Hash: hashed(state), Data: data, Expires: consent.Expires})
	if err != nil {
		return Consent{}, explain(op, err)
	}
	return consent, nil
}

func remember(c windlass.Connection) asked {
	return asked{
		ProjectID: c.ProjectID, Provider: c.Provider, ProviderAppID: c.ProviderAppID, ConnectionID: c.ID,
		GroupRef: c.Group.Ref, GroupName: c.Group.Name, ConsumerRef: c.Consumer.Ref, ConsumerName: c.Consumer.Name,
		Workspace: c.Workspace, Metadata: c.Metadata,
	}
}

// meant returns the connection that a consent is to become: a new one, or the
// one it is for as it is by now.
func (s *Service) meant(ctx context.Context, remembered asked) (windlass.Connection, error) {
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

// isOrigin reports whether a text is an origin, or empty.
func isOrigin(text string) bool {
	if text == "" {
		return true
	}
	origin, err := url.Parse(text)
	return err == nil && (origin.Scheme == "https" || origin.Scheme == "http") &&
		origin.Host != "" && text == origin.Scheme+"://"+origin.Host
}

// secret returns 256 random bits in letters, digits, - and _.
func secret() string {
	var bits [32]byte
	_, _ = rand.Read(bits[:]) // it never fails: the program ends instead
	return base64.RawURLEncoding.EncodeToString(bits[:])
}

// hashed stands for a secret where it is stored. Without salt: 256 random bits
// need none.
func hashed(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
