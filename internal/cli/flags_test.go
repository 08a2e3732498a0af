package cli_test

import (
	"net"
	"testing"
)

func TestAddressInUseHasOneExitCode(t *testing.T) {
	t.Parallel()
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	addr := taken.Addr().String()
	for _, args := range [][]string{
		{"serve", "--addr", addr, "--data-dir", t.TempDir()}, {"sandbox", "--addr", addr}, {"listen", "--addr", addr},
	} {
		p := newProgram(t)
		p.run(t, 6, args...)
		p.says(t, "windlass: listen on "+addr+": something else listens there already; stop it, or give another address\n")
	}
}
