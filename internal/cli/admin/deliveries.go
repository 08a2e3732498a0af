package admin

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"windlass"
	"windlass/internal/cli/command"
)

var deliveryColumns = []column{
	{title: "ID", path: "id"},
	{title: "DESTINATION", path: "destinationName"},
	{title: "CUSTOMER", path: "groupRef"},
	{title: "KIND", path: "kind"},
	{title: "OBJECT", path: "objectName"},
	{title: "RECORDS", path: "numRecords"},
	{title: "STATUS", path: "status"},
	{title: "ATTEMPTS", path: "attempts"},
	{title: "NEXT", path: "nextAttemptTime"},
	{title: "CREATED", path: "createTime"},
}

type deliveryOptions struct {
	destination, operation, installation, status, since, until string

	follow, failed, body bool
}

func newDeliveries(env *command.Env) *cobra.Command {
	n := &noun{plural: "deliveries", singular: "a delivery", takes: "ID", columns: deliveryColumns}
	opts := &deliveryOptions{}
	n.list = func(ctx context.Context, c *client) (string, url.Values, error) {
		path, err := c.inProject(ctx, "deliveries")
		return path, nil, err
	}
	n.locate = func(ctx context.Context, c *client, id string) (string, error) {
		return c.inProject(ctx, "deliveries", id)
	}
	at := &atServer{}
	cmd := &cobra.Command{
		Use: "deliveries", Short: "List, inspect and replay deliveries", Long: "List, inspect and replay the messages sent to destinations: their status, the attempts to deliver them, and delivering them again.",
		GroupID: command.GroupServer, Args: command.NoCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	at.bind(cmd)
	cmd.AddCommand(newListDeliveries(env, at, opts), newGetDelivery(env, at, n, opts), newReplay(env, at))
	return cmd
}

func newListDeliveries(env *command.Env, at *atServer, opts *deliveryOptions) *cobra.Command {
	page := &paging{}
	cmd := &cobra.Command{
		Use: "list", Short: "List messages, the newest first", Args: cobra.NoArgs,
		Example: "  windlass deliveries list --destination bitbucketWebhook --status failed",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := at.dial(env)
			if err != nil {
				return err
			}
			query, err := opts.query(env.Now())
			if err != nil {
				return err
			}
			path, err := c.inProject(cmd.Context(), "deliveries")
			if err != nil {
				return err
			}
			if opts.follow {
				return followDeliveries(cmd.Context(), env, at, c, path, query)
			}
			return at.list(cmd.Context(), env, c, page, path, query, deliveryColumns)
		},
	}
	page.bind(cmd)
	flags := cmd.Flags()
	flags.StringVar(&opts.destination, "destination", "", "only those to the destination of this `NAME`")
	flags.StringVar(&opts.operation, "operation", "", "only those of the operation of this `ID`")
	flags.StringVar(&opts.installation, "installation", "", "only those of the installation of this `ID`")
	flags.StringVar(&opts.status, "status", "", "only those that are pending, delivered or failed")
	command.CompleteFlag(cmd, "status", windlass.BatchPending, windlass.BatchDelivered, windlass.BatchFailed)
	flags.StringVar(&opts.since, "since", "", "only those made at `TIME` or later")
	flags.StringVar(&opts.until, "until", "", "only those made before `TIME`")
	flags.BoolVar(&opts.follow, "follow", false, "go on with those that are made from now on, until interrupted")
	return cmd
}

// query is what the list is asked for.
func (o *deliveryOptions) query(now time.Time) (url.Values, error) {
	query := filled("destination", o.destination, "operationId", o.operation, "installationId", o.installation, "status", o.status)
	for flag, text := range map[string]string{"since": o.since, "until": o.until} {
		when, err := command.ParseWhen(flag, text, now)
		if err != nil {
			return nil, err
		}
		if !when.IsZero() {
			query.Set(flag, when.Format(time.RFC3339Nano))
		}
	}
	return query, nil
}

// followDeliveries prints messages as they are made, one a line. Their ids are in
// the order of time.
func followDeliveries(ctx context.Context, env *command.Env, at *atServer, c *client, path string, query url.Values) error {
	query.Set("pageSize", "500")
	for last := ""; ; {
		got, err := c.get(ctx, path, query)
		if err == nil {
			got, err = got.results()
		}
		if err != nil {
			return err
		}
		var all []json.RawMessage
		if err := got.into(&all); err != nil {
			return err
		}
		slices.Reverse(all)
		for _, one := range all {
			if id := command.Cell(one, "id"); id > last {
				last = id
				if at.json {
					if err := command.PrintBytes(env.Stdout, one); err != nil {
						return err
					}
					continue
				}
				command.Tellf(env.Stdout, "%s  %-9s  %s %s  %s\n", command.Cell(one, "createTime"), command.Cell(one, "status"), command.Cell(one, "kind"), command.Cell(one, "objectName"), id)
			}
		}
		if err := pauseFor(ctx, betweenLooks); err != nil {
			return err
		}
	}
}

func newGetDelivery(env *command.Env, at *atServer, n *noun, opts *deliveryOptions) *cobra.Command {
	cmd := n.onOne(env, at, "get", "Show a message, and what was tried", func(cmd *cobra.Command, c *client, id string) error {
		path, err := n.locate(cmd.Context(), c, id)
		if err != nil {
			return err
		}
		query := url.Values{}
		if opts.body {
			query.Set("includeBody", "true")
		}
		got, err := c.get(cmd.Context(), path, query)
		if err != nil {
			return err
		}
		if opts.body && !at.json {
			var one struct{ Body string }
			if err := got.into(&one); err != nil {
				return err
			}
			_, err := io.WriteString(env.Stdout, one.Body)
			return err
		}
		if err := at.printOne(env.Stdout, got.body, append(slices.Clone(deliveryColumns), column{title: "OPERATION", path: "operationId"})); err != nil || at.json {
			return err
		}
		return printTried(env, got)
	})
	cmd.Flags().BoolVar(&opts.body, "body", false, "print the body alone, exactly as it is sent")
	return cmd
}

func printTried(env *command.Env, got answer) error {
	var one struct {
		Tried []json.RawMessage
	}
	if err := got.into(&one); err != nil {
		return err
	}
	if len(one.Tried) > 0 {
		command.Tellf(env.Stdout, "\n")
		table := command.NewTable(env.Stdout, "TIME", "ANSWER", "SECONDS", "ERROR")
		for _, t := range one.Tried {
			table.Row(command.Cell(t, "time"), command.Dash(command.Cell(t, "status")), command.Cell(t, "latencySeconds"), command.Dash(command.Cell(t, "error")))
		}
		return table.Flush()
	}
	return nil
}

func newReplay(env *command.Env, at *atServer) *cobra.Command {
	opts := &deliveryOptions{}
	cmd := &cobra.Command{
		Use: "replay [ID]", Short: "Deliver messages once more, with the same ids and bytes", Args: cobra.MaximumNArgs(1),
		Example: "  windlass deliveries replay --destination bitbucketWebhook --failed --since 24h",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := at.dial(env)
			if err != nil {
				return err
			}
			query, err := opts.query(env.Now())
			if err != nil {
				return err
			}
			body := map[string]any{}
			for name := range query {
				body[name] = query.Get(name)
			}
			segments := append([]string{"deliveries"}, args...)
			if len(args) == 0 {
				if len(body) == 0 && !opts.failed {
					return command.Invalidf("which? name one, or say --destination, --failed or --since")
				}
				body["failed"] = opts.failed
			} else {
				body = nil
			}
			path, err := c.inProject(cmd.Context(), segments...)
			if err != nil {
				return err
			}
			var sent any
			if body != nil {
				sent = body
			}
			got, err := c.call(cmd.Context(), http.MethodPost, path+":replay", nil, sent)
			if err != nil {
				return err
			}
			return at.printOne(env.Stdout, got.body, []column{{title: "REPLAYED", path: "replayed"}})
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.destination, "destination", "", "all to the destination of this `NAME`")
	flags.BoolVar(&opts.failed, "failed", false, "only those that were given up")
	flags.StringVar(&opts.since, "since", "", "only those made at `TIME` or later")
	flags.StringVar(&opts.until, "until", "", "only those made before `TIME`")
	return cmd
}
