package bitbucket

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"windlass"
	"windlass/internal/jsonscan"
)

// follow returns the request for the page after the one that came for p, as a
// path and query, and "" after the last. It is Bitbucket's own link, with what
// the link has lost put back: a link without the sort or the filter leads into
// another list.
func (w *walker) follow(p place, env envelope, fresh int) (string, []string, error) {
	if env.next == "" {
		uri := w.unlinked(p, env, fresh)
		if uri == "" {
			return "", nil, nil
		}
		return uri, []string{fmt.Sprintf("The link to the next page is missing, although the provider counts %d records: the read goes on without it.", env.size)}, nil
	}
	uri, err := w.c.relative(w.op, env.next)
	if err != nil {
		return "", nil, err
	}
	if err := w.checkLink(p, env.next, uri); err != nil {
		return "", nil, err
	}
	uri, lost := restored(p.URI, uri, env.pagelen)
	if len(lost) == 0 {
		return uri, nil, nil
	}
	return uri, []string{"The link to the next page has lost or changed " + strings.Join(lost, ", ") + ": the read goes on with what it asked for."}, nil
}

// checkLink refuses a link that is not one to a page of the same list: followed,
// it would end in an error about something that is not wrong. Only the workspace,
// and a parent record that was named by UUID, may be spelled in another way.
func (w *walker) checkLink(p place, link, uri string) error {
	asked, _, _ := strings.Cut(p.URI, "?")
	path, query, _ := strings.Cut(uri, "?")
	_, bad := url.ParseQuery(query)
	same := bad == nil && !strings.ContainsFunc(uri, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
	ours, theirs := strings.Split(asked, "/"), strings.Split(path, "/")
	same = same && len(ours) == len(theirs)
	named := w.spelledFreely()
	for i := 0; same && i < len(ours); i++ {
		spelled := ours[i] != "" && slices.Contains(named, unescaped(ours[i])) && theirs[i] != "" &&
			!strings.ContainsAny(theirs[i], "&=;") && !strings.Contains(theirs[i], "%20")
		same = ours[i] == theirs[i] || unescaped(ours[i]) == unescaped(theirs[i]) || spelled
	}
	if same {
		return nil
	}
	return &windlass.Error{
		Kind: windlass.Malformed, Op: w.op,
		Message: "Bitbucket's link to the next page is malformed: " + cleanText(link),
		Remedy:  "it was not followed; what was read so far is good, so try again, and if it stays so, report the link to Atlassian", Provider: &windlass.ProviderDetails{},
	}
}

// spelledFreely are the segments of the list's path for which Bitbucket has two
// names: the workspace, and what the parent record names by UUID.
func (w *walker) spelledFreely() []string {
	named := []string{w.c.workspace}
	values := []string{w.req.Parent.ID}
	for _, key := range w.o.keys {
		values = append(values, jsonscan.Plain(w.req.Parent.Keys[key]))
	}
	for _, value := range values {
		if strings.HasPrefix(value, "{") {
			named = append(named, value)
		}
	}
	return named
}

func unescaped(segment string) string {
	plain, err := url.PathUnescape(segment)
	if err != nil {
		return segment
	}
	return plain
}

// restored puts back into a link what was asked for and is not in it, and names
// it. A page length that the provider really uses stays: the numbers of its
// pages count in that.
func restored(asked, link string, pagelen int) (string, []string) {
	_, raw, _ := strings.Cut(asked, "?")
	path, rawLink, _ := strings.Cut(link, "?")
	ours, err := url.ParseQuery(raw)
	theirs, bad := url.ParseQuery(rawLink)
	if err != nil || bad != nil {
		return link, nil // checkLink has refused it
	}
	var lost []string
	for _, name := range []string{"fields", "pagelen", "q", "role", "sort"} {
		if !ours.Has(name) || ours.Get(name) == theirs.Get(name) {
			continue
		}
		value := ours.Get(name)
		if name == "pagelen" && pagelen > 0 {
			value = strconv.Itoa(pagelen)
		}
		if theirs.Get(name) == value {
			continue
		}
		theirs.Set(name, value)
		lost = append(lost, name)
	}
	if len(lost) == 0 {
		return link, nil
	}
	return path + encode(theirs), lost
}

// unlinked is the request for the next page where the link to it is missing
// although the list is said to have more (BCLOUD-20639); "" at its end.
func (w *walker) unlinked(p place, env envelope, fresh int) string {
	if env.size < 0 || fresh == 0 {
		return ""
	}
	path, raw, _ := strings.Cut(p.URI, "?")
	query, err := url.ParseQuery(raw)
	if err != nil {
		return ""
	}
	number := 1
	if text := query.Get("page"); text != "" {
		if number, err = strconv.Atoi(text); err != nil || number < 1 {
			return "" // no number: it cannot be counted on
		}
	}
	length := env.pagelen
	if length == 0 {
		length, _ = strconv.Atoi(query.Get("pagelen")) // 0 where none was asked for
	}
	if length == 0 || length < len(env.records) {
		length = len(env.records)
	}
	if number*length >= env.size {
		return ""
	}
	query.Set("page", strconv.Itoa(number+1))
	return path + encode(query)
}
