package cli_test

import (
	"net"

	"github.com/rogpeppe/go-internal/testscript"
)

// port VARIABLE sets a variable to an address of this machine that was free a moment
// ago.
func freePort(ts *testscript.TestScript, _ bool, args []string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], listener.Addr().String())
	ts.Check(listener.Close())
}
