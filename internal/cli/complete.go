package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"windlass/bitbucket"
)

const noFiles = cobra.ShellCompDirectiveNoFileComp

// completeObjects offers the names of the objects, each with what it is.
func completeObjects(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, noFiles
	}
	var offers []string
	for _, object := range bitbucket.Objects() {
		can := map[string]bool{"write": object.Create || object.Update, "delete": object.Delete}
		if fits, limited := can[cmd.Name()]; strings.HasPrefix(object.Name, typed) && (fits || !limited) {
			offers = append(offers, cobra.CompletionWithDesc(object.Name, object.DisplayName))
		}
	}
	return offers, noFiles
}

// completeFlag offers fixed words for a flag of a command.
func completeFlag(cmd *cobra.Command, flag string, words ...string) {
	// It fails only for a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, noFiles))
}

// completeRead adds what can be offered for the flags of read.
func completeRead(cmd *cobra.Command) {
	for flag, offer := range map[string]cobra.CompletionFunc{
		"role":   cobra.FixedCompletions(bitbucket.Roles(), noFiles),
		"format": cobra.FixedCompletions(formats, noFiles),
		"fields": completeFields,
		"output": func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveDefault
		},
	} {
		// It fails only for a flag that does not exist, and then offers nothing.
		_ = cmd.RegisterFlagCompletionFunc(flag, offer)
	}
}

// completeFields offers the fields of the object named before, for the last of
// a list separated by commas.
func completeFields(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return nil, noFiles
	}
	fields, err := bitbucket.Describe(args[0])
	if err != nil {
		return nil, noFiles
	}
	before, last := "", typed
	if comma := strings.LastIndexByte(typed, ','); comma >= 0 {
		before, last = typed[:comma+1], typed[comma+1:]
	}
	chosen := strings.Split(before, ",")
	var offers []string
	for _, field := range fields {
		if !field.WriteOnly && strings.HasPrefix(field.Name, last) && !slices.Contains(chosen, field.Name) {
			offers = append(offers, cobra.CompletionWithDesc(before+field.Name, field.DisplayName))
		}
	}
	return offers, noFiles | cobra.ShellCompDirectiveNoSpace
}
