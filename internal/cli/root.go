package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"windlass/internal/cli/admin"
	"windlass/internal/cli/command"
	"windlass/internal/cli/demo"
	"windlass/internal/cli/serve"
	"windlass/internal/cli/try"
	"windlass/internal/cli/workspace"
)

// newRoot puts the commands together. started is set when cobra has accepted
// the command line: errors before that are in how it was typed.
func newRoot(env *command.Env, started *bool) *cobra.Command {
	root := &cobra.Command{
		Use:   "windlass",
		Short: "Connect a product to its customers' Bitbucket Cloud workspaces",
		Long: `Windlass connects a product to its customers' Bitbucket Cloud workspaces. It is a
server, the commands that set one up, and commands that read and write the records
of a single workspace without one.

The commands for a server take its address from WINDLASS_URL (default
` + command.DefaultServer + `), the key from WINDLASS_API_KEY, and the project from
WINDLASS_PROJECT where there are several.

The commands for a workspace take the credential from the environment:
  BITBUCKET_TOKEN                          an access token, or
  BITBUCKET_EMAIL + BITBUCKET_API_TOKEN    a person's API token, or
  BITBUCKET_CONNECT_APP_KEY + BITBUCKET_CONNECT_CLIENT_KEY +
  BITBUCKET_CONNECT_SHARED_SECRET          a Connect app (addon/linkers needs it)

BITBUCKET_WORKSPACE and BITBUCKET_API_URL stand in for --workspace and --api-url.
Without a workspace at hand, begin with: windlass demo`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          command.NoCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRun: func(*cobra.Command, []string) {
			*started = true
		},
	}
	root.PersistentFlags().BoolVar(&env.JSON, "json", false, "results on standard output, and errors on standard error, as JSON")
	root.Version = command.Version()
	root.SetVersionTemplate(command.VersionLine())
	root.SetFlagErrorFunc(command.FlagProblem)
	root.SuggestionsMinimumDistance = 2
	root.SetArgs(env.Args)
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	root.AddGroup(
		&cobra.Group{ID: command.GroupServer, Title: "For a server:"},
		&cobra.Group{ID: command.GroupWorkspace, Title: "For a single workspace, without a server:"},
		&cobra.Group{ID: command.GroupTry, Title: "To try it out:"},
	)
	root.AddCommand(serve.Commands(env)...)
	root.AddCommand(admin.Commands(env)...)
	root.AddCommand(workspace.Commands(env)...)
	root.AddCommand(try.Commands(env)...)
	root.AddCommand(command.InGroup(command.GroupTry, demo.New(env, Main)), newVersion(env), command.NewExitCodes())
	root.SetHelpCommand(newHelp())
	root.InitDefaultCompletionCmd(env.Args...)
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	return root
}

// newHelp is ours because cobra's prints the whole usage, and exits with 0, for
// a topic that does not exist.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Explain a command or a topic",
		RunE: func(cmd *cobra.Command, args []string) error {
			topic, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return command.Invalidf("there is no help on %s; windlass help lists the commands", command.Quoted(strings.Join(args, " ")))
			}
			topic.InitDefaultHelpFlag()
			return topic.Help()
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			var offers []string
			for _, topic := range cmd.Root().Commands() {
				if len(args) == 0 && strings.HasPrefix(topic.Name(), typed) {
					offers = append(offers, cobra.CompletionWithDesc(topic.Name(), topic.Short))
				}
			}
			return offers, command.NoFiles
		},
	}
}
