package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// newRoot puts the commands together. started is set when cobra has accepted
// the command line: errors before that are in how it was typed.
func newRoot(env *Env, started *bool) *cobra.Command {
	root := &cobra.Command{
		Use:   "windlass",
		Short: "Connect a product to its customers' Bitbucket Cloud workspaces",
		Long: `Windlass connects a product to its customers' Bitbucket Cloud workspaces. It is a
server, the commands that set one up, and commands that read and write the records
of a single workspace without one.

The commands for a server take its address from WINDLASS_URL (default
` + defaultServer + `), the key from WINDLASS_API_KEY, and the project from
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
		Args:          noCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRun: func(*cobra.Command, []string) {
			*started = true
		},
	}
	root.PersistentFlags().BoolVar(&env.json, "json", false, "results on standard output, and errors on standard error, as JSON")
	root.Version = version()
	root.SetVersionTemplate(versionLine())
	root.SetFlagErrorFunc(flagProblem)
	root.SuggestionsMinimumDistance = 2
	root.SetArgs(env.Args)
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	root.AddGroup(
		&cobra.Group{ID: groupServer, Title: "For a server:"},
		&cobra.Group{ID: groupWorkspace, Title: "For a single workspace, without a server:"},
		&cobra.Group{ID: groupTry, Title: "To try it out:"},
	)
	root.AddCommand(
		newServe(env), newKeyset(env), newAdmin(env), newValidate(env), newDeploy(env),
		newProviderApps(env), newDestinations(env), newIntegrations(env), newConnections(env), newInstallations(env),
		newProxy(env),
		newOperations(env), newTrigger(env), newPause(env), newUnpause(env), newDeliveries(env), newTopics(env),
		inGroup(groupWorkspace, newObjects(env)), inGroup(groupWorkspace, newDescribe(env)),
		inGroup(groupWorkspace, newRead(env)), inGroup(groupWorkspace, newWrite(env)), inGroup(groupWorkspace, newDelete(env)),
		inGroup(groupTry, newSandbox(env)), newListen(env), inGroup(groupTry, newDemo(env)),
		newVersion(env), newExitCodes(),
	)
	root.SetHelpCommand(newHelp())
	root.InitDefaultCompletionCmd(env.Args...)
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	return root
}

// The groups in which help lists the commands.
const (
	groupServer    = "server"
	groupWorkspace = "workspace"
	groupTry       = "try"
)

func inGroup(group string, cmd *cobra.Command) *cobra.Command {
	cmd.GroupID = group
	return cmd
}

// noCommand refuses a word that is no command, and says which was meant.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := "there is no command " + quoted(args[0])
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return invalidf("%s; did you mean %s?", text, quoted(near[0]))
	}
	return invalidf("%s; windlass help lists them", text)
}

// oneObject is for the commands that take an object's name and nothing else.
func oneObject(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return invalidf("%s which object? windlass objects lists them", cmd.Name())
	case len(args) > 1:
		return invalidf("%s takes one object, and %s is one too many", cmd.Name(), quoted(args[1]))
	}
	return nil
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
				return invalidf("there is no help on %s; windlass help lists the commands", quoted(strings.Join(args, " ")))
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
			return offers, noFiles
		},
	}
}
