package auth

import (
	"slices"
	"strings"
)

// implied gives the scopes that a classic scope grants beside itself.
//
// Atlassian's text states those of project, pullrequest, pullrequest:write,
// repository:write, issue:write and snippet:write, and denies them for
// repository:admin and project:admin. For the others it is silent, and the
// one-line descriptions in Atlassian's API document decide: "read and modify",
// "access and edit" and the like grant the reading scope too.
func implied(scope string) []string {
	switch scope {
	case "project", "pullrequest", "repository:write":
		return []string{"repository"}
	case "pullrequest:write":
		return []string{"pullrequest", "repository:write"}
	case "issue:write", "snippet:write", "account:write", "team:write", "pipeline:write", "runner:write", "test:write":
		return []string{strings.TrimSuffix(scope, ":write")}
	case "pipeline:variable":
		return []string{"pipeline"}
	default:
		return nil
	}
}

// granular gives the scopes of API tokens of which any one stands for a classic
// scope. These imply nothing. A classic scope that covers several of them, such
// as account, is satisfied loosely: a caller that knows an endpoint's own
// granular scope names it beside the classic one in [Principal.Missing].
func granular(classic string) []string {
	subject, level, _ := strings.Cut(classic, ":")
	levels := []string{"read"}
	switch {
	case classic == "pipeline:variable":
		levels = []string{"admin"}
	case level != "":
		levels = []string{level}
	case classic == "webhook" || classic == "wiki":
		levels = []string{"read", "write", "delete"} // these have but one classic scope
	}
	subjects := []string{subject}
	switch subject {
	case "account":
		subjects = []string{"user", "workspace", "permission"}
	case "email":
		subjects = []string{"user"}
	case "team":
		subjects = []string{"workspace"}
	}
	var scopes []string
	for _, s := range subjects {
		for _, l := range levels {
			scopes = append(scopes, l+":"+s+granularSuffix)
		}
	}
	return scopes
}

const granularSuffix = ":bitbucket"

func isGranular(scope string) bool { return strings.HasSuffix(scope, granularSuffix) }

// Missing returns which of the required scopes the principal lacks, in their
// order.
//
// An endpoint's scopes may be given in both of Bitbucket's vocabularies: the
// classic ones (repository, project:admin) are required of OAuth, access tokens
// and apps, together with what they imply; the granular ones
// (read:repository:bitbucket) of API tokens that have such. Given classic ones
// alone, they are translated for such tokens.
func (p Principal) Missing(required ...string) []string {
	if slices.ContainsFunc(p.Scopes, isGranular) {
		return p.missingGranular(required)
	}
	held := map[string]bool{}
	for queue := slices.Clone(p.Scopes); len(queue) > 0; queue = queue[1:] {
		if scope := queue[0]; !held[scope] {
			held[scope] = true
			queue = append(queue, implied(scope)...)
		}
	}
	var missing []string
	for _, scope := range required {
		if !isGranular(scope) && !held[scope] {
			missing = append(missing, scope)
		}
	}
	return missing
}

func (p Principal) missingGranular(required []string) []string {
	own := slices.ContainsFunc(required, isGranular)
	var missing []string
	for _, scope := range required {
		if isGranular(scope) != own {
			continue
		}
		alternatives := []string{scope}
		if !own {
			alternatives = granular(scope)
		}
		if !slices.ContainsFunc(alternatives, func(s string) bool { return slices.Contains(p.Scopes, s) }) {
			missing = append(missing, alternatives[0])
		}
	}
	return missing
}
