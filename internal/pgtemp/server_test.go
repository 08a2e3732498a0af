package pgtemp_test

import (
	"bufio"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/pgtemp"
)

func TestServerStopsAndLeavesNothing(t *testing.T) {
	t.Parallel()
	server, err := pgtemp.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	folder := folderOf(t, server.URL())
	conn, err := pgx.Connect(t.Context(), server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if err := server.Stop(); err != nil {
		t.Error(err)
	}
	if err := conn.Ping(t.Context()); err == nil {
		t.Error("it still answers")
	}
	if _, err := os.Stat(folder); err == nil {
		t.Errorf("%s is left behind", folder)
	}
}

// The server of a process that is killed ends by itself.
func TestServerEndsWithItsProcess(t *testing.T) {
	t.Parallel()
	child := exec.Command(os.Args[0], "-test.run=^TestChild$")
	child.Env = append(os.Environ(), "WINDLASS_TEST_CHILD=1")
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var address string
	for lines := bufio.NewScanner(out); address == "" && lines.Scan(); {
		address, _ = strings.CutPrefix(lines.Text(), "at ")
	}
	if address == "" {
		t.Fatal("the child started no server")
	}
	folder := folderOf(t, address)
	if _, err := os.Stat(folder); err != nil {
		t.Fatal(err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(folder); err != nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is still there", folder)
		}
	}
}

// TestChild is the process that TestServerEndsWithItsProcess kills.
func TestChild(t *testing.T) {
	if os.Getenv("WINDLASS_TEST_CHILD") == "" {
		return // it has no parent test
	}
	server, err := pgtemp.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(os.Stdout, "at %s\n", server.URL())
	select {} // until it is killed
}

func folderOf(t *testing.T, address string) string {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Query().Get("host")
}
