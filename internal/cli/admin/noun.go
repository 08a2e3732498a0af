package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"windlass"
	"windlass/internal/cli/command"
)

// A noun is a sort of thing on a server. Listing, showing and deleting are the
// same for all of them; what else can be done has a file of its own.
type noun struct {
	plural, singular string
	takes            string // how one is named: ID or NAME
	about            string // what it is, for the help
	columns          []column
	details          []column // of a single one, beside the columns

	parts *parts // a list in a single one; nil: there is none

	// list returns where all of them are.
	list func(ctx context.Context, c *client) (path string, query url.Values, err error)
	// locate returns where one of them is.
	locate func(ctx context.Context, c *client, name string) (path string, err error)
	// belongs says what goes with one of them when it is deleted, and how to confirm
	// that; nil: nothing does.
	belongs *belonging
	// show fetches one of them; nil: it is what locate says.
	show func(ctx context.Context, c *client, name string) (json.RawMessage, error)
}

// parts are a list that is shown below a single thing.
type parts struct {
	member  string
	columns []column
}

// A column is a cell of a table: its title, and the dotted path to its value.
type column struct {
	title, path string
	show        func(value string) string // nil: as it is
}

// of is the column's value of a thing.
func (c column) of(one json.RawMessage) string {
	value := command.Cell(one, c.path)
	if c.show != nil && value != "" {
		return c.show(value)
	}
	return value
}

// in makes the functions of a noun whose things lie under a segment of their own.
func (n *noun) in(segment string) {
	n.list = func(ctx context.Context, c *client) (string, url.Values, error) {
		path, err := c.inProject(ctx, segment)
		return path, nil, err
	}
	n.locate = func(ctx context.Context, c *client, name string) (string, error) {
		return c.inProject(ctx, segment, name)
	}
}

// command puts the verbs of a noun together. extra are those of its own.
func (n *noun) command(env *command.Env, at *atServer, extra ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:     n.plural,
		Short:   n.about,
		Long:    n.about + ".",
		GroupID: command.GroupServer,
		Args:    command.NoCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	at.bind(cmd)
	cmd.AddCommand(n.newList(env, at), n.newGet(env, at), n.newDelete(env, at))
	cmd.AddCommand(extra...)
	return cmd
}

func (n *noun) newList(env *command.Env, at *atServer) *cobra.Command {
	page := &paging{}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List " + strings.ReplaceAll(n.plural, "-", " "),
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := at.dial(env)
			if err != nil {
				return err
			}
			path, query, err := n.list(cmd.Context(), c)
			if err != nil {
				return err
			}
			return at.list(cmd.Context(), env, c, page, path, query, n.columns)
		},
	}
	page.bind(cmd)
	return cmd
}

func (n *noun) newGet(env *command.Env, at *atServer) *cobra.Command {
	return n.onOne(env, at, "get", "Show "+n.singular, func(cmd *cobra.Command, c *client, name string) error {
		found, err := n.fetch(cmd.Context(), c, name)
		if err != nil {
			return err
		}
		return n.print(env.Stdout, at, found)
	})
}

func (n *noun) newDelete(env *command.Env, at *atServer) *cobra.Command {
	var yes bool
	cmd := n.onOne(env, at, "delete", "Delete "+n.singular, func(cmd *cobra.Command, c *client, name string) error {
		path, err := n.locate(cmd.Context(), c, name)
		if err != nil {
			return err
		}
		and, err := n.alsoDeleted(cmd.Context(), c, path, name)
		if err != nil {
			return err
		}
		if err := command.Confirm(env, yes, "Delete "+bare(n.singular)+" "+name+and); err != nil {
			return err
		}
		if _, err := c.call(cmd.Context(), http.MethodDelete, path, nil, nil); err != nil {
			return err
		}
		if at.json {
			return command.WriteJSON(env.Stdout, map[string]string{"deleted": name})
		}
		command.Tellf(env.Stderr, "deleted %s %s\n", bare(n.singular), name)
		return nil
	})
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	if n.belongs != nil {
		cmd.Flags().BoolVar(&n.belongs.confirmed, n.belongs.flag, false, n.belongs.usage)
	}
	return cmd
}

// onOne is a verb that is done to one thing, named by its argument.
func (n *noun) onOne(env *command.Env, at *atServer, verb, short string, run func(*cobra.Command, *client, string) error) *cobra.Command {
	return &cobra.Command{
		Use:   verb + " " + n.takes,
		Short: short,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return command.Invalidf("%s which %s? windlass %s list shows them", verb, bare(n.singular), n.plural)
			case len(args) > 1:
				return command.Invalidf("%s takes one %s, and %s is one too many", verb, bare(n.singular), command.Quoted(args[1]))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := at.dial(env)
			if err != nil {
				return err
			}
			return run(cmd, c, args[0])
		},
		ValidArgsFunction: n.complete(env, at),
	}
}

// bare is a noun without its article.
func bare(singular string) string {
	_, word, _ := strings.Cut(singular, " ")
	return word
}

// fetch returns one thing as the server shows it.
func (n *noun) fetch(ctx context.Context, c *client, name string) (json.RawMessage, error) {
	if n.show != nil {
		return n.show(ctx, c, name)
	}
	path, err := n.locate(ctx, c, name)
	if err != nil {
		return nil, err
	}
	got, err := c.get(ctx, path, nil)
	return got.body, err
}

// with adds what a server says elsewhere to one thing, as a member of its JSON.
func with(one json.RawMessage, name string, value json.RawMessage) json.RawMessage {
	head := bytes.TrimSuffix(bytes.TrimSpace(one), []byte("}"))
	return slices.Concat(head, []byte(`,"`+name+`":`), bytes.TrimSpace(value), []byte("}"))
}

// print shows one thing.
func (n *noun) print(w io.Writer, at *atServer, one json.RawMessage) error {
	if err := at.printOne(w, one, append(append([]column(nil), n.columns...), n.details...)); err != nil || at.json || n.parts == nil {
		return err
	}
	list, has, err := command.Lookup(one, []string{n.parts.member})
	if err != nil || !has || string(list) == "[]" {
		return err
	}
	command.Tellf(w, "\n")
	return at.printList(w, answer{body: list}, n.parts.columns)
}

// patch changes what the mask names of one thing, and shows it.
func (n *noun) patch(ctx context.Context, env *command.Env, at *atServer, c *client, name string, body map[string]any, mask []string) error {
	if len(mask) == 0 {
		return command.Invalidf("nothing to change: say what with a flag")
	}
	path, err := n.locate(ctx, c, name)
	if err != nil {
		return err
	}
	body["updateMask"] = mask
	changed, err := c.call(ctx, http.MethodPatch, path, nil, body)
	if err != nil {
		return err
	}
	return n.print(env.Stdout, at, changed.body)
}

// keys are the names of what is given, in order.
func keys(given map[string]any) []string { return slices.Sorted(maps.Keys(given)) }

// among finds one thing in a list, by any of some fields.
func (n *noun) among(ctx context.Context, c *client, name string, fields ...string) (json.RawMessage, error) {
	path, query, err := n.list(ctx, c)
	if err != nil {
		return nil, err
	}
	got, err := c.get(ctx, path, query)
	if err != nil {
		return nil, err
	}
	var all []json.RawMessage
	if err := got.into(&all); err != nil {
		return nil, err
	}
	for _, field := range fields {
		for _, one := range all {
			if command.Cell(one, field) == name {
				return one, nil
			}
		}
	}
	return nil, &command.Failure{Kind: windlass.NotFound, Text: "there is no " + bare(n.singular) + " " + command.Quoted(name)}
}

// complete offers the names that there are, if the server says so quickly.
func (n *noun) complete(env *command.Env, at *atServer) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		c, err := at.dial(env)
		if err != nil || len(args) > 0 {
			return nil, command.NoFiles
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), 2*time.Second)
		defer cancel()
		path, query, err := n.list(ctx, c)
		if err != nil {
			return nil, command.NoFiles
		}
		all, _, err := (&paging{limit: 200}).fetch(ctx, c, path, query)
		if err != nil {
			return nil, command.NoFiles
		}
		var offers []string
		for _, one := range all {
			if name := command.Cell(one, n.columns[0].path); strings.HasPrefix(name, typed) {
				offers = append(offers, cobra.CompletionWithDesc(name, command.Cell(one, n.columns[1].path)))
			}
		}
		return offers, command.NoFiles
	}
}

// printList prints a table, or with --json the answer itself.
func (s *atServer) printList(w io.Writer, got answer, columns []column) error {
	if s.json {
		return command.PrintBytes(w, got.body)
	}
	var all []json.RawMessage
	if err := got.into(&all); err != nil {
		return err
	}
	titles := make([]string, len(columns))
	for i, column := range columns {
		titles[i] = column.title
	}
	table := command.NewTable(w, titles...)
	for _, one := range all {
		cells := make([]string, len(columns))
		for i, column := range columns {
			cells[i] = command.Dash(column.of(one))
		}
		table.Row(cells...)
	}
	return table.Flush()
}

// printOne prints a line for each value that is there, or with --json the answer.
func (s *atServer) printOne(w io.Writer, one json.RawMessage, columns []column) error {
	if s.json {
		return command.PrintBytes(w, one)
	}
	lines := command.NewTable(w)
	for _, column := range columns {
		if value := command.Cell(one, column.path); value != "" {
			lines.Row(column.title, value)
		}
	}
	return lines.Flush()
}
