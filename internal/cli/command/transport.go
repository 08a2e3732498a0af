package command

import (
	"net"
	"net/http"
	"time"
)

// NewTransport returns a transport that gives up on a host that does not pick up.
// What happens after the connection stands is watched by the meter, which
// allows an answer to take long as long as something arrives.
func NewTransport() *http.Transport {
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
