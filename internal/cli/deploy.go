package cli

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/spf13/cobra"

	"windlass/manifest"
)

// headerWarning is how a server says what a deploy has left alone: the
// contract's answer has no place for it.
const headerWarning = "X-Windlass-Warning"

type deployOptions struct {
	atServer

	destructive bool
}

func newDeploy(env *Env) *cobra.Command {
	opts := &deployOptions{}
	cmd := &cobra.Command{
		Use:   "deploy FILE|DIR",
		Short: "Make a server's integrations what an amp.yaml says",
		Long: `Make a server's integrations what a manifest says: a file, the amp.yaml of a
folder, or - for standard input. It may be repeated: what says the same as before
keeps its revision.

An object that the manifest no longer has is not offered to new installations.
Those that read it go on, unless --destructive is given, which disables their reads
of it. A later deploy that has the object again enables what was disabled so. No
deploy deletes an integration: see windlass integrations delete.`,
		Example: "  windlass deploy amp.yaml",
		GroupID: groupServer,
		Args:    oneManifest,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDeploy(cmd.Context(), env, opts, args[0])
		},
		ValidArgsFunction: completeManifest,
	}
	opts.bind(cmd)
	cmd.Flags().BoolVar(&opts.destructive, "destructive", false, "disable the reads of objects that the manifest no longer has")
	return cmd
}

func runDeploy(ctx context.Context, env *Env, opts *deployOptions, name string) error {
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
		tellf(env.Stderr, "warning: %s\n", oneLine(warning))
	}
	if opts.json {
		return printBytes(env.Stdout, done.body)
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
func tellRefused(env *Env, file string, err error, asJSON bool) error {
	refused, ok := errors.AsType[*refusal](err)
	if !ok {
		return err
	}
	var problems manifest.Problems
	for _, issue := range refused.problem.Issues {
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
	return &failure{kind: refused.kind, text: "nothing was deployed: " + file + " has " + counted(len(problems), "mistake")}
}

// printDeployed says of each integration what became of it.
func printDeployed(env *Env, before, after, deployed []integration) error {
	named := func(name string) func(integration) bool {
		return func(one integration) bool { return one.Name == name }
	}
	table := newTable(env.Stdout, "INTEGRATION", "CHANGE", "REVISION", "READS", "WRITES")
	for _, one := range deployed {
		change := "unchanged"
		switch i := slices.IndexFunc(before, named(one.Name)); {
		case i < 0:
			change = "created"
		case before[i].LatestRevision.ID != one.LatestRevision.ID:
			change = "updated"
		}
		content := one.LatestRevision.Content
		table.row(one.Name, change, one.LatestRevision.ID,
			dash(cell(content, "read.objects.objectName")), dash(cell(content, "write.objects.objectName")))
	}
	for _, one := range before {
		if !slices.ContainsFunc(after, named(one.Name)) {
			table.row(one.Name, "deleted", "-", "-", "-")
		}
	}
	return table.Flush()
}
