package command

import (
	"strings"

	"github.com/spf13/cobra"

	"windlass/bitbucket"
)

// NoFiles tells a shell not to offer the names of files.
const NoFiles = cobra.ShellCompDirectiveNoFileComp

// CompleteObjects offers the names of the objects, each with what it is.
func CompleteObjects(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, NoFiles
	}
	var offers []string
	for _, object := range bitbucket.Objects() {
		can := map[string]bool{"write": object.Create || object.Update, "delete": object.Delete}
		if fits, limited := can[cmd.Name()]; strings.HasPrefix(object.Name, typed) && (fits || !limited) {
			offers = append(offers, cobra.CompletionWithDesc(object.Name, object.DisplayName))
		}
	}
	return offers, NoFiles
}

// CompleteFlag offers fixed words for a flag of a command.
func CompleteFlag(cmd *cobra.Command, flag string, words ...string) {
	// It fails only for a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, NoFiles))
}

// CompleteYAML offers files in YAML.
func CompleteYAML(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
}
