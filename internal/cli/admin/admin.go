// Package admin is the commands that set up and watch a server. They are clients
// of its published API and know nothing of how it works; validate alone runs
// without one.
//
// A noun is a kind of thing on a server (a connection, a destination): listing,
// showing and deleting are the same for all of them, and noun.go has these verbs.
// Each noun, and each other command, is one file.
package admin

import (
	"github.com/spf13/cobra"

	"windlass/internal/cli/command"
)

// Commands returns the commands of this package.
func Commands(env *command.Env) []*cobra.Command {
	return []*cobra.Command{
		newValidate(env), newDeploy(env),
		newProviderApps(env), newDestinations(env), newIntegrations(env), newConnections(env), newInstallations(env),
		newProxy(env), newOperations(env), newTrigger(env), newPause(env), newUnpause(env), newDeliveries(env), newTopics(env),
	}
}
