package cli

import (
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"windlass"
	"windlass/bitbucket"
	"windlass/connector"
)

// remote is what every verb that talks to Bitbucket has in common.
type remote struct {
	object    string
	workspace string
	apiURL    string
	role      string // read only
	wait      time.Duration
	quiet     bool
	json      bool
}

func (r *remote) bind(cmd *cobra.Command, env *Env) {
	flags := cmd.Flags()
	flags.StringVarP(&r.workspace, "workspace", "w", "", "the workspace's slug, or its UUID in braces (default $"+envWorkspace+")")
	flags.StringVar(&r.apiURL, "api-url", "", "where the API is (default $"+envAPIURL+", else "+bitbucket.DefaultAPIURL+")")
	flags.Var(newSpan(&r.wait, time.Hour), "wait", "the longest to wait, in all, for one request that is rate limited or fails for the moment")
	flags.BoolVarP(&r.quiet, "quiet", "q", false, "no progress and no closing line")
	flags.BoolVar(&r.json, "json", false, "the closing line, or the error, as a JSON object on standard error")
	cmd.ValidArgsFunction = completeObjects
	cmd.PreRun = func(*cobra.Command, []string) {
		if r.workspace == "" {
			r.workspace = env.Getenv(envWorkspace)
		}
		if r.apiURL == "" {
			r.apiURL = env.Getenv(envAPIURL)
		}
		if r.apiURL == "" {
			r.apiURL = bitbucket.DefaultAPIURL
		}
		r.apiURL = strings.TrimRight(r.apiURL, "/")
	}
}

// connect puts the transports together and returns the connector. Outside in:
// the client asks Retry, which asks for every attempt anew
//   - the credential, whose Connect JWT is made for one attempt and would have
//     expired by the next,
//   - and then the meter, so that each attempt counts.
func (r *remote) connect(env *Env, m *meter, onWait func(connector.Wait)) (*bitbucket.Connector, error) {
	if err := checkObject(r.object); err != nil {
		return nil, err // before the credential: a wrong name is the nearer mistake
	}
	if r.quiet && r.json {
		return nil, invalidf("--quiet and --json exclude each other: one says nothing, the other says it all")
	}
	if err := checkAPIURL(r.apiURL); err != nil {
		return nil, err
	}
	if err := r.checkWorkspace(); err != nil {
		return nil, err
	}
	credential, err := credentialFor(r.object, env.Getenv)
	if err != nil {
		return nil, err
	}
	m.stall = env.Stall
	if m.base = env.Base; m.base == nil {
		m.base = newBase()
	}
	var attempt http.RoundTripper = m
	if credential != nil {
		if attempt, err = bitbucket.NewTransport(credential, r.apiURL, m); err != nil {
			return nil, err
		}
	}
	// Zero would have Retry take its default; who types it wants no waiting.
	wait := max(r.wait, time.Nanosecond)
	client := &http.Client{Transport: &connector.Retry{Base: attempt, MaxWait: wait, OnWait: onWait, Provider: "Bitbucket"}}
	return bitbucket.New(client, &bitbucket.Options{
		Workspace: r.workspace, APIURL: r.apiURL, Role: r.role, UserAgent: "windlass/" + version(),
	})
}

// checkObject refuses an object that there is not.
func checkObject(name string) error {
	_, err := bitbucket.Describe(name)
	if unknown, ok := windlass.FromProvider(err); ok {
		plain := *unknown
		plain.Op = "" // nobody asked to describe it
		return &plain
	}
	return err
}

// checkWorkspace refuses to go without a workspace where the object has one.
func (r *remote) checkWorkspace() error {
	for _, object := range bitbucket.Objects() {
		if object.Name == r.object && object.Workspace && r.workspace == "" {
			return invalidf("%s belong to a workspace, and none was named; name it with --workspace or in %s", r.object, envWorkspace)
		}
	}
	return nil
}

// say writes the closing line of a write or a delete.
func (r *remote) say(env *Env, done, id string) {
	switch {
	case r.quiet:
	case r.json:
		tellJSON(env.Stderr, struct {
			Object   string `json:"object"`
			ID       string `json:"id"`
			Done     string `json:"done"`
			Complete bool   `json:"complete"`
		}{r.object, id, done, true})
	default:
		tellf(env.Stderr, "%s: %s %s\n", r.object, done, oneLine(id))
	}
}

// conclude reports an error of a write or a delete as --json wants it.
func (r *remote) conclude(env *Env, err error) error {
	if err == nil || !r.json {
		return err
	}
	figures := closing{Object: r.object}
	figures.fail(err)
	figures.write(env.Stderr)
	return &reported{err}
}
