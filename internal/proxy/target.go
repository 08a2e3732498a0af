package proxy

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"windlass"
)

// target is the path and query of a request, below the provider's base URL: the bytes
// of the request line (invariant 6). A path is never cleaned: it is refused if it is
// not clean.
func target(r *http.Request) (*url.URL, error) {
	raw := r.RequestURI
	if raw == "" { // a request that did not come through a server
		raw = r.URL.RequestURI()
	}
	path, query, asked := strings.Cut(raw, "?")
	if why := faultOf(path); why != "" {
		return nil, &windlass.Error{
			Kind: windlass.Invalid, Message: "the path is refused: " + why,
			Remedy: "send a path as the provider documents it, as in /2.0/user; it stays below the provider's address",
			Issues: []windlass.Issue{{In: "path", Message: why}},
		}
	}
	if strings.ContainsFunc(query, breaksLine) || strings.Contains(query, "#") {
		const why = "it has a space, a control character or # that is not escaped"
		return nil, &windlass.Error{
			Kind: windlass.Invalid, Message: "the query is refused: " + why, Remedy: "escape it",
			Issues: []windlass.Issue{{In: "query", Message: why}},
		}
	}
	plain, err := url.PathUnescape(path)
	if err != nil { // faultOf has looked already
		return nil, &windlass.Error{Kind: windlass.Invalid, Message: "the path is refused: its escapes are wrong"}
	}
	return &url.URL{Path: plain, RawPath: path, RawQuery: query, ForceQuery: asked}, nil
}

// below joins a base URL and a target.
func below(base, target *url.URL) *url.URL {
	to := *base
	to.Path += target.Path
	to.RawPath = base.EscapedPath() + target.RawPath
	to.RawQuery, to.ForceQuery = target.RawQuery, target.ForceQuery
	if to.EscapedPath() != to.RawPath {
		// Characters that url.URL would escape in its own way, which loses %2F.
		to.Opaque = to.RawPath
	}
	return &to
}

// faultOf says why a path could leave the base URL, or "". It is unescaped once, as the
// provider does, and refused if it is not clean then, however often another parser
// would have to unescape it.
func faultOf(path string) string {
	switch {
	case !strings.HasPrefix(path, "/"):
		return "it does not begin with /: a URL with a host is not passed on"
	case strings.ContainsFunc(path, breaksLine) || strings.ContainsAny(path, `\#`):
		return `it has a space, a control character, \ or # that is not escaped`
	}
	plain, err := url.PathUnescape(path)
	if err != nil {
		return "it has a % that does not begin an escape"
	}
	if why := cmp.Or(pathFault(path), pathFault(plain)); why != "" {
		return why
	}
	if escapesTwice(plain) {
		return "a dot, a slash, a semicolon, a percent sign or a control character is escaped twice in it"
	}
	return ""
}

// escapesTwice reports whether a path that was unescaped once holds an escape of
// what could lead elsewhere, or of another escape.
func escapesTwice(plain string) bool {
	for at := range len(plain) {
		if plain[at] != '%' || at+2 >= len(plain) {
			continue
		}
		c, err := strconv.ParseUint(plain[at+1:at+3], 16, 8)
		if err == nil && (c < ' ' || c == 0x7f || strings.IndexByte(`./\;%`, byte(c)) >= 0) {
			return true
		}
	}
	return false
}

// pathFault checks a path as one parser may understand it.
func pathFault(path string) string {
	const separators = `/\`
	if len(path) > 1 && strings.ContainsRune(separators, rune(path[1])) {
		return "it begins with two slashes, which names a host"
	}
	for segment := range strings.FieldsFuncSeq(path, func(c rune) bool { return strings.ContainsRune(separators, c) }) {
		if name, _, _ := strings.Cut(segment, ";"); name == ".." { // some servers drop what follows ;
			return "a segment .. leads out of it"
		}
	}
	if strings.ContainsFunc(path, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		return "a control character is escaped in it"
	}
	return ""
}

// breaksLine reports a character that ends a word or a line of a request.
func breaksLine(c rune) bool { return c <= ' ' || c == 0x7f }
