// Package workspace is the commands that read and write the records of a single
// Bitbucket workspace, without a server.
//
// # What it promises
//
//   - Records go to standard output or to a file, everything else to standard error.
//   - A file is complete or is not there: until the last record is on disk it is
//     called FILE.partial, and a later --resume goes on where it ends.
package workspace

import (
	"github.com/spf13/cobra"

	"windlass/internal/cli/command"
)

// Commands returns the commands of this package.
func Commands(env *command.Env) []*cobra.Command {
	return []*cobra.Command{
		command.InGroup(command.GroupWorkspace, newObjects(env)), command.InGroup(command.GroupWorkspace, newDescribe(env)),
		command.InGroup(command.GroupWorkspace, newRead(env)), command.InGroup(command.GroupWorkspace, newWrite(env)), command.InGroup(command.GroupWorkspace, newDelete(env)),
	}
}
