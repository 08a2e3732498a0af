package workspace

import (
	"context"

	"github.com/spf13/cobra"

	"windlass/connector"
	"windlass/internal/cli/command"
)

type deleteOptions struct {
	remote

	id  string
	yes bool
}

func newDelete(env *command.Env) *cobra.Command {
	opts := &deleteOptions{}
	cmd := &cobra.Command{
		Use:     "delete OBJECT",
		Short:   "Delete a record",
		Example: "  windlass delete projects --workspace acme --id '{0e3f…}'",
		Args:    command.OneObject,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.object = args[0]
			return opts.conclude(env, runDelete(cmd.Context(), env, opts))
		},
	}
	opts.bind(cmd, env)
	cmd.Flags().StringVar(&opts.id, "id", "", "the record's id (required)")
	cmd.Flags().BoolVarP(&opts.yes, "yes", "y", false, "do not ask")
	return cmd
}

func runDelete(ctx context.Context, env *command.Env, opts *deleteOptions) error {
	bitbucket, err := opts.connect(env, &meter{}, nil)
	if err != nil {
		return err
	}
	if opts.id == "" {
		return command.Invalidf("delete which record? name it with --id")
	}
	where := ""
	if opts.workspace != "" {
		where = " of workspace " + opts.workspace
	}
	if err := command.Confirm(env, opts.yes, "Delete "+opts.object+" "+opts.id+where); err != nil {
		return err
	}
	if err := bitbucket.Delete(ctx, connector.DeleteRequest{Object: opts.object, ID: opts.id}); err != nil {
		return err
	}
	opts.say(env, "deleted", opts.id)
	return nil
}
