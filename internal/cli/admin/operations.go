package admin

import (
	"context"
	"encoding/json"
	"io"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"windlass"
	"windlass/internal/cli/command"
)

// ofInstallation names an installation, by its id or by what one knows of it.
type ofInstallation struct {
	id, group, integration string
}

func (o *ofInstallation) bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.group, "group", "", "the customer, by your own `REF`")
	flags.StringVar(&o.integration, "integration", "", "the integration's `NAME` (default: the customer's only one)")
	flags.StringVar(&o.id, "installation", "", "the installation's `ID`, instead")
}

// find returns the ids of the installation and its integration, and its group.
func (o *ofInstallation) find(ctx context.Context, c *client) (integration, id, group string, err error) {
	if o.id == "" && o.group == "" {
		return "", "", "", command.Invalidf("whose? name a customer with --group, or an installation with --installation")
	}
	segments := []string{"installations"}
	if o.integration != "" {
		segments = []string{"integrations", o.integration, "installations"}
	}
	path, err := c.inProject(ctx, segments...)
	if err != nil {
		return "", "", "", err
	}
	query := url.Values{}
	if o.group != "" {
		query.Set("groupRef", o.group)
	}
	got, err := c.get(ctx, path, query)
	if err != nil {
		return "", "", "", err
	}
	var all, fit []json.RawMessage
	if err := got.into(&all); err != nil {
		return "", "", "", err
	}
	for _, one := range all {
		if o.id == "" || command.Cell(one, "id") == o.id {
			fit = append(fit, one)
		}
	}
	switch len(fit) {
	case 0:
		return "", "", "", &command.Failure{Kind: windlass.NotFound, Text: "there is no such installation: windlass installations list shows them"}
	case 1:
		return command.Cell(fit[0], "integrationId"), command.Cell(fit[0], "id"), command.Cell(fit[0], "group.groupRef"), nil
	default:
		return "", "", "", command.Invalidf("the customer has several integrations installed: name one with --integration")
	}
}

// results are the things of one page.
func (a answer) results() (answer, error) {
	var page struct{ Results json.RawMessage }
	err := a.into(&page)
	return answer{body: page.Results, header: a.header}, err
}

var operationColumns = []column{
	{title: "ID", path: "id"},
	{title: "OBJECT", path: "metadata.objects"},
	{title: "ACTION", path: "actionType"},
	{title: "STATUS", path: "status"},
	{title: "RECORDS", path: "metadata.progress.recordsProcessed"},
	{title: "OF", path: "metadata.progress.recordsEstimatedTotal"},
	{title: "CREATED", path: "createTime"},
	{title: "RESULT", path: "result"},
}

func newOperations(env *command.Env) *cobra.Command {
	n := &noun{plural: "operations", singular: "an operation", takes: "ID", columns: operationColumns}
	n.locate = func(ctx context.Context, c *client, id string) (string, error) {
		return c.inProject(ctx, "operations", id)
	}
	n.list = func(context.Context, *client) (string, url.Values, error) {
		return "", nil, command.Invalidf("an installation's operations are listed with: windlass operations list --group REF")
	}
	at := &atServer{}
	cmd := &cobra.Command{
		Use: "operations", Short: "List and inspect reads and writes", Long: "List and inspect reads and writes: their status and their logs.",
		GroupID: command.GroupServer, Args: command.NoCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	at.bind(cmd)
	cmd.AddCommand(newListOperations(env, at), n.newGet(env, at), newOperationLogs(env, at, n))
	return cmd
}

func newListOperations(env *command.Env, at *atServer) *cobra.Command {
	of, object, status, page := &ofInstallation{}, "", "", &paging{}
	cmd := &cobra.Command{
		Use: "list", Short: "List the operations of an installation, the latest first", Args: cobra.NoArgs,
		Example: "  windlass operations list --group customer-1 --status failure",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := at.dial(env)
			if err != nil {
				return err
			}
			integration, id, _, err := of.find(cmd.Context(), c)
			if err != nil {
				return err
			}
			path, err := c.inProject(cmd.Context(), "integrations", integration, "installations", id, "operations")
			if err != nil {
				return err
			}
			return at.list(cmd.Context(), env, c, page, path, filled("objectName", object, "status", status), operationColumns)
		},
	}
	of.bind(cmd)
	page.bind(cmd)
	cmd.Flags().StringVar(&object, "object", "", "only those of this object")
	cmd.Flags().StringVar(&status, "status", "", "only those that are in_progress, success or failure")
	command.CompleteFlag(cmd, "status", windlass.OperationRunning, windlass.OperationSuccess, windlass.OperationFailure)
	return cmd
}

// filled is a query of the pairs whose value is not empty.
func filled(pairs ...string) url.Values {
	query := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			query.Set(pairs[i], pairs[i+1])
		}
	}
	return query
}

func newOperationLogs(env *command.Env, at *atServer, n *noun) *cobra.Command {
	var follow bool
	cmd := n.onOne(env, at, "logs", "Show the log of an operation", func(cmd *cobra.Command, c *client, id string) error {
		return followLog(cmd.Context(), env.Stdout, at, c, id, follow)
	})
	cmd.Flags().BoolVar(&follow, "follow", false, "go on until the operation has ended")
	return cmd
}

// betweenLooks is how long to wait before looking again.
const betweenLooks = 500 * time.Millisecond

// followLog prints a log, and what is added to it while the operation goes on.
func followLog(ctx context.Context, w io.Writer, at *atServer, c *client, id string, follow bool) error {
	path, err := c.inProject(ctx, "operations", id)
	if err != nil {
		return err
	}
	for printed := 0; ; {
		// Whether it has ended first: what is said at the end is in the log by then.
		operation, err := c.get(ctx, path, nil)
		if err != nil {
			return err
		}
		got, err := c.get(ctx, path+"/logs", nil)
		if err != nil {
			return err
		}
		var lines []json.RawMessage
		if err := got.into(&lines); err != nil {
			return err
		}
		for ; printed < len(lines); printed++ {
			if at.json {
				if err := command.PrintBytes(w, lines[printed]); err != nil {
					return err
				}
				continue
			}
			line := lines[printed]
			command.Tellf(w, "%s  %-7s  %s\n", command.Cell(line, "timestamp"), command.Cell(line, "severity"), command.Cell(line, "message.msg"))
		}
		if !follow || command.Cell(operation.body, "status") != windlass.OperationRunning {
			return nil
		}
		if err := pauseFor(ctx, betweenLooks); err != nil {
			return err
		}
	}
}

// pauseFor waits, unless it is interrupted.
func pauseFor(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return &command.Failure{Kind: windlass.Canceled, Text: "interrupted"}
	}
}
