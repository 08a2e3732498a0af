// Package try is the commands for trying windlass out on one machine: a mock
// Bitbucket server, and a receiver of webhooks.
package try

import (
	"github.com/spf13/cobra"

	"windlass/internal/cli/command"
)

// Commands returns the commands of this package.
func Commands(env *command.Env) []*cobra.Command {
	return []*cobra.Command{command.InGroup(command.GroupTry, newSandbox(env)), newListen(env)}
}
