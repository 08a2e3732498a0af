package admin

import (
	"net/http"

	"github.com/spf13/cobra"

	"windlass"
	"windlass/internal/cli/command"
)

type generateOptions struct {
	customer

	oauth bool
}

func newGenerate(env *command.Env, at *atServer, n *noun) *cobra.Command {
	opts := &generateOptions{}
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Create a connection from existing credentials",
		Long: `Create a connection from existing credentials. They come from the
environment, as for windlass read:
  BITBUCKET_TOKEN                          an access token, or
  BITBUCKET_EMAIL + BITBUCKET_API_TOKEN    a person's API token, or
  BITBUCKET_CONNECT_APP_KEY + BITBUCKET_CONNECT_CLIENT_KEY +
  BITBUCKET_CONNECT_SHARED_SECRET          a Connect app

With --oauth, they are OAuth tokens of the provider app's, as JSON on standard
input: {"accessToken":{"token":"…"},"refreshToken":{"token":"…"}}.`,
		Example: "  BITBUCKET_TOKEN=… windlass connections generate --group customer-1 --consumer ann --workspace acme",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := at.dial(env)
			if err != nil {
				return err
			}
			body, err := opts.body()
			if err != nil {
				return err
			}
			if err := opts.credentials(env, body); err != nil {
				return err
			}
			path, err := c.inProject(cmd.Context())
			if err != nil {
				return err
			}
			made, err := c.call(cmd.Context(), http.MethodPost, path+"/connections:generate", nil, body)
			if err != nil {
				return err
			}
			return n.print(env.Stdout, at, made.body)
		},
	}
	opts.bind(cmd)
	cmd.Flags().BoolVar(&opts.oauth, "oauth", false, "OAuth tokens, from standard input")
	return cmd
}

// credentials puts the first complete set of them into the body.
func (o *generateOptions) credentials(env *command.Env, body map[string]any) error {
	if o.oauth {
		tokens, err := command.ReadRecord(env.Stdin)
		if err != nil {
			return err
		}
		body["oauth2AuthorizationCode"] = tokens
		return nil
	}
	sets := []command.CredentialSet{command.TokenSet, command.APITokenSet, command.ConnectSet}
	for i, set := range sets {
		values, missing := set.Read(env.Getenv)
		if len(missing) > 0 {
			continue
		}
		switch i {
		case 0:
			body["apiKey"] = values[0]
		case 1:
			body["basicAuth"] = map[string]string{"username": values[0], "password": values[1]}
		default:
			body["customAuth"] = map[string]string{"appKey": values[0], "clientKey": values[1], "sharedSecret": values[2]}
		}
		return nil
	}
	return &command.Failure{
		Kind: windlass.Unauthorized,
		Text: "no credential to make a connection of: set " + command.TokenSet.String() + ", or " + command.APITokenSet.String() + ", or " +
			command.ConnectSet.String() + ", or give OAuth tokens with --oauth",
	}
}
