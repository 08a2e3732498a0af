// Package origin knows what the origin of a web page looks like, as browsers send
// it (RFC 6454, section 6.2; the HTML standard's serialization).
package origin

import (
	"net"
	"net/url"
	"strconv"
	"strings"
)

// Is reports whether a text is an origin just as a browser writes one: https or
// http, a host in lower case and ASCII, a port where it is not the usual one, and
// nothing else. Wildcards, paths, users and "null" are none.
func Is(text string) bool {
	at, err := url.Parse(text)
	if err != nil || (at.Scheme != "https" && at.Scheme != "http") || text != at.Scheme+"://"+at.Host {
		return false
	}
	host, port := at.Hostname(), at.Port()
	if strings.HasSuffix(at.Host, ":") || !isPort(at.Scheme, port) {
		return false
	}
	if strings.HasPrefix(at.Host, "[") {
		address := net.ParseIP(host)
		return address != nil && address.String() == host && strings.Contains(host, ":")
	}
	return isHost(host)
}

func isPort(scheme, port string) bool {
	if port == "" {
		return true
	}
	number, err := strconv.Atoi(port)
	usual := map[string]int{"https": 443, "http": 80}[scheme]
	return err == nil && number > 0 && number < 1<<16 && number != usual && strconv.Itoa(number) == port
}

const (
	maxHost  = 253
	maxLabel = 63
)

func isHost(host string) bool {
	if host == "" || len(host) > maxHost {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.ContainsFunc(label, func(r rune) bool {
				return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
			}) {
			return false
		}
	}
	return true
}
