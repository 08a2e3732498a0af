// Command windlass reads, writes and describes the records of a Bitbucket
// Cloud workspace, and serves those of many. `windlass help` says how.
package main

import (
	"os"

	"windlass/internal/cli"
)

func main() {
	os.Exit(cli.Main(cli.Interruptible(), cli.System()))
}
