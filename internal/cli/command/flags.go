package command

import (
	"errors"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"windlass/internal/nearest"
)

// spanValue is a flag of a duration, which may be in days: 90s, 30m, 24h, 7d.
type spanValue time.Duration

// NewSpan is the value of a flag that takes a duration.
func NewSpan(value *time.Duration, def time.Duration) pflag.Value {
	*value = def
	return (*spanValue)(value)
}

func (s *spanValue) Set(text string) error {
	span, ok := ParseAgo(text)
	if !ok {
		return errors.New(NotSpan)
	}
	*s = spanValue(span)
	return nil
}

func (s *spanValue) String() string { return time.Duration(*s).String() }
func (*spanValue) Type() string     { return "duration" }

// NotSpan says what a duration looks like.
const NotSpan = "not a duration like 90s, 30m, 24h or 7d"

// FlagProblem says in our words what is wrong with a flag.
func FlagProblem(cmd *cobra.Command, err error) error {
	if bad, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		what := map[string]string{"duration": NotSpan, "bool": "not true or false", "int": "not a whole number", "uint64": "not a whole number from 0 up"}
		flag := bad.GetFlag()
		return Invalidf("--%s: %s is %s", flag.Name, Quoted(bad.GetValue()), what[flag.Value.Type()])
	}
	if bare, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return Invalidf("--%s needs a value", bare.GetFlag().Name)
	}
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return Invalidf("%v", err)
	}
	name := unknown.GetSpecifiedName()
	if len(name) == 1 {
		return Invalidf("%s has no flag -%s; %[1]s --help lists them", cmd.CommandPath(), name)
	}
	var names []string
	cmd.Flags().VisitAll(func(flag *pflag.Flag) { names = append(names, flag.Name) })
	if near := nearest.To(name, names); near != "" {
		return Invalidf("%s has no flag --%s; did you mean --%s?", cmd.CommandPath(), Clip(name), near)
	}
	return Invalidf("%s has no flag --%s; %[1]s --help lists them", cmd.CommandPath(), Clip(name))
}
