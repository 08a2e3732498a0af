package serve

import (
	"fmt"

	"github.com/spf13/cobra"

	"windlass"
	"windlass/internal/cli/command"
	"windlass/internal/server"
)

func newKeyset(env *command.Env) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "keyset",
		Short: "Make and rotate the keyset that secrets are sealed with",
		Long: `Make and rotate the keyset that secrets are sealed with. Without it, the
secrets of a database and of its backups cannot be read: keep a copy.

A keyset in a file (the usual thing) is made by windlass serve and rotated by
windlass keyset rotate. One in ` + Variable("keyset") + ` is made by windlass keyset new. To
rotate that, give what windlass keyset next prints to every process, start them
anew, and run windlass keyset rotate.`,
		GroupID: command.GroupServer,
		Args:    command.NoCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newRotate(env), newNewKeyset(env), newNextKeyset(env))
	return cmd
}

func newRotate(env *command.Env) *cobra.Command {
	g := &given{}
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Seal every secret of the database under a new key",
		Long: `Seal every secret of the database under a new key. It takes the settings that
windlass serve takes, of which those of the database and the keyset matter. With
PostgreSQL, servers may go on running; with SQLite, stop the server first. It may
be stopped and repeated.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, _, err := g.read(cmd, env)
			if err != nil {
				return err
			}
			done, err := server.RotateKeyset(cmd.Context(), config.Config)
			if err != nil {
				return err
			}
			if env.JSON {
				return command.WriteJSON(env.Stdout, map[string]any{"sealed": done.Sealed, "key": done.Key, "made": done.Made, "keyset": done.Source})
			}
			made := "a new key"
			if !done.Made {
				made = "the first key of the keyset"
			}
			command.Tellf(env.Stdout, "%s sealed under %s (id %d); the keyset is %s\nKeep a copy of it: backups from now on need it.\n",
				command.Counted(done.Sealed, "secret"), made, done.Key, done.Source)
			return nil
		},
	}
	g.bind(cmd)
	return cmd
}

func newNewKeyset(env *command.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "new",
		Short: "Print a new keyset, for " + Variable("keyset"),
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			made, err := server.NewKeyset()
			return printSecret(env, made, err)
		},
	}
}

func newNextKeyset(env *command.Env) *cobra.Command {
	g := &given{}
	cmd := &cobra.Command{
		Use:   "next",
		Short: "Print the keyset with a new key in it, for " + Variable("keyset"),
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			config, _, err := g.read(cmd, env)
			if err != nil {
				return err
			}
			next, err := server.NextKeyset(config.Config)
			return printSecret(env, next, err)
		},
	}
	g.bind(cmd)
	return cmd
}

// printSecret is for the few commands whose very purpose is a secret.
func printSecret(env *command.Env, secret windlass.Secret, err error) error {
	if err != nil {
		return err
	}
	if env.JSON {
		return command.WriteJSON(env.Stdout, map[string]string{"secret": secret.Reveal()})
	}
	_, err = fmt.Fprintln(env.Stdout, secret.Reveal())
	return err
}
