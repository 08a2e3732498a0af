package admin

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/spf13/cobra"

	"windlass/internal/cli/command"
	"windlass/manifest"
)

// headerWarning is how a server says what a deploy has left alone: the
// contract's answer has no place for it.
const headerWarning = "X-Windlass-Warning"

type deployOptions struct {
	atServer

	destructive bool
}

func newDeploy(env *command.Env) *cobra.Command {
	opts := &deployOptions{}
	cmd := &cobra.Command{
		Use:   "deploy FILE|DIR",
		Short: "Deploy the integrations of an amp.yaml",
		Long: `Make a server's integrations what a manifest says: a file, the amp.yaml of a
folder, or - for standard input. It may be repeated: what says the same as before
keeps its revision.

An object that the manifest no longer has is not offered to new installations.
Those that read it go on, unless --destructive is given, which disables their reads
of it. A later deploy that has the object again enables what was disabled so. No
deploy deletes an integration: see windlass integrations delete.`,
		Example: "  windlass deploy amp.yaml",
		GroupID: command.GroupServer,
		Args:    oneManifest,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDeploy(cmd.Context(), env, opts, args[0])
		},
		ValidArgsFunction: command.CompleteYAML,
	}
	opts.bind(cmd)
	cmd.Flags().BoolVar(&opts.destructive, "destructive", false, "disable the reads of objects that the manifest no longer has")
	return cmd
}

func runDeploy(ctx context.Context, env *command.Env, opts *deployOptions, name string) error {
	c, err := opts.dial(env)
	if err != nil {
		return err
	}
	file, text, err := readManifest(env, name)
	if err != nil {
		return err
	}
	path, err := c.inProject(ctx)
	if err != nil {
		return err
	}
	before, err := c.deployed(ctx, path)
	if err != nil {
		return err
	}
	query := url.Values{}
	if opts.destructive {
		query.Set("destructive", "true")
	}
	done, err := c.call(ctx, http.MethodPut, path+"/integrations:batch", query, map[string]string{"sourceYaml": string(text)})
	if err != nil {
		return tellRefused(env, file, err, opts.json)
	}
	for _, warning := range done.header.Values(headerWarning) {
		command.Tellf(env.Stderr, "warning: %s\n", command.OneLine(warning))
	}
	if opts.json {
		return command.PrintBytes(env.Stdout, done.body)
	}
	after, err := c.deployed(ctx, path)
	if err != nil {
		return err
	}
	var deployed []integration
	if err := done.into(&deployed); err != nil {
		return err
	}
	return printDeployed(env, before, after, deployed)
}

// integration is what a deploy looks at of one.
type integration struct {
	Name           string
	LatestRevision struct {
		ID      string
		Content json.RawMessage
	}
}

// deployed lists the integrations that there are.
func (c *client) deployed(ctx context.Context, path string) ([]integration, error) {
	got, err := c.get(ctx, path+"/integrations", nil)
	if err != nil {
		return nil, err
	}
	var all []integration
	return all, got.into(&all)
}

// tellRefused prints the mistakes that a server has found in a manifest like
// those that validate finds.
func tellRefused(env *command.Env, file string, err error, asJSON bool) error {
	refused, ok := errors.AsType[*command.Refusal](err)
	if !ok {
		return err
	}
	var problems manifest.Problems
	for _, issue := range refused.Problem.Issues {
		if issue.Context.Line > 0 {
			problems = append(problems, manifest.Problem{
				File: file, Line: issue.Context.Line, Column: issue.Context.Column, Message: issue.Detail, Remedy: issue.Remedy,
			})
		}
	}
	if len(problems) == 0 || asJSON {
		return err
	}
	tellProblems(env, problems)
	return &command.Failure{Kind: refused.Kind, Text: "nothing was deployed: " + file + " has " + command.Counted(len(problems), "mistake")}
}

// printDeployed says of each integration what became of it.
func printDeployed(env *command.Env, before, after, deployed []integration) error {
	named := func(name string) func(integration) bool {
		return func(one integration) bool { return one.Name == name }
	}
	table := command.NewTable(env.Stdout, "INTEGRATION", "CHANGE", "REVISION", "READS", "WRITES")
	for _, one := range deployed {
		change := "unchanged"
		switch i := slices.IndexFunc(before, named(one.Name)); {
		case i < 0:
			change = "created"
		case before[i].LatestRevision.ID != one.LatestRevision.ID:
			change = "updated"
		}
		content := one.LatestRevision.Content
		table.Row(one.Name, change, one.LatestRevision.ID,
			command.Dash(command.Cell(content, "read.objects.objectName")), command.Dash(command.Cell(content, "write.objects.objectName")))
	}
	for _, one := range before {
		if !slices.ContainsFunc(after, named(one.Name)) {
			table.Row(one.Name, "deleted", "-", "-", "-")
		}
	}
	return table.Flush()
}
