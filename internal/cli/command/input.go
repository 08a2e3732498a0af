package command

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"windlass"
)

// FirstLine reads one line, without what surrounds it.
func FirstLine(r io.Reader) (string, error) {
	const maxLine = 64 << 10
	line, err := bufio.NewReader(io.LimitReader(r, maxLine)).ReadString('\n')
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return strings.TrimSpace(line), err
}

// Confirm asks the person at the terminal. There is none in a script, which
// passes --yes.
func Confirm(env *Env, yes bool, what string) error {
	if yes {
		return nil
	}
	if !env.StdinTerminal || !env.StderrTerminal {
		return Invalidf("delete does not ask when there is no terminal: confirm with --yes")
	}
	Tellf(env.Stderr, "%s for good? [y/N] ", what)
	answer, _ := bufio.NewReader(env.Stdin).ReadString('\n') // no answer is no
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	default:
		return &Failure{Kind: windlass.Canceled, Text: "nothing was deleted"}
	}
}

// ReadRecord reads exactly one JSON object.
func ReadRecord(r io.Reader) (json.RawMessage, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err != nil {
		return nil, Internal("standard input", err)
	}
	if len(data) > maxInput {
		return nil, Invalidf("the record on standard input is larger than %s", Size(maxInput))
	}
	data = bytes.TrimSpace(data)
	if len(data) == 0 {
		return nil, Invalidf("standard input is empty: give the record as a JSON object")
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	var record json.RawMessage
	if err := decoder.Decode(&record); err != nil {
		return nil, Invalidf("standard input is not JSON: %v", place(data, err))
	}
	if record[0] != '{' {
		return nil, Invalidf("standard input is not a JSON object: the record is {…} with the fields to set")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, Invalidf("standard input holds more than one record: write them one at a time")
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
