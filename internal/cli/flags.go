package cli

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"windlass/internal/nearest"
)

// spanValue is a flag of a duration, which may be in days: 90s, 30m, 24h, 7d.
type spanValue time.Duration

func newSpan(value *time.Duration, def time.Duration) *spanValue {
	*value = def
	return (*spanValue)(value)
}

func (s *spanValue) Set(text string) error {
	span, ok := parseAgo(text)
	if !ok {
		return errors.New(notSpan)
	}
	*s = spanValue(span)
	return nil
}

func (s *spanValue) String() string { return time.Duration(*s).String() }
func (*spanValue) Type() string     { return "duration" }

const notSpan = "not a duration like 90s, 30m, 24h or 7d"

// flagProblem says in our words what is wrong with a flag.
func flagProblem(cmd *cobra.Command, err error) error {
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		what := map[string]string{"duration": notSpan, "bool": "not true or false", "int": "not a whole number", "uint64": "not a whole number from 0 up"}
		flag := bad.GetFlag()
		return invalidf("--%s: %s is %s", flag.Name, quoted(bad.GetValue()), what[flag.Value.Type()])
	}
	if bare, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return invalidf("--%s needs a value", bare.GetFlag().Name)
	}
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return invalidf("%v", err)
	}
	name := unknown.GetSpecifiedName()
	if len(name) == 1 {
		return invalidf("%s has no flag -%s; %[1]s --help lists them", cmd.CommandPath(), name)
	}
	var names []string
	cmd.Flags().VisitAll(func(flag *pflag.Flag) { names = append(names, flag.Name) })
	if near := nearest.To(name, names); near != "" {
		return invalidf("%s has no flag --%s; did you mean --%s?", cmd.CommandPath(), clip(name), near)
	}
	return invalidf("%s has no flag --%s; %[1]s --help lists them", cmd.CommandPath(), clip(name))
}

// notOurs are variables that begin like ours and are set by others: by Kubernetes
// and Docker for a service of this name, and by the tests of this project.
var notOurs = regexp.MustCompile(`_SERVICE_(HOST|PORT(_\w+)?)$|_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$|^WINDLASS_(SHARED|TEST|BENCH)(_|$)`)

// checkVariables refuses a variable of the environment that begins with WINDLASS_
// and means nothing: a misspelt setting must not be ignored.
func checkVariables(env *Env) error {
	names := []string{envConfig, envServer, envKey, envProject, envWebhookSecret, envClientSecret}
	for i := range settings {
		names = append(names, settings[i].env())
	}
	if env.Environ == nil {
		return nil // none are given
	}
	for _, entry := range env.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		if value == "" || !strings.HasPrefix(name, "WINDLASS_") || slices.Contains(names, name) || notOurs.MatchString(name) {
			continue
		}
		if near := nearest.To(name, names); near != "" {
			return invalidf("there is no variable %s; did you mean %s?", clip(name), near)
		}
		return invalidf("there is no variable %s: unset it; windlass serve --help lists the settings", clip(name))
	}
	return nil
}
