// Package guard keeps requests to addresses that customers choose, such as a
// webhook's, away from what only this machine and its neighbours should reach:
// loopback, private and link-local networks, the metadata service of a cloud,
// carriers' shared addresses, multicast, what is reserved or for documents, and
// every form of IPv6 that stands for an IPv4 address (mapped, compatible,
// translated, 6to4, Teredo).
//
// # What it promises
//
// The address is checked when a connection is made, after its name has been resolved,
// and for every connection. So it does not matter what a name resolved to a moment ago,
// which of several addresses is tried, or where a redirect leads. No proxy is taken
// from the environment: one would resolve and connect by itself. What may be reached
// nevertheless is a list of networks.
//
// Every port may be reached: a receiver may listen on any.
//
// # What to use
//
// [Transport] for requests, [Guard.Control] for a dialer of one's own. Which
// addresses are special is told by code.dny.dev/ssrf, which follows the
// registries of IANA (docs/adr/0011-address-guard.md).
package guard

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"syscall"

	"code.dny.dev/ssrf"

	"windlass"
)

// Guard decides which addresses may be connected to. It is safe for concurrent
// use; the zero value cannot be used, see [New].
type Guard struct{ registry *ssrf.Guardian }

// New returns a Guard that lets through what is public, and the given networks.
func New(allowed ...netip.Prefix) *Guard {
	var four, six []netip.Prefix
	for _, prefix := range allowed {
		prefix = unmapped(prefix).Masked()
		if prefix.Addr().Is4() {
			four = append(four, prefix)
		} else {
			six = append(six, prefix)
		}
	}
	return &Guard{registry: ssrf.New(
		ssrf.WithAnyPort(), ssrf.WithNetworks("tcp4", "tcp6"),
		ssrf.WithAllowedV4Prefixes(four...), ssrf.WithAllowedV6Prefixes(six...),
	)}
}

// ParseAllowed reads networks such as "10.1.0.0/16"; a single address is a
// network of its own. It reports all errors of the list at once.
func ParseAllowed(networks []string) ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	var issues []windlass.Issue
	for _, text := range networks {
		text = strings.TrimSpace(text)
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			addr, addrErr := netip.ParseAddr(text)
			if addrErr != nil || addr.Zone() != "" {
				issues = append(issues, windlass.Issue{Name: text, Message: "not a network"})
				continue
			}
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		prefixes = append(prefixes, prefix)
	}
	if len(issues) > 0 {
		return nil, &windlass.Error{
			Kind: windlass.Invalid, Op: "read the networks that may be reached", Message: "an entry is not a network",
			Remedy: "write networks such as 10.1.0.0/16 or fd00:1::/32", Issues: issues,
		}
	}
	return prefixes, nil
}

// unmapped turns ::ffff:10.0.0.0/104 into 10.0.0.0/8: that is how such an
// address is connected to.
func unmapped(prefix netip.Prefix) netip.Prefix {
	const mapped = 96
	if prefix.Addr().Is4In6() && prefix.Bits() >= mapped {
		return netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-mapped)
	}
	return prefix
}

// Control is for net.Dialer.ControlContext: it refuses a connection before it
// is made.
func (g *Guard) Control(_ context.Context, network, address string, _ syscall.RawConn) error {
	end, err := netip.ParseAddrPort(address)
	if err != nil || network != "tcp4" && network != "tcp6" {
		return refusal(fmt.Sprintf("%s connections to %q are not made", network, address), err)
	}
	return g.Check(end.Addr())
}

// Check says why an address must not be connected to, if it must not: a
// *windlass.Error of kind Forbidden.
func (g *Guard) Check(addr netip.Addr) error {
	// A zone says by which interface, and is part of no network.
	if err := g.registry.SafeAddr(addr.WithZone("")); err != nil {
		return refusal(fmt.Sprintf("the address %s is not public", addr), err)
	}
	return nil
}

func refusal(message string, err error) error {
	return &windlass.Error{
		Kind: windlass.Forbidden, Op: "connect", Message: message,
		Remedy: "if it is meant to be reached, add its network to those that this server allows", Err: err,
	}
}
