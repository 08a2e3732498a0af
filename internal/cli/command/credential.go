package command

import (
	"net"
	"net/url"
	"slices"
	"strings"

	"windlass"
	"windlass/bitbucket"
)

// The variables that hold a credential. There are no flags for them: the
// arguments of a process can be seen by every other, and end in a history.
const (
	EnvToken        = "BITBUCKET_TOKEN"
	envEmail        = "BITBUCKET_EMAIL"
	envAPIToken     = "BITBUCKET_API_TOKEN"
	envConnectApp   = "BITBUCKET_CONNECT_APP_KEY"
	envConnectKey   = "BITBUCKET_CONNECT_CLIENT_KEY"
	envConnectShare = "BITBUCKET_CONNECT_SHARED_SECRET"

	EnvWorkspace = "BITBUCKET_WORKSPACE"
	EnvAPIURL    = "BITBUCKET_API_URL"
)

// CredentialSet is one way to say who is asking.
type CredentialSet struct {
	names []string
	make  func(values []string) (bitbucket.Credential, error)
}

var (
	// TokenSet is an access token.
	TokenSet = CredentialSet{
		[]string{EnvToken},
		func(v []string) (bitbucket.Credential, error) { return bitbucket.AccessToken(v[0]) },
	}
	// APITokenSet is an API token and the email address of its owner.
	APITokenSet = CredentialSet{
		[]string{envEmail, envAPIToken},
		func(v []string) (bitbucket.Credential, error) {
			if !strings.Contains(v[0], "@") {
				// It is not shown: when the two were mixed up, this is the token.
				return nil, &Failure{Kind: windlass.Unauthorized, Text: envEmail + " is not an email address: it is that of the Atlassian account which made " + envAPIToken}
			}
			return bitbucket.APIToken(v[0], v[1])
		},
	}
	// ConnectSet is a Connect app.
	ConnectSet = CredentialSet{
		[]string{envConnectApp, envConnectKey, envConnectShare},
		func(v []string) (bitbucket.Credential, error) { return bitbucket.ConnectApp(v[0], v[1], v[2]) },
	}
)

// CredentialFor picks the credential for an object from the environment: the
// first complete set. It returns nil for an object that needs none when there
// is none. A set that was begun and not completed is an error where it would
// have been preferred, or where no other is complete.
func CredentialFor(object string, getenv func(string) string) (bitbucket.Credential, error) {
	sets := []CredentialSet{TokenSet, APITokenSet, ConnectSet}
	access := bitbucket.AccessTo(object)
	if access == bitbucket.ConnectAppOnly {
		sets = []CredentialSet{ConnectSet, TokenSet, APITokenSet}
	}
	var half error
	for _, set := range sets {
		values, missing := set.Read(getenv)
		switch {
		case len(missing) == 0:
			return set.make(values)
		case len(missing) == len(set.names):
			continue
		}
		if half == nil {
			half = &Failure{Kind: windlass.Unauthorized, Text: "half a credential: " + strings.Join(missing, " and ") +
				" must be set, too, to go with " + strings.Join(without(set.names, missing), " and ")}
		}
		if access == bitbucket.ConnectAppOnly {
			break
		}
	}
	if half != nil {
		return nil, half
	}
	if access == bitbucket.Public {
		return nil, nil //nolint:nilnil // no credential is a good answer here
	}
	return nil, &Failure{
		Kind: windlass.Unauthorized,
		Text: "no credential: set " + TokenSet.String() + " (an access token), or " + APITokenSet.String() +
			" (an API token), or " + ConnectSet.String() + " (a Connect app)",
	}
}

// Read returns the values of a set and the names of those that are not set.
func (s CredentialSet) Read(getenv func(string) string) (values, missing []string) {
	for _, name := range s.names {
		value := strings.TrimSpace(getenv(name)) // $(cat token) and the like leave line breaks
		if value == "" {
			missing = append(missing, name)
		}
		values = append(values, value)
	}
	return values, missing
}

func (s CredentialSet) String() string { return strings.Join(s.names, " + ") }

func without(all, missing []string) []string {
	var rest []string
	for _, name := range all {
		if !slices.Contains(missing, name) {
			rest = append(rest, name)
		}
	}
	return rest
}

// CheckAPIURL refuses to send a credential in the clear over a network.
func CheckAPIURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return Invalidf("--api-url is not a URL: it looks like %s", bitbucket.DefaultAPIURL)
	}
	if host := u.Hostname(); strings.EqualFold(u.Scheme, "http") && host != "localhost" {
		if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
			return Invalidf("--api-url: http to %s would send the credential in the clear: use https (http is for this machine only)", Clip(host))
		}
	}
	return nil
}
