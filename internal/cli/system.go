package cli

import (
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/term"
)

// System returns the Env of this process.
func System() Env {
	return Env{
		Args:           os.Args[1:],
		Stdin:          os.Stdin,
		Stdout:         os.Stdout,
		Stderr:         os.Stderr,
		Getenv:         os.Getenv,
		Environ:        os.Environ,
		Now:            time.Now,
		StdinTerminal:  isTerminal(os.Stdin),
		StdoutTerminal: isTerminal(os.Stdout),
		StderrTerminal: isTerminal(os.Stderr),
		Columns: func() int {
			columns, _, err := term.GetSize(int(os.Stderr.Fd()))
			if err != nil || columns <= 0 {
				return 80
			}
			return columns
		},
	}
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// newBase returns a transport that gives up on a host that does not pick up.
// What happens after the connection stands is watched by the meter, which
// allows an answer to take long as long as something arrives.
func newBase() *http.Transport {
	const (
		dial      = 15 * time.Second
		keepAlive = 30 * time.Second
		handshake = 15 * time.Second
		idle      = 90 * time.Second
	)
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: dial, KeepAlive: keepAlive}).DialContext,
		TLSHandshakeTimeout: handshake,
		IdleConnTimeout:     idle,
		ForceAttemptHTTP2:   true,
	}
}
