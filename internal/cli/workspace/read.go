package workspace

import (
	"context"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"windlass/bitbucket"
	"windlass/internal/cli/command"
)

type readOptions struct {
	remote

	since, until string
	fields       []string
	limit        int
	format       string
	output       string
	resume       bool
	force        bool
	accept       bool
}

func newRead(env *command.Env) *cobra.Command {
	opts := &readOptions{}
	cmd := &cobra.Command{
		Use:   "read OBJECT",
		Short: "Read every record of an object",
		Long: `Read every record of an object, as JSON lines or CSV.

With --since, only what changed since then is read, where Bitbucket can tell
(see windlass objects); elsewhere everything is read, and a line says so.

With --output, the records go to FILE.partial, which becomes FILE when the last
one is on disk. An interrupted read goes on with the same command and --resume,
and ends with the same records as one that was not interrupted.`,
		Example: `  windlass read repositories --workspace acme > repositories.jsonl
  windlass read repositories --workspace acme --since 24h
  windlass read members --workspace acme --format csv --fields user.uuid,user.display_name
  windlass read repositories --workspace acme --output all.jsonl --resume`,
		Args: command.OneObject,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.object = args[0]
			for i, field := range opts.fields {
				opts.fields[i] = strings.TrimSpace(field)
			}
			return runRead(cmd.Context(), env, opts)
		},
	}
	opts.bind(cmd, env)
	flags := cmd.Flags()
	flags.StringVar(&opts.since, "since", "", "only records that changed at `TIME` or later: 2026-01-31T15:04:05Z, 2026-01-31 (UTC), or how long ago as 24h or 7d")
	flags.StringVar(&opts.until, "until", "", "only records that changed before `TIME`")
	flags.StringSliceVar(&opts.fields, "fields", nil, "only these `FIELDS`, separated by commas, as windlass describe names them")
	flags.IntVar(&opts.limit, "limit", 0, "stop after `N` records (0: read them all)")
	flags.StringVar(&opts.role, "role", "", "only repositories and snippets in which the credential has this role: "+strings.Join(bitbucket.Roles(), ", ")+" (default member)")
	flags.StringVar(&opts.format, "format", formatJSONL, "jsonl, or csv with a column for each field")
	flags.StringVarP(&opts.output, "output", "o", "", "write to `FILE` instead of standard output")
	flags.BoolVar(&opts.resume, "resume", false, "go on with an interrupted read to --output")
	flags.BoolVar(&opts.force, "force", false, "replace --output if it exists, and throw an interrupted read to it away")
	flags.BoolVar(&opts.accept, "accept-incomplete", false, "accept fewer records than Bitbucket counts")
	completeRead(cmd)
	return cmd
}

// earlyGC is the growth of the heap, in percent, that starts a collection.
const earlyGC = 25

func runRead(ctx context.Context, env *command.Env, opts *readOptions) error {
	// A read holds a page or two and makes garbage of the rest, however many there
	// are. Collecting early keeps the peak near what is held; with the usual 100 it
	// crept up by a third over 5,000 pages on a busy machine.
	defer debug.SetGCPercent(debug.SetGCPercent(earlyGC))

	r := newReading(env, opts)
	err := r.prepare()
	if err == nil {
		err = r.run(ctx)
	}
	return r.conclude(err)
}

// request works out what the read is, and refuses what does not fit together.
func (o *readOptions) request(now time.Time) (request, error) {
	since, err := command.ParseWhen("since", o.since, now)
	if err != nil {
		return request{}, err
	}
	until, err := command.ParseWhen("until", o.until, now)
	if err != nil {
		return request{}, err
	}
	if !since.IsZero() && !until.IsZero() && !since.Before(until) {
		return request{}, command.Invalidf("--since %s is not before --until %s: nothing lies between them", o.since, o.until)
	}
	if o.limit < 0 {
		return request{}, command.Invalidf("--limit %d: a limit cannot be negative", o.limit)
	}
	for flag, set := range map[string]bool{"resume": o.resume, "force": o.force} {
		if set && o.toStdout() {
			return request{}, command.Invalidf("--%s goes with --output FILE", flag)
		}
	}
	return request{
		Object: o.object, Workspace: o.workspace, APIURL: o.apiURL, Role: o.role,
		Fields: o.fields, Format: o.format, Limit: o.limit,
		Since: moment{Typed: o.since, Time: since},
		Until: moment{Typed: o.until, Time: until},
	}, nil
}

func (o *readOptions) toStdout() bool { return o.output == "" || o.output == "-" }

// pageSize asks for no larger pages than a limit needs. Bitbucket takes 10 to
// 100; zero leaves it to the connector.
func (o *readOptions) pageSize() int {
	const minPage, maxPage = 10, 100
	if o.limit == 0 {
		return 0
	}
	return min(maxPage, max(minPage, o.limit))
}

// completeRead adds what can be offered for the flags of read.
func completeRead(cmd *cobra.Command) {
	for flag, offer := range map[string]cobra.CompletionFunc{
		"role":   cobra.FixedCompletions(bitbucket.Roles(), command.NoFiles),
		"format": cobra.FixedCompletions(formats, command.NoFiles),
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
		return nil, command.NoFiles
	}
	fields, err := bitbucket.Describe(args[0])
	if err != nil {
		return nil, command.NoFiles
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
	return offers, command.NoFiles | cobra.ShellCompDirectiveNoSpace
}
