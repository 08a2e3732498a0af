package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"windlass/internal/cli/command"
)

type destinationOptions struct {
	name, url string
	headers   []string
}

func newDestinations(env *command.Env) *cobra.Command {
	n := &noun{
		plural: "destinations", singular: "a destination", takes: "NAME",
		about:   "Where records and notifications are sent",
		columns: []column{{title: "NAME", path: "name"}, {title: "URL", path: "metadata.url"}, {title: "ID", path: "id"}, {title: "CREATED", path: "createTime"}},
		details: []column{
			{title: "HEADERS", path: "metadata.headers"},
			{title: "SIGNING SECRET", path: "secrets.webhookSigningKey"},
			{title: "DISABLED", path: "health.disabled"},
			{title: "WHY", path: "health.reason"},
			{title: "DISABLED AT", path: "health.disabledTime"},
			{title: "DISABLED BY", path: "health.disabledBy"},
			{title: "FAILING SINCE", path: "health.failingSince"},
			{title: "HELD UNTIL", path: "health.heldUntil"},
		},
	}
	n.in("destinations")
	at := &atServer{}
	var secrets bool
	cmd := n.command(env, at, newCreateDestination(env, at, n), newUpdateDestination(env, at, n), newRotateDestination(env, at, n))
	for verb, short := range map[string]string{"enable": "Send to a destination again: what has waited goes out", "disable": "Keep everything for a destination until it is enabled"} {
		cmd.AddCommand(n.onOne(env, at, verb, short, func(cmd *cobra.Command, c *client, name string) error {
			path, err := n.locate(cmd.Context(), c, name)
			if err != nil {
				return err
			}
			health, err := c.call(cmd.Context(), http.MethodPost, path+":"+verb, nil, nil)
			if err != nil {
				return err
			}
			return at.printOne(env.Stdout, health.body, []column{{title: "DISABLED", path: "disabled"}, {title: "WHY", path: "reason"}})
		}))
	}
	n.show = func(ctx context.Context, c *client, name string) (json.RawMessage, error) {
		query := url.Values{}
		if secrets {
			query.Set("includeSecrets", "true")
		}
		found, err := showDestination(ctx, c, n, name, query)
		if err != nil {
			return nil, err
		}
		path, err := n.locate(ctx, c, name)
		if err != nil {
			return nil, err
		}
		health, err := c.get(ctx, path+"/health", nil)
		return with(found, "health", health.body), err
	}
	for _, verb := range cmd.Commands() {
		if verb.Name() == "get" {
			verb.Flags().BoolVar(&secrets, "secrets", false, "show the secret that signs what is sent, too")
		}
	}
	return cmd
}

func showDestination(ctx context.Context, c *client, n *noun, name string, query url.Values) (json.RawMessage, error) {
	path, err := n.locate(ctx, c, name)
	if err != nil {
		return nil, err
	}
	got, err := c.get(ctx, path, query)
	return got.body, err
}

func (o *destinationOptions) bind(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.url, "url", "", "the address that is sent to")
	cmd.Flags().StringArrayVar(&o.headers, "header", nil, "a header to send along, as `NAME=VALUE` (may be repeated)")
}

// metadata is what was typed of a destination's address.
func (o *destinationOptions) metadata() (map[string]any, error) {
	metadata := map[string]any{}
	if o.url != "" {
		metadata["url"] = o.url
	}
	headers := map[string]string{}
	for _, header := range o.headers {
		name, value, found := strings.Cut(header, "=")
		if !found || name == "" {
			return nil, command.Invalidf("--header is not NAME=VALUE")
		}
		headers[name] = value
	}
	if len(headers) > 0 {
		metadata["headers"] = headers
	}
	return metadata, nil
}

func newCreateDestination(env *command.Env, at *atServer, n *noun) *cobra.Command {
	opts := &destinationOptions{}
	cmd := &cobra.Command{
		Use:     "create NAME",
		Short:   "Create a destination",
		Example: "  windlass destinations create bitbucketWebhook --url https://product.example.com/hooks",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return command.Invalidf("a destination has one name: windlass destinations create NAME --url URL")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := at.dial(env)
			if err != nil {
				return err
			}
			if opts.url == "" {
				return command.Invalidf("--url is required: the address that is sent to")
			}
			metadata, err := opts.metadata()
			if err != nil {
				return err
			}
			path, err := c.inProject(cmd.Context(), "destinations")
			if err != nil {
				return err
			}
			made, err := c.call(cmd.Context(), http.MethodPost, path, nil, map[string]any{"name": args[0], "type": "webhook", "metadata": metadata})
			if err != nil {
				return err
			}
			return n.print(env.Stdout, at, made.body)
		},
	}
	opts.bind(cmd)
	return cmd
}

func newUpdateDestination(env *command.Env, at *atServer, n *noun) *cobra.Command {
	opts := &destinationOptions{}
	cmd := n.onOne(env, at, "update", "Change a destination", func(cmd *cobra.Command, c *client, name string) error {
		metadata, err := opts.metadata()
		if err != nil {
			return err
		}
		changes, mask := map[string]any{}, []string{}
		if opts.name != "" {
			changes["name"], mask = opts.name, append(mask, "name")
		}
		for _, path := range keys(metadata) {
			changes["metadata"], mask = metadata, append(mask, "metadata."+path)
		}
		return n.patch(cmd.Context(), env, at, c, name, map[string]any{"destination": changes}, mask)
	})
	opts.bind(cmd)
	cmd.Flags().StringVar(&opts.name, "name", "", "another name")
	return cmd
}

func newRotateDestination(env *command.Env, at *atServer, n *noun) *cobra.Command {
	return n.onOne(env, at, "rotate", "Give a destination a new signing secret, and show it", func(cmd *cobra.Command, c *client, name string) error {
		found, err := showDestination(cmd.Context(), c, n, name, url.Values{"rotate": {"true"}, "includeSecrets": {"true"}})
		if err != nil {
			return err
		}
		return n.print(env.Stdout, at, found)
	})
}
