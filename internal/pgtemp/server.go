// Package pgtemp runs a throw-away PostgreSQL for tests, from whatever
// PostgreSQL the machine has. As root on Debian it installs one where there is
// none; elsewhere it says what is missing.
//
// A server lives in a folder of its own and listens on a socket in it, so that
// any number run side by side and none meets one that was there before. It does
// not outlive the process that started it, however that ends, and leaves nothing
// behind. It syncs nothing to disk: it is for tests only.
//
// [Shared] is what tests use. The command withpostgres starts one server for all
// the tests of `make test`.
package pgtemp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Environment is the variable that names a server to use instead of starting
// one: its address, as a user who may create databases.
const Environment = "WINDLASS_TEST_POSTGRES"

// A Server is a running PostgreSQL.
type Server struct {
	url     string
	stop    io.WriteCloser
	process *exec.Cmd
}

// URL is the address of the server's database "postgres", as a superuser.
func (s *Server) URL() string { return s.url }

// Stop ends the server and removes what it kept. It waits until that is done.
func (s *Server) Stop() error {
	return errors.Join(s.stop.Close(), s.process.Wait())
}

// Restart stops the server as an administrator would, breaking off whatever is
// under way, starts it again, and returns when it answers.
func (s *Server) Restart(ctx context.Context) error {
	before, err := s.started(ctx)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(s.stop, "restart"); err != nil {
		return err
	}
	for {
		now, err := s.started(ctx)
		if err == nil && !now.Equal(before) {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// started is when the server started.
func (s *Server) started(ctx context.Context) (at time.Time, err error) {
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return time.Time{}, err
	}
	defer func() { _ = conn.Close(ctx) }() // it may be gone with the server
	return at, conn.QueryRow(ctx, "SELECT pg_postmaster_start_time()").Scan(&at)
}

// Shared returns the address of the server that all tests of this process
// share: the one that Environment names, or else one that starts now and ends
// with the process.
func Shared() (string, error) {
	if address := os.Getenv(Environment); address != "" {
		return address, nil
	}
	server, err := shared()
	if err != nil {
		return "", err
	}
	return server.URL(), nil
}

// shared keeps the server, and so the pipe that keeps it running, as long as
// the process lives.
var shared = sync.OnceValues(func() (*Server, error) { return Start(context.Background()) })

// script runs a server until its input ends, which the kernel sees to when the
// process at the other end of the pipe dies. Then it stops the server at once
// (SIGINT: without waiting for clients) and removes the folder. A line of input
// restarts the server.
const script = `cd "$1" || exit 1
"$2/initdb" -D data -U postgres -A trust -E UTF8 --locale=C --no-sync >log 2>&1 || { touch failed; read -r _; cd /; rm -rf "$1"; exit 1; }
serve() {
	"$2/postgres" -D data -k "$1" -c listen_addresses= -c fsync=off -c synchronous_commit=off -c full_page_writes=off \
		-c max_connections=300 -c shared_buffers=64MB -c max_wal_size=256MB -c checkpoint_timeout=1h -c autovacuum_naptime=10 >>log 2>&1 &
	server=$!
}
serve "$1" "$2"
while read -r _; do
	kill -INT $server 2>/dev/null
	wait $server
	serve "$1" "$2"
done
kill -INT $server 2>/dev/null
wait $server
cd /
rm -rf "$1"`

// Start starts a server of its own and returns when it answers.
func Start(ctx context.Context) (*Server, error) {
	programs, err := find(ctx)
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "windlass-pg-")
	if err != nil {
		return nil, fmt.Errorf("start a PostgreSQL for tests: %w", err)
	}
	server, err := start(ctx, programs, folder)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start a PostgreSQL for tests with %s: %w", programs, err), os.RemoveAll(folder))
	}
	return server, nil
}

func start(ctx context.Context, programs, folder string) (*Server, error) {
	// The command must outlive ctx, which may be that of one test.
	process := exec.Command("/bin/sh", "-c", script, "sh", folder, programs) //nolint:gosec,noctx // both paths are ours
	process.Env = append(os.Environ(), "LC_ALL=C")
	process.Dir = "/"
	if err := asOrdinaryUser(process, folder); err != nil {
		return nil, err
	}
	stop, err := process.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := process.Start(); err != nil {
		return nil, err
	}
	server := &Server{
		url:  "postgres:///postgres?" + url.Values{"host": {folder}, "user": {"postgres"}, "sslmode": {"disable"}}.Encode(),
		stop: stop, process: process,
	}
	if err := server.await(ctx, folder); err != nil {
		log, _ := os.ReadFile(filepath.Join(folder, "log")) // what there is of it
		return nil, errors.Join(fmt.Errorf("%w: %s", err, strings.TrimSpace(string(log))), server.Stop())
	}
	return server, nil
}

// await returns when the server answers.
func (s *Server) await(ctx context.Context, folder string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, s.url)
		if err == nil {
			return conn.Close(ctx)
		}
		if _, err := os.Stat(filepath.Join(folder, "failed")); err == nil {
			return errors.New("initdb failed")
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
