package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"windlass"
	"windlass/internal/cli/command"
)

type installationOptions struct {
	integration, group, connection string
	config                         string
	skipSampling                   bool
}

func newInstallations(env *command.Env) *cobra.Command {
	n := &noun{
		plural: "installations", singular: "an installation", takes: "ID",
		about: "Integrations as customers have installed them",
		columns: []column{
			{title: "ID", path: "id"},
			{title: "INTEGRATION", path: "integrationId"},
			{title: "GROUP", path: "group.groupRef"},
			{title: "WORKSPACE", path: "connection.providerWorkspaceRef"},
			{title: "HEALTH", path: "healthStatus"},
			{title: "LAST", path: "lastOperationStatus"},
			{title: "CREATED", path: "createTime"},
		},
		details: []column{
			{title: "CONNECTION", path: "connection.id"}, {title: "CONNECTION STATUS", path: "connection.status"}, {title: "REVISION", path: "config.revisionId"}, {title: "CREATED BY", path: "createdBy"},
		},
	}
	var integration, group string
	n.list = func(ctx context.Context, c *client) (string, url.Values, error) {
		segments := []string{"installations"}
		if integration != "" {
			segments = []string{"integrations", integration, "installations"}
		}
		query := url.Values{}
		if group != "" {
			query.Set("groupRef", group)
		}
		path, err := c.inProject(ctx, segments...)
		return path, query, err
	}
	n.show = func(ctx context.Context, c *client, id string) (json.RawMessage, error) {
		found, err := n.among(ctx, c, id, "id")
		if err != nil {
			return nil, err
		}
		path, err := c.inProject(ctx, "integrations", command.Cell(found, "integrationId"), "installations", id, "objects")
		if err != nil {
			return nil, err
		}
		states, err := c.get(ctx, path, nil)
		return with(found, "reads", states.body), err
	}
	n.parts = &parts{"reads", []column{{title: "OBJECT", path: "objectName"}, {title: "READS", path: "status"}, {title: "WHY", path: "reason"}, {title: "FAILURES", path: "failuresInARow"}, {title: "READ TO", path: "readTo"}, {title: "LAST CHECK", path: "lastCheck"}}}
	n.locate = func(ctx context.Context, c *client, id string) (string, error) {
		// Its path names the integration, too, which is tedious to type.
		found, err := n.among(ctx, c, id, "id")
		if err != nil {
			return "", err
		}
		return c.inProject(ctx, "integrations", command.Cell(found, "integrationId"), "installations", id)
	}
	at := &atServer{}
	cmd := n.command(env, at, newCreateInstallation(env, at, n))
	for _, verb := range cmd.Commands() {
		if verb.Name() == "list" {
			verb.Flags().StringVar(&integration, "integration", "", "only those of the integration of this `NAME`")
			verb.Flags().StringVar(&group, "group", "", "only those of the customer of this `REF`")
		}
	}
	return cmd
}

func newCreateInstallation(env *command.Env, at *atServer, n *noun) *cobra.Command {
	opts := &installationOptions{}
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Install an integration for a customer",
		Long: `Install an integration for a customer. Without --config, every object of the
integration is installed with the fields that it requires. --config takes a file
with the content of a config as JSON, or - for standard input.`,
		Example: "  windlass installations create --integration bitbucket --group customer-1",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			made, err := runCreateInstallation(cmd.Context(), env, at, opts)
			if err != nil {
				return err
			}
			return n.print(env.Stdout, at, made)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.integration, "integration", "", "the integration's name (required)")
	flags.StringVar(&opts.group, "group", "", "the customer, by your own `REF` (required)")
	flags.StringVar(&opts.connection, "connection", "", "the `ID` of the connection (default: the customer's only one)")
	flags.StringVar(&opts.config, "config", "", "the content of the config, as JSON in `FILE`")
	flags.BoolVar(&opts.skipSampling, "skip-sampling", false, "do not try to read a record of each object first")
	return cmd
}

func runCreateInstallation(ctx context.Context, env *command.Env, at *atServer, opts *installationOptions) (json.RawMessage, error) {
	c, err := at.dial(env)
	if err != nil {
		return nil, err
	}
	if opts.integration == "" || opts.group == "" {
		return nil, command.Invalidf("--integration and --group are required: what is installed, and for whom")
	}
	content, err := opts.content(ctx, env, c)
	if err != nil {
		return nil, err
	}
	body := map[string]any{"groupRef": opts.group, "config": map[string]any{"content": content}}
	if opts.connection != "" {
		body["connectionId"] = opts.connection
	}
	query := url.Values{}
	if opts.skipSampling {
		query.Set("skipSampling", "true")
	}
	path, err := c.inProject(ctx, "integrations", opts.integration, "installations")
	if err != nil {
		return nil, err
	}
	made, err := c.call(ctx, http.MethodPost, path, query, body)
	return made.body, err
}

// content is the config that was given, or else one that asks for everything
// the integration offers and leaves the rest to its revision.
func (o *installationOptions) content(ctx context.Context, env *command.Env, c *client) (any, error) {
	if o.config != "" {
		data, err := command.FileOrStdin(env, o.config)
		if err != nil {
			return nil, err
		}
		if !json.Valid(data) {
			return nil, command.Invalidf("--config is not JSON")
		}
		return json.RawMessage(data), nil
	}
	path, err := c.inProject(ctx, "integrations", o.integration)
	if err != nil {
		return nil, err
	}
	got, err := c.get(ctx, path, nil)
	if err != nil {
		return nil, err
	}
	var deployed struct {
		Provider       string
		LatestRevision struct{ Content offered }
	}
	if err := got.into(&deployed); err != nil {
		return nil, err
	}
	return deployed.LatestRevision.Content.everything(deployed.Provider)
}

// offered is what a revision offers to install.
type offered struct {
	Read, Write struct {
		Objects []struct{ ObjectName string }
	}
	Proxy struct{ Enabled bool }
}

// everything is the smallest config that installs all of it.
func (o *offered) everything(provider string) (map[string]any, error) {
	content := map[string]any{"provider": provider}
	read, write := map[string]any{}, map[string]any{}
	for _, object := range o.Read.Objects {
		read[object.ObjectName] = map[string]any{
			"objectName": object.ObjectName, "selectedFields": map[string]bool{}, "selectedFieldMappings": map[string]string{},
		}
	}
	for _, object := range o.Write.Objects {
		write[object.ObjectName] = map[string]any{"objectName": object.ObjectName}
	}
	for action, objects := range map[string]map[string]any{"read": read, "write": write} {
		if len(objects) > 0 {
			content[action] = map[string]any{"objects": objects}
		}
	}
	if o.Proxy.Enabled {
		content["proxy"] = map[string]any{"enabled": true}
	}
	if len(content) == 1 {
		return nil, &command.Failure{Kind: windlass.Invalid, Text: "the integration offers nothing to install: deploy one with read, write or proxy"}
	}
	return content, nil
}
