// Command withpostgres runs another command with a throw-away PostgreSQL, whose
// address the command finds in WINDLASS_TEST_POSTGRES. It ends as that command
// ends. Where the variable is set already, that server is used.
//
//	go run ./internal/pgtemp/withpostgres go test ./...
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"

	"windlass/internal/pgtemp"
)

func main() {
	code, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "withpostgres:", err)
	}
	os.Exit(code)
}

func run(args []string) (code int, err error) {
	if len(args) == 0 {
		return 2, errors.New("name the command to run")
	}
	// ^C goes to the command as well, which ends by itself; the server is to be
	// stopped only then.
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	defer signal.Stop(interrupted)

	environment := os.Environ()
	if os.Getenv(pgtemp.Environment) == "" {
		server, err := pgtemp.Start(context.Background())
		if err != nil {
			return 1, err
		}
		defer func() { err = errors.Join(err, server.Stop()) }()
		environment = append(environment, pgtemp.Environment+"="+server.URL())
	}
	command := exec.Command(args[0], args[1:]...) //nolint:gosec,noctx // to run what it is told is what it is for
	command.Env = environment
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = command.Run()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return max(exit.ExitCode(), 1), nil
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}
