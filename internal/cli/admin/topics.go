package admin

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/spf13/cobra"

	"windlass"
	"windlass/internal/cli/command"
)

func newTopics(env *command.Env) *cobra.Command {
	n := &noun{
		plural: "topics", singular: "a topic", takes: "NAME", about: "Route events to topics, and topics to destinations",
		columns: []column{{title: "NAME", path: "name"}, {title: "ID", path: "id"}, {title: "CREATED", path: "createTime"}},
	}
	n.in("topics")
	n.show = func(ctx context.Context, c *client, name string) (json.RawMessage, error) {
		return n.among(ctx, c, name, "name", "id")
	}
	at := &atServer{}
	return n.command(env, at, newCreateTopic(env, at, n), newRouteTopic(env, at, n))
}

func newCreateTopic(env *command.Env, at *atServer, n *noun) *cobra.Command {
	return &cobra.Command{
		Use: "create NAME", Short: "Create a topic", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := at.dial(env)
			if err != nil {
				return err
			}
			path, err := c.inProject(cmd.Context(), "topics")
			if err != nil {
				return err
			}
			made, err := c.call(cmd.Context(), http.MethodPost, path, nil, map[string]string{"name": args[0]})
			if err != nil {
				return err
			}
			return n.print(env.Stdout, at, made.body)
		},
	}
}

func newRouteTopic(env *command.Env, at *atServer, n *noun) *cobra.Command {
	var events, destinations []string
	cmd := n.onOne(env, at, "route", "Lead events to a topic, and it to destinations", func(cmd *cobra.Command, c *client, name string) error {
		if len(events)+len(destinations) == 0 {
			return command.Invalidf("what leads where? say --event or --destination")
		}
		for _, leg := range []struct {
			collection, key string
			values          []string
		}{{"notification-event-topic-routes", "eventType", events}, {"topic-destination-routes", "destinationId", destinations}} {
			for _, value := range leg.values {
				path, err := c.inProject(cmd.Context(), leg.collection)
				if err != nil {
					return err
				}
				made, err := c.call(cmd.Context(), http.MethodPost, path, nil, map[string]string{"topicId": name, leg.key: value})
				if err != nil {
					return err
				}
				if err := at.printOne(env.Stdout, made.body, []column{{title: "ROUTE", path: "id"}, {title: "EVENT", path: "eventType"}, {title: "DESTINATION", path: "destinationId"}}); err != nil {
					return err
				}
			}
		}
		return nil
	})
	cmd.Example = "  windlass topics route alerts --event connection.error --event read.schedule.paused --destination opsWebhook"
	cmd.Flags().StringArrayVar(&events, "event", nil, "an event, as read.backfill.done (may be repeated)")
	command.CompleteFlag(cmd, "event", windlass.Events()...)
	cmd.Flags().StringArrayVar(&destinations, "destination", nil, "a destination's `NAME` (may be repeated)")
	return cmd
}
