package workspace

import (
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"windlass"
	"windlass/bitbucket"
	"windlass/connector"
	"windlass/internal/cli/command"
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

func (r *remote) bind(cmd *cobra.Command, env *command.Env) {
	flags := cmd.Flags()
	flags.StringVarP(&r.workspace, "workspace", "w", "", "the workspace's slug, or its UUID in braces (default $"+command.EnvWorkspace+")")
	flags.StringVar(&r.apiURL, "api-url", "", "where the API is (default $"+command.EnvAPIURL+", else "+bitbucket.DefaultAPIURL+")")
	flags.Var(command.NewSpan(&r.wait, time.Hour), "wait", "the longest to wait, in all, for one request that is rate limited or fails for the moment")
	flags.BoolVarP(&r.quiet, "quiet", "q", false, "no progress and no closing line")
	flags.BoolVar(&r.json, "json", false, "the closing line, or the error, as a JSON object on standard error")
	cmd.ValidArgsFunction = command.CompleteObjects
	cmd.PreRun = func(*cobra.Command, []string) {
		if r.workspace == "" {
			r.workspace = env.Getenv(command.EnvWorkspace)
		}
		if r.apiURL == "" {
			r.apiURL = env.Getenv(command.EnvAPIURL)
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
func (r *remote) connect(env *command.Env, m *meter, onWait func(connector.Wait)) (*bitbucket.Connector, error) {
	if err := checkObject(r.object); err != nil {
		return nil, err // before the credential: a wrong name is the nearer mistake
	}
	if r.quiet && r.json {
		return nil, command.Invalidf("--quiet and --json exclude each other: one says nothing, the other says it all")
	}
	if err := command.CheckAPIURL(r.apiURL); err != nil {
		return nil, err
	}
	if err := r.checkWorkspace(); err != nil {
		return nil, err
	}
	credential, err := command.CredentialFor(r.object, env.Getenv)
	if err != nil {
		return nil, err
	}
	m.stall = env.Stall
	if m.base = env.Base; m.base == nil {
		m.base = command.NewTransport()
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
		Workspace: r.workspace, APIURL: r.apiURL, Role: r.role, UserAgent: "windlass/" + command.Version(),
	})
}

// checkObject refuses an object that there is not.
func checkObject(name string) error {
	_, err := bitbucket.Describe(name)
	if unknown, ok := windlass.FromProvider(err); ok {
		plain := *unknown
		plain.Op = "" // the user did not ask to describe it
		return &plain
	}
	return err
}

// checkWorkspace refuses to go without a workspace where the object has one.
func (r *remote) checkWorkspace() error {
	for _, object := range bitbucket.Objects() {
		if object.Name == r.object && object.Workspace && r.workspace == "" {
			return command.Invalidf("%s belong to a workspace, and none was named; name it with --workspace or in %s", r.object, command.EnvWorkspace)
		}
	}
	return nil
}

// say writes the closing line of a write or a delete.
func (r *remote) say(env *command.Env, done, id string) {
	switch {
	case r.quiet:
	case r.json:
		command.TellJSON(env.Stderr, struct {
			Object   string `json:"object"`
			ID       string `json:"id"`
			Done     string `json:"done"`
			Complete bool   `json:"complete"`
		}{r.object, id, done, true})
	default:
		command.Tellf(env.Stderr, "%s: %s %s\n", r.object, done, command.OneLine(id))
	}
}

// conclude reports an error of a write or a delete as --json wants it.
func (r *remote) conclude(env *command.Env, err error) error {
	if err == nil || !r.json {
		return err
	}
	figures := closing{Object: r.object}
	figures.fail(err)
	figures.write(env.Stderr)
	return &command.Reported{Err: err}
}
