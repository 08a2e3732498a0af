package guard_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"windlass"
	"windlass/internal/guard"
)

func TestAddresses(t *testing.T) {
	t.Parallel()
	g := guard.New()
	for _, row := range []struct {
		what, addr string
		allowed    bool
	}{
		{"a public address", "8.8.8.8", true},
		{"the last one before a private network", "9.255.255.255", true},
		{"the first one behind it", "11.0.0.0", true},
		{"the last one before the carriers'", "100.63.255.255", true},
		{"the first one behind the carriers'", "100.128.0.0", true},
		{"one between the private ones", "172.15.255.255", true},
		{"another between them", "172.32.0.0", true},
		{"a public IPv6 address", "2606:4700:4700::1111", true},
		{"the last one before multicast", "223.255.255.255", true},

		{"this network", "0.0.0.0", false},
		{"the end of this network", "0.255.255.255", false},
		{"private, 10/8", "10.0.0.1", false},
		{"carriers' shared addresses", "100.64.0.1", false},
		{"a metadata service among the carriers'", "100.100.100.200", false},
		{"loopback", "127.0.0.1", false},
		{"the end of loopback", "127.255.255.254", false},
		{"link-local", "169.254.1.1", false},
		{"the metadata service", "169.254.169.254", false},
		{"private, 172.16/12", "172.16.0.1", false},
		{"the end of it", "172.31.255.255", false},
		{"protocol assignments", "192.0.0.170", false},
		{"documents, one", "192.0.2.1", false},
		{"6to4 relays", "192.88.99.1", false},
		{"private, 192.168/16", "192.168.1.1", false},
		{"benchmarks", "198.18.0.1", false},
		{"documents, two", "198.51.100.7", false},
		{"documents, three", "203.0.113.7", false},
		{"multicast", "224.0.0.1", false},
		{"reserved", "240.0.0.1", false},
		{"broadcast", "255.255.255.255", false},

		{"unspecified", "::", false},
		{"loopback, IPv6", "::1", false},
		{"IPv4-compatible", "::7f00:1", false},
		{"IPv4-mapped", "::ffff:127.0.0.1", false},
		{"IPv4-mapped and public, which is connected to as IPv4", "::ffff:8.8.8.8", false},
		{"IPv4-translated", "::ffff:0:7f00:1", false},
		{"NAT64", "64:ff9b::a9fe:a9fe", false},
		{"local NAT64", "64:ff9b:1::a9fe:a9fe", false},
		{"discard only", "100::1", false},
		{"Teredo", "2001::1", false},
		{"benchmarks, IPv6", "2001:2::1", false},
		{"ORCHID", "2001:20::1", false},
		{"documents, IPv6", "2001:db8::1", false},
		{"6to4", "2002:a9fe:a9fe::1", false},
		{"more documents", "3fff::1", false},
		{"segment routing", "5f00::1", false},
		{"unique local", "fd00:ec2::254", false},
		{"link-local, IPv6", "fe80::1", false},
		{"link-local with a zone", "fe80::1%eth0", false},
		{"a public one with a zone", "2606:4700::1%lo", true},
		{"site-local", "fec0::1", false},
		{"multicast, IPv6", "ff02::1", false},
	} {
		err := g.Check(netip.MustParseAddr(row.addr))
		if (err == nil) != row.allowed {
			t.Errorf("%s (%s): allowed is %t", row.what, row.addr, err == nil)
		}
		if err != nil && (!errors.Is(err, windlass.Forbidden) || !strings.Contains(err.Error(), row.addr)) {
			t.Errorf("%s: the refusal %v does not say what", row.what, err)
		}
	}
}

func TestAllowedNetworks(t *testing.T) {
	t.Parallel()
	allowed, err := guard.ParseAllowed([]string{"10.1.0.0/16", " 127.0.0.1 ", "::ffff:192.168.0.0/112", "fd00:1::/32", "fe80::/10", "64:ff9b::/96"})
	if err != nil {
		t.Fatal(err)
	}
	g := guard.New(allowed...)
	for addr, want := range map[string]bool{
		"10.1.2.3": true, "10.2.0.1": false, "127.0.0.1": true, "127.0.0.2": false, "192.168.0.9": true, "192.168.9.9": true, "192.169.0.1": true,
		"fd00:1::9": true, "fd00:2::9": false, "fe80::1%eth0": true, "64:ff9b::808:808": true, "169.254.169.254": false,
	} {
		if err := g.Check(netip.MustParseAddr(addr)); (err == nil) != want {
			t.Errorf("%s: got %v, want it allowed: %t", addr, err, want)
		}
	}
	if _, err := guard.ParseAllowed([]string{"10.0.0.0/33", "ok", "10.0.0.0/8"}); !errors.Is(err, windlass.Invalid) ||
		!strings.Contains(err.Error(), "10.0.0.0/33") || !strings.Contains(err.Error(), "ok") {
		t.Errorf("got %v, want both entries named", err)
	}
}

func TestControl(t *testing.T) {
	t.Parallel()
	g := guard.New()
	for _, row := range []struct {
		network, address string
		allowed          bool
	}{
		{"tcp4", "8.8.8.8:443", true},
		{"tcp6", "[2606:4700::1111]:8443", true},
		{"tcp4", "127.0.0.1:443", false},
		{"tcp6", "[::1]:443", false},
		{"udp4", "8.8.8.8:53", false},
		{"unix", "/run/docker.sock", false},
		{"tcp4", "example.com:443", false},
		{"tcp4", "", false},
	} {
		err := g.Control(t.Context(), row.network, row.address, nil)
		if (err == nil) != row.allowed || err != nil && !errors.Is(err, windlass.Forbidden) {
			t.Errorf("%s %s: got %v", row.network, row.address, err)
		}
	}
}

// Whatever is let through is a global unicast address that means itself.
func FuzzCheck(f *testing.F) {
	for _, addr := range []string{"8.8.8.8", "::ffff:10.0.0.1", "64:ff9b::1", "2002::1", "fe80::1%x", "2606:4700::1"} {
		f.Add(addr)
	}
	g := guard.New()
	f.Fuzz(func(t *testing.T, text string) {
		addr, err := netip.ParseAddr(text)
		if err != nil || g.Check(addr) != nil {
			return
		}
		if !addr.IsGlobalUnicast() || addr.IsPrivate() || addr.Is4In6() ||
			addr.Is6() && !netip.MustParsePrefix("2000::/3").Contains(addr.WithZone("")) {
			t.Errorf("%s is let through", addr)
		}
	})
}
