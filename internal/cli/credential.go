package cli

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
	envToken        = "BITBUCKET_TOKEN"
	envEmail        = "BITBUCKET_EMAIL"
	envAPIToken     = "BITBUCKET_API_TOKEN"
	envConnectApp   = "BITBUCKET_CONNECT_APP_KEY"
	envConnectKey   = "BITBUCKET_CONNECT_CLIENT_KEY"
	envConnectShare = "BITBUCKET_CONNECT_SHARED_SECRET"

	envWorkspace = "BITBUCKET_WORKSPACE"
	envAPIURL    = "BITBUCKET_API_URL"
)

// credentialSet is one way to say who is asking.
type credentialSet struct {
	names []string
	make  func(values []string) (bitbucket.Credential, error)
}

var (
	tokenSet = credentialSet{
		[]string{envToken},
		func(v []string) (bitbucket.Credential, error) { return bitbucket.AccessToken(v[0]) },
	}
	apiTokenSet = credentialSet{
		[]string{envEmail, envAPIToken},
		func(v []string) (bitbucket.Credential, error) {
			if !strings.Contains(v[0], "@") {
				// It is not shown: whoever mixed the two up has put the token here.
				return nil, &failure{kind: windlass.Unauthorized, text: envEmail + " is not an email address: it is that of the Atlassian account which made " + envAPIToken}
			}
			return bitbucket.APIToken(v[0], v[1])
		},
	}
	connectSet = credentialSet{
		[]string{envConnectApp, envConnectKey, envConnectShare},
		func(v []string) (bitbucket.Credential, error) { return bitbucket.ConnectApp(v[0], v[1], v[2]) },
	}
)

// credentialFor picks the credential for an object from the environment: the
// first complete set. It returns nil for an object that needs none when there
// is none. A set that was begun and not completed is an error where it would
// have been preferred, or where no other is complete.
func credentialFor(object string, getenv func(string) string) (bitbucket.Credential, error) {
	sets := []credentialSet{tokenSet, apiTokenSet, connectSet}
	access := bitbucket.AccessTo(object)
	if access == bitbucket.ConnectAppOnly {
		sets = []credentialSet{connectSet, tokenSet, apiTokenSet}
	}
	var half error
	for _, set := range sets {
		values, missing := set.read(getenv)
		switch {
		case len(missing) == 0:
			return set.make(values)
		case len(missing) == len(set.names):
			continue
		}
		if half == nil {
			half = &failure{kind: windlass.Unauthorized, text: "half a credential: " + strings.Join(missing, " and ") +
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
	return nil, &failure{
		kind: windlass.Unauthorized,
		text: "no credential: set " + tokenSet.String() + " (an access token), or " + apiTokenSet.String() +
			" (an API token), or " + connectSet.String() + " (a Connect app)",
	}
}

// read returns the values of a set and the names of those that are not set.
func (s credentialSet) read(getenv func(string) string) (values, missing []string) {
	for _, name := range s.names {
		value := strings.TrimSpace(getenv(name)) // $(cat token) and the like leave line breaks
		if value == "" {
			missing = append(missing, name)
		}
		values = append(values, value)
	}
	return values, missing
}

func (s credentialSet) String() string { return strings.Join(s.names, " + ") }

func without(all, missing []string) []string {
	var rest []string
	for _, name := range all {
		if !slices.Contains(missing, name) {
			rest = append(rest, name)
		}
	}
	return rest
}

// checkAPIURL refuses to send a credential in the clear over a network.
func checkAPIURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return invalidf("--api-url is not a URL: it looks like %s", bitbucket.DefaultAPIURL)
	}
	if host := u.Hostname(); strings.EqualFold(u.Scheme, "http") && host != "localhost" {
		if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
			return invalidf("--api-url: http to %s would send the credential in the clear: use https (http is for this machine only)", clip(host))
		}
	}
	return nil
}
