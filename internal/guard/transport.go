package guard

import (
	"net"
	"net/http"
	"net/netip"
	"time"
)

// Options say how a Transport connects. The zero value reaches what is public.
type Options struct {
	// Allow are networks that may be reached although they are not public.
	Allow []netip.Prefix
	// Resolver resolves names; nil is the system's. What it answers is guarded
	// like everything else.
	Resolver *net.Resolver
	// MaxIdlePerHost is how many connections to one host are kept for the next
	// request; 0 means 16.
	MaxIdlePerHost int
}

// Transport returns a transport of its own whose every connection is guarded.
// It takes no proxy from the environment, answers no more than 64 KiB of
// headers, and never unpacks a body: its reader decides how much of it to take.
// opts may be nil.
func Transport(opts *Options) *http.Transport {
	if opts == nil {
		opts = &Options{}
	}
	idle := opts.MaxIdlePerHost
	if idle == 0 {
		idle = 16
	}
	dialer := &net.Dialer{
		Timeout: 10 * time.Second, KeepAlive: 30 * time.Second,
		Resolver: opts.Resolver, ControlContext: New(opts.Allow...).Control,
	}
	return &http.Transport{
		Proxy:                  nil, // on purpose: see the package's comment
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxIdleConns:           1024,
		MaxIdleConnsPerHost:    idle,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
	}
}
