package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"windlass/internal/cli/command"
)

func newTrigger(env *command.Env) *cobra.Command {
	at, of := &atServer{}, &ofInstallation{}
	var since, until string
	var follow bool
	cmd := &cobra.Command{
		Use: "trigger OBJECT", Short: "Read an object of a customer now", GroupID: command.GroupServer, Args: command.OneObject,
		Long: `Read an object of a customer now, whatever its schedule. Without --since everything
is read. The records go to the object's destination; what is printed is the
operation.`,
		Example: "  windlass trigger repositories --group customer-1 --since 24h --follow",
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			c, err := at.dial(env)
			if err != nil {
				return err
			}
			body := map[string]string{"mode": "async"}
			for flag, text := range map[string]string{"since": since, "until": until} {
				when, err := command.ParseWhen(flag, text, env.Now())
				if err != nil {
					return err
				}
				if !when.IsZero() {
					body[flag+"Timestamp"] = when.Format(time.RFC3339Nano)
				}
			}
			integration, _, group, err := of.find(ctx, c)
			if err != nil {
				return err
			}
			body["groupRef"] = group
			path, err := c.inProject(ctx, "integrations", integration, "objects", args[0])
			if err != nil {
				return err
			}
			begun, err := c.call(ctx, http.MethodPost, path, nil, body)
			if err != nil {
				return err
			}
			if !follow {
				return at.printOne(env.Stdout, begun.body, []column{{title: "OPERATION", path: "operationId"}})
			}
			return followLog(ctx, env.Stdout, at, c, command.Cell(begun.body, "operationId"), true)
		},
	}
	at.bind(cmd)
	of.bind(cmd)
	cmd.ValidArgsFunction = command.CompleteObjects
	flags := cmd.Flags()
	flags.StringVar(&since, "since", "", "only records that changed at `TIME` or later: 2026-01-31T15:04:05Z, 2026-01-31 (UTC), or how long ago as 24h or 7d")
	flags.StringVar(&until, "until", "", "only records that changed before `TIME`")
	flags.BoolVar(&follow, "follow", false, "show the log until the read has ended")
	return cmd
}

func newPause(env *command.Env) *cobra.Command {
	return newPausing(env, "pause", "Pause the reads of a customer", `Pause the reads of a customer: of the objects that are named, or of all. A read that
is under way stops after its page, and goes on from there when the pause ends.`)
}

func newUnpause(env *command.Env) *cobra.Command {
	return newPausing(env, "unpause", "End the pause of a customer's reads", `End the pause of a customer's reads: of the objects that are named, or of all. What
changed meanwhile is read at once.`)
}

func newPausing(env *command.Env, verb, short, long string) *cobra.Command {
	at, of := &atServer{}, &ofInstallation{}
	var note string
	cmd := &cobra.Command{
		Use: verb + " [OBJECT...]", Short: short, Long: long, GroupID: command.GroupServer,
		Example: "  windlass " + verb + " repositories --group customer-1",
		RunE: func(cmd *cobra.Command, objects []string) error {
			c, err := at.dial(env)
			if err != nil {
				return err
			}
			body := map[string]any{}
			if len(objects) > 0 {
				body["objects"] = objects
			}
			if note != "" {
				body["note"] = note
			}
			path, err := of.path(cmd.Context(), c)
			if err != nil {
				return err
			}
			if _, err := c.call(cmd.Context(), http.MethodPost, path+":"+verb, nil, body); err != nil {
				return err
			}
			if at.json {
				return command.WriteJSON(env.Stdout, map[string]any{"done": verb, "objects": append([]string{}, objects...)})
			}
			command.Tellf(env.Stderr, "%sd\n", verb)
			return nil
		},
	}
	at.bind(cmd)
	of.bind(cmd)
	if verb == "pause" {
		cmd.Flags().StringVar(&note, "note", "", "why, shown with the pause")
	}
	return cmd
}

// path is where the installation is.
func (o *ofInstallation) path(ctx context.Context, c *client) (string, error) {
	integration, id, _, err := o.find(ctx, c)
	if err != nil {
		return "", err
	}
	return c.inProject(ctx, "integrations", integration, "installations", id)
}
