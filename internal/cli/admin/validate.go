package admin

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"windlass"
	"windlass/bitbucket"
	"windlass/internal/cli/command"
	"windlass/manifest"
)

// manifestNames are what a manifest in a folder is called.
var manifestNames = []string{"amp.yaml", "amp.yml"}

func newValidate(env *command.Env) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "validate FILE|DIR",
		Short: "Check an amp.yaml: print every mistake with its line and column",
		Long: `Check a manifest, without a server: a file, the amp.yaml of a folder, or - for
standard input. Every mistake is printed as FILE:LINE:COLUMN, with what to write
instead, and makes the exit code 2. What passes here, a server of the same version
deploys.`,
		Example: "  windlass validate amp.yaml",
		GroupID: command.GroupServer,
		Args:    oneManifest,
		RunE: func(_ *cobra.Command, args []string) error {
			return runValidate(env, args[0], asJSON)
		},
		ValidArgsFunction: command.CompleteYAML,
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "the result as a JSON object")
	return cmd
}

// oneManifest is for the commands that take a manifest and nothing else.
func oneManifest(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return command.Invalidf("%s takes one manifest: a file, or the folder of an amp.yaml", cmd.Name())
	}
	return nil
}

func runValidate(env *command.Env, name string, asJSON bool) error {
	file, text, err := readManifest(env, name)
	if err != nil {
		return err
	}
	m, err := manifest.Parse(text, known(file))
	problems, wrong := errors.AsType[manifest.Problems](err)
	if err != nil && !wrong {
		return err
	}
	result := struct {
		File         string             `json:"file"`
		Valid        bool               `json:"valid"`
		Integrations []string           `json:"integrations"`
		Problems     []manifest.Problem `json:"problems"`
	}{file, !wrong, []string{}, []manifest.Problem{}}
	if wrong {
		result.Problems = problems
	} else {
		for i := range m.Integrations {
			result.Integrations = append(result.Integrations, m.Integrations[i].Name)
		}
	}
	switch {
	case asJSON:
		if err := command.WriteJSON(env.Stdout, result); err != nil {
			return command.Internal("standard output", err)
		}
	case !wrong:
		command.Tellf(env.Stdout, "%s: good: %s\n", file, strings.Join(result.Integrations, ", "))
	default:
		tellProblems(env, problems)
	}
	if wrong {
		return &command.Failure{Kind: windlass.Invalid, Text: file + " has " + command.Counted(len(problems), "mistake")}
	}
	return nil
}

// tellProblems prints each mistake on a line of its own, as compilers do.
func tellProblems(env *command.Env, problems manifest.Problems) {
	for _, problem := range problems {
		command.Tellf(env.Stderr, "%s\n", problem)
	}
}

// known is what a manifest is held against: what this version can read and write.
func known(file string) *manifest.Options {
	return &manifest.Options{
		File:      file,
		Providers: []string{theProvider},
		// An unknown provider is a mistake of its own: what is below it is checked
		// all the same, so that one pass finds everything.
		Objects: func(string) []string {
			var names []string
			for _, object := range bitbucket.Objects() {
				names = append(names, object.Name)
			}
			return names
		},
		Fields: func(_, object string) []string {
			fields, err := bitbucket.Describe(object)
			if err != nil {
				return nil
			}
			var names []string
			for _, field := range fields {
				if !field.WriteOnly {
					names = append(names, field.Name)
				}
			}
			return names
		},
	}
}

// readManifest finds a manifest and reads it.
func readManifest(env *command.Env, name string) (file string, text []byte, err error) {
	if name == "-" {
		text, err = command.FileOrStdin(env, name)
		return "standard input", text, err
	}
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		found, err := inFolder(name)
		if err != nil {
			return "", nil, err
		}
		name = found
	}
	text, err = command.FileOrStdin(env, name)
	return name, text, err
}

func inFolder(dir string) (string, error) {
	for _, name := range manifestNames {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return path, nil
		}
	}
	return "", command.Invalidf("%s has no %s", command.Clip(dir), strings.Join(manifestNames, " and no "))
}
