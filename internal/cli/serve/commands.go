// Package serve is the commands that run a server or work on its data folder and
// database: serve, keyset, and admin reset. The table of a server's settings is
// in settings.go: flags, variables, the file and the help come from it.
package serve

import (
	"github.com/spf13/cobra"

	"windlass/internal/cli/command"
)

// Commands returns the commands of this package.
func Commands(env *command.Env) []*cobra.Command {
	return []*cobra.Command{newServe(env), newKeyset(env), newAdmin(env)}
}
