package cli

import (
	"bufio"
	"errors"
	"io"
	"os"
	"strings"
)

// firstLine reads one line, without what surrounds it.
func firstLine(r io.Reader) (string, error) {
	const longest = 64 << 10
	line, err := bufio.NewReader(io.LimitReader(r, longest)).ReadString('\n')
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return strings.TrimSpace(line), err
}

// fileOrStdin reads a file, or standard input where the name is "-".
func fileOrStdin(env *Env, name string) ([]byte, error) {
	if name == "-" {
		data, err := io.ReadAll(io.LimitReader(env.Stdin, mostInput+1))
		switch {
		case err != nil:
			return nil, internal("standard input", err)
		case len(data) > mostInput:
			return nil, invalidf("standard input is larger than %s", size(mostInput))
		}
		return data, nil
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, invalidf("%s: %v", clip(name), reason(err))
	}
	if info.Size() > mostInput {
		return nil, invalidf("%s is larger than %s", clip(name), size(mostInput))
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, invalidf("%s: %v", clip(name), reason(err))
	}
	return data, nil
}

// reason is what the system says, without the path that it repeats.
func reason(err error) error {
	if outer, ok := errors.AsType[*os.PathError](err); ok {
		return outer.Err
	}
	return err
}
