package workspace

import (
	"bytes"
	"context"
	"encoding/json"
	"io"

	"github.com/spf13/cobra"

	"windlass/connector"
	"windlass/internal/cli/command"
)

type writeOptions struct {
	remote

	id string
}

func newWrite(env *command.Env) *cobra.Command {
	opts := &writeOptions{}
	cmd := &cobra.Command{
		Use:   "write OBJECT",
		Short: "Create a record, or with --id update one, from JSON on standard input",
		Long: `Create a record from a JSON object on standard input. With --id, update the
record of that id: only what the JSON names is changed, and a record that does
not exist is not created.

The record as Bitbucket has it then is printed as {"id":"…","record":{…}}.`,
		Example: `  echo '{"key":"DEMO","name":"Demo"}' | windlass write projects --workspace acme
  echo '{"name":"Demo 2"}' | windlass write projects --workspace acme --id '{0e3f…}'`,
		Args: command.OneObject,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.object = args[0]
			if opts.id == "" && cmd.Flags().Changed("id") {
				// A variable that is not set, most likely: creating a record is not what was meant.
				return opts.conclude(env, command.Invalidf("--id is empty: name the record to update, or leave --id out to create one"))
			}
			return opts.conclude(env, runWrite(cmd.Context(), env, opts))
		},
	}
	opts.bind(cmd, env)
	cmd.Flags().StringVar(&opts.id, "id", "", "update the record of this id")
	return cmd
}

func runWrite(ctx context.Context, env *command.Env, opts *writeOptions) error {
	bitbucket, err := opts.connect(env, &meter{}, nil)
	if err != nil {
		return err
	}
	if env.StdinTerminal && !opts.quiet {
		command.Tellf(env.Stderr, "%s\n", "Type the record as JSON, and end with Ctrl-D:")
	}
	record, err := command.ReadRecord(env.Stdin)
	if err != nil {
		return err
	}
	result, err := bitbucket.Write(ctx, connector.WriteRequest{Object: opts.object, ID: opts.id, Record: record})
	if err != nil {
		return err
	}
	if err := printResult(env.Stdout, result); err != nil {
		return err
	}
	done := "created"
	if opts.id != "" {
		done = "updated"
	}
	opts.say(env, done, result.ID)
	return nil
}

// printResult prints the id and the record's own bytes on one line.
func printResult(w io.Writer, result connector.WriteResult) error {
	id, err := json.Marshal(result.ID)
	if err != nil {
		return command.Internal("id", err)
	}
	line := append([]byte(`{"id":`), id...)
	if len(bytes.TrimSpace(result.Raw)) > 0 {
		line = append(line, `,"record":`...)
		if line, err = command.AppendCompact(line, result.Raw); err != nil {
			return command.Internal("record", err)
		}
	}
	_, err = w.Write(append(line, '}', '\n'))
	return err
}
