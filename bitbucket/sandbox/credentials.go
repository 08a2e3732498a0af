package sandbox

import (
	"fmt"

	"windlass/bitbucket/sandbox/internal/auth"
)

// Credentials are what the sandbox accepts. They follow from the seed, so that
// they are the same every time, and protect nothing.
type Credentials struct {
	Workspace           string `json:"workspace"`      // slug of the main workspace, which the user owns
	WorkspaceUUID       string `json:"workspace_uuid"` // in braces
	AccessToken         string `json:"access_token"`   // a bearer token with every scope that does what the user may
	Email               string `json:"email"`          // with APIToken: HTTP Basic
	APIToken            string `json:"api_token"`
	Password            string `json:"password"`     // with Email: the login form of the OAuth pages, nothing else
	ConsumerKey         string `json:"consumer_key"` // of an OAuth consumer with every scope
	ConsumerSecret      string `json:"consumer_secret"`
	ConnectAppKey       string `json:"connect_app_key"`    // claim iss
	ConnectClientKey    string `json:"connect_client_key"` // claim sub
	ConnectSharedSecret string `json:"connect_shared_secret"`
	OtherWorkspace      string `json:"other_workspace"` // slug of one where the user is a plain member
}

// Credentials returns every credential the sandbox was seeded with.
func (s *Server) Credentials() Credentials {
	main, a := s.main(), s.access
	return Credentials{
		Workspace: main.slug, WorkspaceUUID: main.uuid,
		AccessToken: a.secret(secretAccessToken),
		Email:       s.world.me.address(), APIToken: a.secret(secretAPIToken), Password: a.secret(secretPassword),
		ConsumerKey: a.secret(secretConsumerKey)[:18], ConsumerSecret: a.secret(secretConsumer)[:32],
		ConnectAppKey: connectAppKey, ConnectClientKey: a.secret(secretClientKey)[:32],
		ConnectSharedSecret: a.secret(secretShared),
		OtherWorkspace:      s.world.workspaces[1].slug,
	}
}

// NewAccessToken returns a bearer token of the user with just these scopes, in
// either vocabulary: classic ones such as "project:admin" or granular ones such
// as "read:project:bitbucket".
func (s *Server) NewAccessToken(scopes ...string) string {
	token := s.access.secret(secretsMade + s.access.issued.Add(1))
	s.access.authority.AddAccessToken(auth.AccessToken{
		Token: token, UserUUID: s.world.me.uuid, Scopes: scopes,
		Owner: auth.Owner{Kind: auth.OwnedByWorkspace, UUID: s.main().uuid},
	})
	return token
}

// NewConsumer registers an OAuth consumer with these scopes. What its tokens
// may do ends there, whatever a request for authorization asks for.
func (s *Server) NewConsumer(callbackURL string, scopes ...string) (key, secret string) {
	n := secretsMade + s.access.issued.Add(2)
	key, secret = s.access.secret(n)[:18], s.access.secret(n - 1)[:32]
	s.access.authority.AddConsumer(auth.Consumer{
		Key: key, Secret: secret, CallbackURL: callbackURL, Scopes: scopes, AppUser: s.world.me.uuid,
	})
	return key, secret
}

// DisableConsumer switches a consumer off, or on again: until then the OAuth pages
// and the token endpoint refuse it, and what it was granted stays as it is. It
// reports whether there is one of that key.
func (s *Server) DisableConsumer(key string, disabled bool) bool {
	return s.access.authority.ChangeConsumer(key, func(c *auth.Consumer) { c.Disabled = disabled })
}

// SetConsumerCallback changes a consumer's callback URL; empty takes it out. It
// reports whether there is one of that key.
func (s *Server) SetConsumerCallback(key, callbackURL string) bool {
	return s.access.authority.ChangeConsumer(key, func(c *auth.Consumer) { c.CallbackURL = callbackURL })
}

// NewOAuthTokens returns the tokens that a consumer has once the user consented
// to it, without the pages. The error is an unknown consumer.
func (s *Server) NewOAuthTokens(consumerKey string) (access, refresh string, err error) {
	tokens, err := s.access.authority.Issue(consumerKey, s.world.me.uuid)
	if err != nil {
		return "", "", fmt.Errorf("sandbox: %w", err)
	}
	return tokens.AccessToken, tokens.RefreshToken, nil
}

// Consent does what the user does on the OAuth pages, log in and allow, and
// returns where they would be sent, code and state included. authorizeURL is
// the address a product would open, or its query alone.
func (s *Server) Consent(authorizeURL string) (callback string, err error) {
	return s.access.authority.Consent(authorizeURL, s.world.me.uuid)
}

// RevokeConsent takes the user's consent to a consumer back: every token that
// came of it dies at once. It returns how many did.
func (s *Server) RevokeConsent(consumerKey string) int {
	return s.access.authority.Revoke(s.world.me.uuid, consumerKey)
}

// TokenRequests is how many requests the OAuth token endpoint has had, refused
// ones included.
func (s *Server) TokenRequests() int { return s.access.authority.TokenRequests() }
