package serve

import (
	"github.com/spf13/cobra"

	"windlass/internal/cli/command"
	"windlass/internal/server"
)

func newAdmin(env *command.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "admin",
		Short:   "Regain access to the dashboard",
		GroupID: command.GroupServer,
		Args:    command.NoCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	g := &given{}
	reset := &cobra.Command{
		Use:   "reset",
		Short: "Remove the administrator's password and print a one-time sign-in link",
		Long: `Remove the password of the dashboard's administrator, end all of the administrator's
sessions, and print a link that signs in once, within a day. It takes the settings
that windlass serve takes, of which those of the database, the keyset and the public
URL matter. With PostgreSQL, servers may go on running; with SQLite, stop the server
first.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, _, err := g.read(cmd, env)
			if err != nil {
				return err
			}
			config.Now = env.Now
			link, err := server.ResetAdmin(cmd.Context(), config.Config)
			return printSecret(env, link, err)
		},
	}
	g.bind(reset)
	cmd.AddCommand(reset)
	return cmd
}
