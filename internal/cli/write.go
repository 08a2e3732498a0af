package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"windlass/connector"
)

// mostInput is the largest record that is read from standard input: a snippet
// with its files is the only one that is not small.
const mostInput = 32 << 20

type writeOptions struct {
	remote

	id string
}

func newWrite(env *Env) *cobra.Command {
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
		Args: oneObject,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.object = args[0]
			if opts.id == "" && cmd.Flags().Changed("id") {
				// A variable that is not set, most likely: creating a record is not what was meant.
				return opts.conclude(env, invalidf("--id is empty: name the record to update, or leave --id out to create one"))
			}
			return opts.conclude(env, runWrite(cmd.Context(), env, opts))
		},
	}
	opts.bind(cmd, env)
	cmd.Flags().StringVar(&opts.id, "id", "", "update the record of this id")
	return cmd
}

func runWrite(ctx context.Context, env *Env, opts *writeOptions) error {
	bitbucket, err := opts.connect(env, &meter{}, nil)
	if err != nil {
		return err
	}
	if env.StdinTerminal && !opts.quiet {
		tellf(env.Stderr, "%s\n", "Type the record as JSON, and end with Ctrl-D:")
	}
	record, err := readRecord(env.Stdin)
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

// readRecord reads exactly one JSON object.
func readRecord(r io.Reader) (json.RawMessage, error) {
	data, err := io.ReadAll(io.LimitReader(r, mostInput+1))
	if err != nil {
		return nil, internal("standard input", err)
	}
	if len(data) > mostInput {
		return nil, invalidf("the record on standard input is larger than %s", size(mostInput))
	}
	data = bytes.TrimSpace(data)
	if len(data) == 0 {
		return nil, invalidf("standard input is empty: give the record as a JSON object")
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	var record json.RawMessage
	if err := decoder.Decode(&record); err != nil {
		return nil, invalidf("standard input is not JSON: %v", place(data, err))
	}
	if record[0] != '{' {
		return nil, invalidf("standard input is not a JSON object: the record is {…} with the fields to set")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, invalidf("standard input holds more than one record: write them one at a time")
	}
	return record, nil
}

// place says where in the input an error of syntax is.
func place(data []byte, err error) string {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return "it ends in the middle"
	}
	syntax, ok := errors.AsType[*json.SyntaxError](err)
	if !ok || syntax.Offset > int64(len(data)) {
		return err.Error()
	}
	before := data[:max(0, syntax.Offset-1)]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Sprintf("line %d, column %d: %v", line, column, err)
}

// printResult prints the id and the record's own bytes on one line.
func printResult(w io.Writer, result connector.WriteResult) error {
	id, err := json.Marshal(result.ID)
	if err != nil {
		return internal("id", err)
	}
	line := append([]byte(`{"id":`), id...)
	if len(bytes.TrimSpace(result.Raw)) > 0 {
		line = append(line, `,"record":`...)
		if line, err = appendCompact(line, result.Raw); err != nil {
			return internal("record", err)
		}
	}
	_, err = w.Write(append(line, '}', '\n'))
	return err
}
