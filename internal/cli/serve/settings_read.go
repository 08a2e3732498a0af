package serve

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v4"

	"windlass/internal/cli/command"
	"windlass/internal/nearest"
)

// given is where the settings come from: flags before the environment before the
// file before the defaults.
type given struct {
	file  string
	flags map[string]*string
}

// origin is a value and where it is from.
type origin struct {
	value string
	from  string // flag, environment, file or default
	place string // how an error names it
}

func (g *given) bind(cmd *cobra.Command) {
	g.flags = map[string]*string{}
	flags := cmd.Flags()
	flags.StringVar(&g.file, "config", "", "the `FILE` of settings, in YAML (default $"+command.EnvConfig+")")
	for i := range settings {
		s := &settings[i]
		if s.secret {
			continue
		}
		about := s.about
		if s.def != "" && s.def != "false" {
			about += " (default " + s.def + ")"
		}
		g.flags[s.key] = flags.String(s.key, "", about)
		if s.def == "false" {
			flags.Lookup(s.key).NoOptDefVal = "true"
		}
	}
}

// read finds out every setting and what they add up to.
func (g *given) read(cmd *cobra.Command, env *command.Env) (*serverConfig, map[string]origin, error) {
	if err := command.CheckVariables(env); err != nil {
		return nil, nil, err
	}
	filed, err := g.readFile(env)
	if err != nil {
		return nil, nil, err
	}
	config, origins := &serverConfig{}, map[string]origin{}
	for i := range settings {
		s := &settings[i]
		o := origin{s.def, "default", s.key}
		if inFile, ok := filed[s.key]; ok {
			o = inFile
		}
		if value := env.Getenv(s.env()); value != "" {
			o = origin{value, "environment", s.env()}
		}
		if flag := g.flags[s.key]; flag != nil && cmd.Flags().Changed(s.key) {
			o = origin{*flag, "flag", "--" + s.key}
			if s.shown(o.value) != o.value { // everybody on the machine can see it
				return nil, nil, command.Invalidf("--%s shows a password to everybody on this machine: set %s instead", s.key, s.env())
			}
		}
		origins[s.key] = o
		if o.value == "" {
			continue
		}
		if err := s.set(config, o.value); err != nil {
			return nil, nil, command.Invalidf("%s: %v", o.place, err)
		}
	}
	return config, origins, nil
}

// readFile reads the file of settings: a mapping of keys to plain values.
func (g *given) readFile(env *command.Env) (map[string]origin, error) {
	name := cmp.Or(g.file, env.Getenv(command.EnvConfig))
	if name == "" {
		return map[string]origin{}, nil
	}
	data, err := command.FileOrStdin(env, name)
	if err != nil {
		return nil, err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, command.Invalidf("%s: %v", name, err)
	}
	if len(document.Content) == 0 {
		return map[string]origin{}, nil // an empty file sets nothing
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, command.Invalidf("%s:%d: the settings are lines like %s", name, root.Line, "addr: 127.0.0.1:8080")
	}
	found := map[string]origin{}
	for i := 0; i+1 < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		place := fmt.Sprintf("%s:%d", name, key.Line)
		if err := checkKey(place, key.Value); err != nil {
			return nil, err
		}
		if _, twice := found[key.Value]; twice {
			return nil, command.Invalidf("%s: %s is set twice", place, key.Value)
		}
		plain, err := plainValue(place, key.Value, value)
		if err != nil {
			return nil, err
		}
		found[key.Value] = origin{plain, "file", place + ": " + key.Value}
		if err := checkPrivate(name, key.Value, plain); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// checkPrivate refuses a secret in a file that others can read.
func checkPrivate(name, key, value string) error {
	i := slices.IndexFunc(settings, func(s setting) bool { return s.key == key })
	if name == "-" || settings[i].shown(value) == value {
		return nil
	}
	info, err := os.Stat(name)
	if err != nil {
		return command.Invalidf("%s: %v", command.Clip(name), command.Reason(err))
	}
	const others = 0o007
	if runtime.GOOS != "windows" && info.Mode().Perm()&others != 0 {
		return command.Invalidf("%s holds a secret (%s) and everyone on this machine can use the file: chmod o= %s, or set %s instead", name, key, name, settings[i].env())
	}
	return nil
}

// checkKey refuses a setting that there is not, and says which was meant.
func checkKey(place, key string) error {
	names := make([]string, len(settings))
	for i := range settings {
		names[i] = settings[i].key
	}
	if slices.Contains(names, key) {
		return nil
	}
	if near := nearest.To(strings.ReplaceAll(key, "_", "-"), names); near != "" {
		return command.Invalidf("%s: there is no setting %s; did you mean %s?", place, command.Quoted(key), command.Quoted(near))
	}
	return command.Invalidf("%s: there is no setting %s; windlass serve --print-config shows those that there are", place, command.Quoted(key))
}

// plainValue is a word, or several as a list.
func plainValue(place, key string, value *yaml.Node) (string, error) {
	switch value.Kind {
	case yaml.ScalarNode:
		if value.Tag == "!!null" {
			return "", nil
		}
		return value.Value, nil
	case yaml.SequenceNode:
		words := make([]string, len(value.Content))
		for i, word := range value.Content {
			if word.Kind != yaml.ScalarNode {
				return "", command.Invalidf("%s: %s is a plain value, or a list of such", place, key)
			}
			words[i] = word.Value
		}
		return strings.Join(words, ","), nil
	default:
		return "", command.Invalidf("%s: %s is a plain value, or a list of such", place, key)
	}
}

// printSettings prints them as a file of settings, each with where it is from.
func printSettings(w io.Writer, origins map[string]origin) error {
	var errs []error
	for i := range settings {
		s := &settings[i]
		o := origins[s.key]
		shown := s.shown(o.value)
		line := s.key + ": " + strconv.Quote(shown)
		switch {
		case o.value == "":
			line = "# " + s.key + ":"
		case shown != o.value:
			line = "# " + line // as a setting it would be wrong
		}
		_, err := fmt.Fprintf(w, "%s # %s; %s\n", line, o.from, s.about)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
