package cli

import (
	"bufio"
	"context"
	"strings"

	"github.com/spf13/cobra"

	"windlass"
	"windlass/connector"
)

type deleteOptions struct {
	remote

	id  string
	yes bool
}

func newDelete(env *Env) *cobra.Command {
	opts := &deleteOptions{}
	cmd := &cobra.Command{
		Use:     "delete OBJECT",
		Short:   "Delete a record",
		Example: "  windlass delete projects --workspace acme --id '{0e3f…}'",
		Args:    oneObject,
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

func runDelete(ctx context.Context, env *Env, opts *deleteOptions) error {
	bitbucket, err := opts.connect(env, &meter{}, nil)
	if err != nil {
		return err
	}
	if opts.id == "" {
		return invalidf("delete which record? name it with --id")
	}
	where := ""
	if opts.workspace != "" {
		where = " of workspace " + opts.workspace
	}
	if err := confirm(env, opts.yes, "Delete "+opts.object+" "+opts.id+where); err != nil {
		return err
	}
	if err := bitbucket.Delete(ctx, connector.DeleteRequest{Object: opts.object, ID: opts.id}); err != nil {
		return err
	}
	opts.say(env, "deleted", opts.id)
	return nil
}

// confirm asks the person at the terminal. A script has nobody to ask: it says
// --yes.
func confirm(env *Env, yes bool, what string) error {
	if yes {
		return nil
	}
	if !env.StdinTerminal || !env.StderrTerminal {
		return invalidf("delete does not ask when there is no terminal: confirm with --yes")
	}
	tellf(env.Stderr, "%s for good? [y/N] ", what)
	answer, _ := bufio.NewReader(env.Stdin).ReadString('\n') // no answer is no
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	default:
		return &failure{kind: windlass.Canceled, text: "nothing was deleted"}
	}
}
