package admin

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"windlass"
	"windlass/internal/cli/command"
)

func newIntegrations(env *command.Env) *cobra.Command {
	n := &noun{
		plural: "integrations", singular: "an integration", takes: "NAME",
		about: "Deployed integrations: the entries of amp.yaml",
		columns: []column{
			{title: "NAME", path: "name"}, {title: "PROVIDER", path: "provider"}, {title: "REVISION", path: "latestRevision.id"}, {title: "DEPLOYED", path: "latestRevision.createTime"}, {title: "ID", path: "id"},
		},
		details: []column{
			{title: "READS", path: "latestRevision.content.read.objects.objectName"},
			{title: "WRITES", path: "latestRevision.content.write.objects.objectName"},
			{title: "CREATED", path: "createTime"},
		},
	}
	n.in("integrations")
	n.belongs = &belonging{flag: "uninstall", usage: "delete the installations, too", find: installationsOf}
	return n.command(env, &atServer{}, deployHint())
}

// A belonging is what is deleted together with something.
type belonging struct {
	flag, usage string
	confirmed   bool
	// find names them, the first of many; none: nothing belongs to it.
	find func(ctx context.Context, c *client, path string) ([]string, error)
}

// alsoDeleted says what goes with one thing. Without the flag that confirms it that
// is an error.
func (n *noun) alsoDeleted(ctx context.Context, c *client, path, name string) (string, error) {
	if n.belongs == nil {
		return "", nil
	}
	found, err := n.belongs.find(ctx, c, path)
	if err != nil || len(found) == 0 {
		return "", err
	}
	if !n.belongs.confirmed {
		return "", &command.Failure{Kind: windlass.Conflict, Text: fmt.Sprintf("%s is installed for %s: uninstall it first, or delete the installations with it: --%s",
			name, strings.Join(found, ", "), n.belongs.flag)}
	}
	return " and its installations for " + strings.Join(found, ", "), nil
}

// installationsOf names the groups that an integration is installed for.
func installationsOf(ctx context.Context, c *client, path string) ([]string, error) {
	const shown = 5
	got, err := c.get(ctx, path+"/installations", url.Values{"pageSize": {strconv.Itoa(shown + 1)}})
	if err != nil {
		return nil, err
	}
	var some []struct{ Group struct{ GroupRef string } }
	if err := got.into(&some); err != nil {
		return nil, err
	}
	names := make([]string, 0, len(some))
	for i := range some {
		if i == shown {
			names = append(names, "others")
			break
		}
		names = append(names, strconv.Quote(some[i].Group.GroupRef))
	}
	return names, nil
}

// deployHint points those who look for "create" here to deploy.
func deployHint() *cobra.Command {
	return &cobra.Command{
		Use:    "create",
		Short:  "See windlass deploy",
		Hidden: true,
		RunE: func(*cobra.Command, []string) error {
			return command.Invalidf("integrations come from a manifest: windlass deploy FILE")
		},
	}
}
