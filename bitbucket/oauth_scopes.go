package bitbucket

import (
	"slices"
	"strings"

	"windlass"
)

// credentialOf chooses by what is there. The order matters to no credentials
// that were checked when they were stored.
func credentialOf(c windlass.Credentials) (Credential, error) {
	switch {
	case c.ClientKey != "" || c.AppKey != "":
		return ConnectApp(c.AppKey, c.ClientKey, c.SharedSecret.Reveal())
	case c.Username != "" || !c.Password.IsZero():
		return APIToken(c.Username, c.Password.Reveal())
	case !c.APIKey.IsZero():
		return AccessToken(c.APIKey.Reveal())
	default:
		return AccessToken(c.AccessToken.Reveal())
	}
}

// implied gives the scopes that a scope grants beside itself. Atlassian's
// "Bitbucket Cloud REST API scopes" states those of project, pullrequest and
// repository:write, and denies them for repository:admin and project:admin. For
// the others its one-line descriptions decide: "read and modify" and "access
// and edit" grant reading.
var implied = map[string][]string{
	"project":           {"repository"},
	"pullrequest":       {"repository"},
	"repository:write":  {"repository"},
	"pullrequest:write": {"pullrequest", "repository:write"},
	"snippet:write":     {"snippet"},
	"issue:write":       {"issue"},
	"account:write":     {"account"},
	"team:write":        {"team"},
	"pipeline:write":    {"pipeline"},
	"pipeline:variable": {"pipeline"},
	"runner:write":      {"runner"},
	"test:write":        {"test"},
}

// Missing returns which of the required scopes a grant lacks, each once and
// sorted. API tokens have a vocabulary of their own (read:repository:bitbucket),
// which is not translated: for these it returns nothing.
func (*Provider) Missing(granted, required []string) []string {
	held := map[string]bool{}
	for queue := slices.Clone(granted); len(queue) > 0; queue = queue[1:] {
		scope := queue[0]
		if strings.HasSuffix(scope, ":bitbucket") {
			return nil
		}
		if !held[scope] {
			held[scope] = true
			queue = append(queue, implied[scope]...)
		}
	}
	var missing []string
	for _, scope := range required {
		if !held[scope] && !slices.Contains(missing, scope) {
			missing = append(missing, scope)
		}
	}
	slices.Sort(missing)
	return missing
}
