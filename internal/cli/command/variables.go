package command

import (
	"regexp"
	"slices"
	"strings"

	"windlass/internal/nearest"
)

// The variables that begin with WINDLASS_, besides a server's settings. A secret
// has a variable and no flag: the arguments of a process can be seen by every other.
const (
	EnvServer        = "WINDLASS_URL"            // where the server is
	EnvKey           = "WINDLASS_API_KEY"        // a key of its API
	EnvProject       = "WINDLASS_PROJECT"        // which project, where there are several
	EnvConfig        = "WINDLASS_CONFIG"         // the file of a server's settings
	EnvWebhookSecret = "WINDLASS_WEBHOOK_SECRET" //nolint:gosec // G101: the name of a variable: what a receiver verifies with
	EnvClientSecret  = "WINDLASS_CLIENT_SECRET"  //nolint:gosec // an OAuth consumer's secret on its way to the server
)

// DefaultServer is where the commands look for a server.
const DefaultServer = "http://127.0.0.1:8080"

// notOurs are variables that begin like ours and are set by others: by Kubernetes
// and Docker for a service of this name, and by the tests of this project.
var notOurs = regexp.MustCompile(`_SERVICE_(HOST|PORT(_\w+)?)$|_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$|^WINDLASS_(SHARED|TEST|BENCH)(_|$)`)

// CheckVariables refuses a variable of the environment that begins with WINDLASS_
// and means nothing: a misspelt setting must not be ignored.
func CheckVariables(env *Env) error {
	names := append([]string{EnvConfig, EnvServer, EnvKey, EnvProject, EnvWebhookSecret, EnvClientSecret}, env.Settings...)
	if env.Environ == nil {
		return nil // none are given
	}
	for _, entry := range env.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		if value == "" || !strings.HasPrefix(name, "WINDLASS_") || slices.Contains(names, name) || notOurs.MatchString(name) {
			continue
		}
		if near := nearest.To(name, names); near != "" {
			return Invalidf("there is no variable %s; did you mean %s?", Clip(name), near)
		}
		return Invalidf("there is no variable %s: unset it; windlass serve --help lists the settings", Clip(name))
	}
	return nil
}
