package webhook

import (
	"fmt"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"windlass"
)

const (
	maxURL     = 2048
	maxHeaders = 50
	maxHeader  = 4096
)

// Check says what is wrong with where messages are to go, and what is added to them.
func (s *Sink) Check(d windlass.Destination) []windlass.Issue {
	var is issues
	settings, err := settingsOf(d)
	if err != nil {
		is.addf("", "cannot be read: %v", err)
		return is
	}
	is.url(settings.URL, &s.config)
	is.headers(settings.Headers)
	return is
}

// issues gathers all that is wrong with settings.
type issues []windlass.Issue

func (is *issues) addf(name, format string, args ...any) {
	*is = append(*is, windlass.Issue{In: "body", Name: name, Message: fmt.Sprintf(format, args...)})
}

// url checks where messages are sent to. Whether the address may be reached is decided
// when it is dialled: a name can resolve to anything.
func (is *issues) url(text string, config *Config) {
	const name = "url"
	if strings.TrimSpace(text) == "" {
		is.addf(name, "is missing")
		return
	}
	if len(text) > maxURL {
		is.addf(name, "is longer than %d bytes", maxURL)
		return
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Opaque != "" || strings.ContainsAny(text, " \t\r\n"):
		is.addf(name, "is not a URL: write one such as https://example.com/hooks") // not repeated: it may hold a password
	case u.Scheme == "http" && !config.AllowHTTP:
		is.addf(name, "is an http URL, which is not encrypted: use https, or start the server with http destinations allowed")
	case u.Scheme != "https" && u.Scheme != "http":
		is.addf(name, "does not begin with https://: write one such as https://example.com/hooks")
	case u.Hostname() == "":
		is.addf(name, "has no host: write one such as https://example.com/hooks")
	case u.User != nil:
		is.addf(name, "has a name or password in it, which would show in logs: put credentials into metadata.headers")
	case u.Fragment != "" || strings.HasSuffix(text, "#"):
		is.addf(name, "has a part behind #, which is never sent: remove it")
	default:
		is.host(u.Hostname(), name, config.CheckAddress)
	}
}

// host checks the host of a URL, without resolving it.
func (is *issues) host(host, name string, check func(netip.Addr) error) {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	addr, err := netip.ParseAddr(host)
	last := host[strings.LastIndexByte(host, '.')+1:]
	switch {
	case err == nil:
	case host == "localhost" || strings.HasSuffix(host, ".localhost"):
		addr = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	case strings.HasPrefix(last, "0x") || strings.Trim(last, "0123456789") == "":
		is.addf(name, "has a number for a host: write an address as in 192.0.2.1, or a name")
		return
	default:
		return
	}
	if check != nil && check(addr.Unmap().WithZone("")) != nil {
		is.addf(name, "leads to an address that is not public: if it is meant to, start the server with --allow-private-destinations and its network")
	}
}

// ownHeaders are set for each message, as are headers with one of the prefixes.
var (
	ownHeaders  = []string{"content-length", "content-type", "host", "connection", "transfer-encoding", "upgrade", "te", "trailer", "user-agent"}
	ownPrefixes = []string{"svix-", "webhook-"}
)

// headers checks the extra headers of messages.
func (is *issues) headers(headers map[string]string) {
	const name = "headers"
	if len(headers) > maxHeaders {
		is.addf(name, "has %d headers: at most %d are sent", len(headers), maxHeaders)
		return
	}
	seen := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(headers)) {
		at := name + "." + clip(key)
		lower := strings.ToLower(key)
		value := headers[key]
		switch {
		case key == "" || strings.ContainsFunc(key, func(r rune) bool { return !tokenChar(r) }):
			is.addf(at, "is not the name of a header: it may have letters, digits and \"-\"")
		case slices.Contains(ownHeaders, lower) || slices.ContainsFunc(ownPrefixes, func(p string) bool { return strings.HasPrefix(lower, p) }):
			is.addf(at, "is set for each message, and cannot be overridden")
		case seen[lower] != "":
			is.addf(at, "is there twice, as %q before", seen[lower])
		case len(value) > maxHeader || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			is.addf(at, "has a value that cannot be sent: it is longer than %d bytes, or holds a line break or another control character", maxHeader)
		}
		seen[lower] = key
	}
}

// tokenChar reports whether a header's name may have a character (RFC 9110, 5.6.2).
func tokenChar(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r < 0x80 && strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

// clip shortens what a caller wrote, to repeat it.
func clip(text string) string {
	const longest = 80
	if len(text) <= longest {
		return text
	}
	return strings.ToValidUTF8(text[:longest], "") + "…"
}
