// Command windlass reads, writes and describes the records of a Bitbucket
// Cloud workspace. `windlass help` says how.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"windlass/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends the process at once
	signal.Ignore(syscall.SIGPIPE)
	os.Exit(cli.Main(ctx, cli.System()))
}
