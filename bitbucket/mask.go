package bitbucket

import (
	"net/http"
	"strings"

	"windlass/connector"
)

// leastSecret is the length below which a secret is not looked for in texts: it
// would be found as a part of words.
const leastSecret = 4

// secretsIn are the secrets that a request carried, for servers and gateways that
// repeat its headers.
func secretsIn(req *http.Request) []string {
	if req == nil {
		return nil
	}
	_, sent, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	_, password, _ := req.BasicAuth()
	return []string{sent, password}
}

// masked returns an error without the secrets in it, should a stranger's text
// repeat what it was sent (invariant 5).
func masked(e *connector.Error, secrets ...string) *connector.Error {
	clean := *e
	clean.Message, clean.Remedy = hide(e.Message, secrets...), hide(e.Remedy, secrets...)
	clean.Fields = make(map[string][]string, len(e.Fields))
	for name, problems := range e.Fields {
		name = hide(name, secrets...)
		for _, problem := range problems {
			clean.Fields[name] = append(clean.Fields[name], hide(problem, secrets...))
		}
	}
	return &clean
}

// hide takes secrets out of a text that went through cleanText, which changes
// white space and may cut a secret off in the middle.
func hide(text string, secrets ...string) string {
	for _, secret := range secrets {
		if secret = tidy(secret); len(secret) >= leastSecret {
			text = hideCut(strings.ReplaceAll(text, secret, "•••"), secret)
		}
	}
	return text
}

// hideCut hides the beginning of a secret at the end of a text that was cut.
func hideCut(text, secret string) string {
	whole, cut := strings.CutSuffix(text, "…")
	if !cut {
		return text
	}
	for n := min(len(secret), len(whole)); n >= leastSecret; n-- {
		if rest, found := strings.CutSuffix(whole, secret[:n]); found {
			return rest + "•••…"
		}
	}
	return text
}
