package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"windlass/internal/cli/command"
)

func newVersion(env *command.Env) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if env.JSON {
				return command.WriteJSON(env.Stdout, map[string]string{"version": command.Version(), "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH})
			}
			_, err := fmt.Fprint(env.Stdout, command.VersionLine())
			return err
		},
	}
}
