package command

import "github.com/spf13/cobra"

// The groups in which help lists the commands.
const (
	GroupServer    = "server"
	GroupWorkspace = "workspace"
	GroupTry       = "try"
)

// InGroup puts a command into a group of the help.
func InGroup(group string, cmd *cobra.Command) *cobra.Command {
	cmd.GroupID = group
	return cmd
}

// NoCommand refuses a word that is no command, and says which was meant.
func NoCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := "there is no command " + Quoted(args[0])
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return Invalidf("%s; did you mean %s?", text, Quoted(near[0]))
	}
	return Invalidf("%s; windlass help lists them", text)
}

// OneObject is for the commands that take an object's name and nothing else.
func OneObject(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return Invalidf("%s which object? windlass objects lists them", cmd.Name())
	case len(args) > 1:
		return Invalidf("%s takes one object, and %s is one too many", cmd.Name(), Quoted(args[1]))
	}
	return nil
}
