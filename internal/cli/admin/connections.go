package admin

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"windlass"
	"windlass/internal/cli/command"
)

// customer says for whom a connection is made, and to which workspace.
type customer struct {
	group, groupName, consumer, consumerName string
	workspace, provider, app                 string
}

func newConnections(env *command.Env) *cobra.Command {
	n := &noun{
		plural: "connections", singular: "a connection", takes: "ID",
		about: "Customers' workspaces, with the credentials for them",
		columns: []column{
			{title: "ID", path: "id"},
			{title: "WORKSPACE", path: "providerWorkspaceRef"},
			{title: "GROUP", path: "group.groupRef"},
			{title: "CONSUMER", path: "consumer.consumerRef"},
			{title: "STATUS", path: "status"},
			{title: "CREATED", path: "createTime"},
		},
		details: []column{{title: "AUTH", path: "authScheme"}, {title: "PROVIDER", path: "provider"}, {title: "PROVIDER APP", path: "providerApp.id"}, {title: "UPDATED", path: "updateTime"}},
	}
	n.in("connections")
	only := url.Values{}
	list := n.list
	filters := map[string]*string{"groupRef": new(string), "consumerRef": new(string), "provider": new(string)}
	n.list = func(ctx context.Context, c *client) (string, url.Values, error) {
		for name, value := range filters {
			if *value != "" {
				only.Set(name, *value)
			}
		}
		path, _, err := list(ctx, c)
		return path, only, err
	}
	at := &atServer{}
	cmd := n.command(env, at, newConnectURL(env, at), newGenerate(env, at, n), newRefresh(env, at, n))
	for _, verb := range cmd.Commands() {
		if verb.Name() == "list" {
			verb.Flags().StringVar(filters["groupRef"], "group", "", "only those of the customer of this `REF`")
			verb.Flags().StringVar(filters["consumerRef"], "consumer", "", "only those of the person of this `REF`")
			verb.Flags().StringVar(filters["provider"], "provider", "", "only those of this provider")
		}
	}
	return cmd
}

func (o *customer) bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.group, "group", "", "the customer, by your own `REF` (required)")
	flags.StringVar(&o.groupName, "group-name", "", "the customer's name, for people")
	flags.StringVar(&o.consumer, "consumer", "", "the person at the customer, by your own `REF` (required)")
	flags.StringVar(&o.consumerName, "consumer-name", "", "the person's name, for people")
	flags.StringVarP(&o.workspace, "workspace", "w", "", "the workspace's slug (required)")
	flags.StringVar(&o.provider, "provider", theProvider, "whose workspace it is")
	flags.StringVar(&o.app, "provider-app", "", "the `ID` of the provider app (default: the only one)")
}

// body is what was typed, in the contract's words.
func (o *customer) body() (map[string]any, error) {
	var missing []string
	for _, required := range []struct{ flag, value string }{
		{"--group", o.group}, {"--consumer", o.consumer}, {"--workspace", o.workspace},
	} {
		if required.value == "" {
			missing = append(missing, required.flag)
		}
	}
	if len(missing) > 0 {
		return nil, command.Invalidf("%s required: who connects which workspace", strings.Join(missing, ", ")+map[bool]string{true: " is", false: " are"}[len(missing) == 1])
	}
	body := map[string]any{}
	for name, value := range map[string]string{
		"groupRef": o.group, "groupName": o.groupName, "consumerRef": o.consumer, "consumerName": o.consumerName,
		"providerWorkspaceRef": o.workspace, "provider": o.provider, "providerAppId": o.app,
	} {
		if value != "" {
			body[name] = value
		}
	}
	return body, nil
}

func newConnectURL(env *command.Env, at *atServer) *cobra.Command {
	opts := &customer{}
	cmd := &cobra.Command{
		Use:   "url",
		Short: "Start a consent, and print the URL to open in a browser",
		Long: `Start a consent, and print the URL at which the customer grants it. The URL can be
used once, within a few minutes.`,
		Example: "  windlass connections url --group customer-1 --consumer ann --workspace acme",
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
			if _, err := c.inProject(cmd.Context()); err != nil { // it is named in the body
				return err
			}
			body["projectIdOrName"] = c.project
			got, err := c.call(cmd.Context(), http.MethodPost, to("oauth-connect"), nil, body)
			if err != nil {
				return err
			}
			address := strings.TrimSpace(string(got.body))
			if at.json {
				return command.WriteJSON(env.Stdout, map[string]string{"url": address})
			}
			_, err = fmt.Fprintln(env.Stdout, address)
			return err
		},
	}
	opts.bind(cmd)
	return cmd
}

func newRefresh(env *command.Env, at *atServer, n *noun) *cobra.Command {
	var force bool
	cmd := n.onOne(env, at, "refresh", "Refresh a connection's access token, if it is about to expire", func(cmd *cobra.Command, c *client, id string) error {
		path, err := n.locate(cmd.Context(), c, id)
		if err != nil {
			return err
		}
		how := "ifExpired"
		if force {
			how = "force"
		}
		got, err := c.get(cmd.Context(), path, url.Values{"refresh": {how}})
		if err != nil {
			return err
		}
		if err := n.print(env.Stdout, at, got.body); err != nil {
			return err
		}
		if command.Cell(got.body, "status") == string(windlass.ConnectionBad) {
			return &command.Failure{Kind: windlass.NeedsReconnect, Text: "the customer has to connect again: windlass connections url begins that"}
		}
		return nil
	})
	cmd.Flags().BoolVar(&force, "force", false, "even if it is good for long, or the connection is waiting for something")
	return cmd
}
