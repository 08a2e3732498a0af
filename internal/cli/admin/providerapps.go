package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/spf13/cobra"

	"windlass"
	"windlass/internal/cli/command"
)

const theProvider = "bitbucket"

type providerAppOptions struct {
	clientID, provider, externalRef string
	scopes                          []string
	hourlyLimit                     int
	newSecret                       bool
}

func newProviderApps(env *command.Env) *cobra.Command {
	n := &noun{
		plural: "provider-apps", singular: "a provider app", takes: "ID",
		about: "OAuth consumers that customers consent to",
		columns: []column{
			{title: "ID", path: "id"}, {title: "PROVIDER", path: "provider"}, {title: "CLIENT ID", path: "clientId"}, {title: "SCOPES", path: "scopes"}, {title: "CREATED", path: "createTime"},
		},
		details: []column{{title: "EXTERNAL REF", path: "externalRef"}, {title: "HOURLY LIMIT", path: "metadata.providerParams.hourlyLimit"}},
	}
	n.in("provider-apps")
	n.show = func(ctx context.Context, c *client, name string) (json.RawMessage, error) {
		return n.among(ctx, c, name, "id", "clientId") // the contract has no operation for a single one
	}
	at := &atServer{}
	return n.command(env, at, newCreateProviderApp(env, at, n), newUpdateProviderApp(env, at, n))
}

func (o *providerAppOptions) bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.clientID, "client-id", "", "the consumer's key")
	flags.StringSliceVar(&o.scopes, "scope", nil, "a scope that the consumer has (may be repeated)")
	flags.IntVar(&o.hourlyLimit, "hourly-limit", 0, "requests an hour that the consumer is allowed (0: the provider's usual number)")
	flags.StringVar(&o.externalRef, "external-ref", "", "the provider's own id of the app")
}

// body is what the server is to know; only what was typed.
func (o *providerAppOptions) body() map[string]any {
	body := map[string]any{}
	for name, value := range map[string]string{"clientId": o.clientID, "externalRef": o.externalRef} {
		if value != "" {
			body[name] = value
		}
	}
	if len(o.scopes) > 0 {
		body["scopes"] = o.scopes
	}
	if o.hourlyLimit > 0 {
		body["metadata"] = map[string]any{"providerParams": map[string]string{"hourlyLimit": strconv.Itoa(o.hourlyLimit)}}
	}
	return body
}

func newCreateProviderApp(env *command.Env, at *atServer, n *noun) *cobra.Command {
	opts := &providerAppOptions{}
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Register an OAuth consumer",
		Long: `Register an OAuth consumer. Its secret is taken from ` + command.EnvClientSecret + `,
or else from standard input: there is no flag for it.`,
		Example: `  windlass provider-apps create --client-id 8kXv2… < secret.txt`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := at.dial(env)
			if err != nil {
				return err
			}
			if opts.clientID == "" {
				return command.Invalidf("--client-id is required: the key of the OAuth consumer")
			}
			secret, err := secretFrom(env, command.EnvClientSecret, "the consumer's secret")
			if err != nil {
				return err
			}
			body := opts.body()
			body["provider"], body["clientSecret"] = opts.provider, secret.Reveal()
			path, err := c.inProject(cmd.Context(), "provider-apps")
			if err != nil {
				return err
			}
			made, err := c.call(cmd.Context(), http.MethodPost, path, nil, body)
			if err != nil {
				return err
			}
			return n.print(env.Stdout, at, made.body)
		},
	}
	opts.bind(cmd)
	cmd.Flags().StringVar(&opts.provider, "provider", theProvider, "whose consumer it is")
	return cmd
}

func newUpdateProviderApp(env *command.Env, at *atServer, n *noun) *cobra.Command {
	opts := &providerAppOptions{}
	cmd := n.onOne(env, at, "update", "Change a provider app", func(cmd *cobra.Command, c *client, id string) error {
		body := opts.body()
		if opts.newSecret {
			secret, err := secretFrom(env, command.EnvClientSecret, "the consumer's new secret")
			if err != nil {
				return err
			}
			body["clientSecret"] = secret.Reveal()
		}
		return n.patch(cmd.Context(), env, at, c, id, map[string]any{"providerApp": body}, keys(body))
	})
	opts.bind(cmd)
	cmd.Flags().BoolVar(&opts.newSecret, "secret", false, "replace the secret by the one in "+command.EnvClientSecret+" or on standard input")
	return cmd
}

// secretFrom takes a secret from a variable of the environment, or else from
// standard input.
func secretFrom(env *command.Env, variable, what string) (windlass.Secret, error) {
	if value := env.Getenv(variable); value != "" {
		return windlass.NewSecret(value), nil
	}
	if env.StdinTerminal {
		command.Tellf(env.Stderr, "Paste %s, and press return:\n", what)
	}
	line, err := command.FirstLine(env.Stdin)
	if err != nil {
		return windlass.Secret{}, command.Internal("standard input", err)
	}
	if line == "" {
		return windlass.Secret{}, &command.Failure{Kind: windlass.Unauthorized, Text: what + " is missing: set " + variable + ", or give it on standard input"}
	}
	return windlass.NewSecret(line), nil
}
