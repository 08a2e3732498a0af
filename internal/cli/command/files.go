package command

import (
	"errors"
	"io"
	"os"
)

// FileOrStdin reads a file, or standard input where the name is "-".
func FileOrStdin(env *Env, name string) ([]byte, error) {
	if name == "-" {
		data, err := io.ReadAll(io.LimitReader(env.Stdin, maxInput+1))
		switch {
		case err != nil:
			return nil, Internal("standard input", err)
		case len(data) > maxInput:
			return nil, Invalidf("standard input is larger than %s", Size(maxInput))
		}
		return data, nil
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, Invalidf("%s: %v", Clip(name), Reason(err))
	}
	if info.Size() > maxInput {
		return nil, Invalidf("%s is larger than %s", Clip(name), Size(maxInput))
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, Invalidf("%s: %v", Clip(name), Reason(err))
	}
	return data, nil
}

// Reason is what the system says, without the path that it repeats.
func Reason(err error) error {
	if outer, ok := errors.AsType[*os.PathError](err); ok {
		return outer.Err
	}
	return err
}

// PrivateFile is the mode of the files we create: a customer's records are private
// until their owner shares them.
const PrivateFile = 0o600

// maxInput is the largest record that is read from standard input: a snippet
// with its files is the only one that is not small.
const maxInput = 32 << 20
