package api_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// A browser keeps cookies, and opens the pages of consents.
type browser struct {
	w       *world
	cookies map[string]string
}

func (w *world) browser() *browser { return &browser{w: w, cookies: map[string]string{}} }

// open gets an address of ours.
func (b *browser) open(address string) answer {
	b.w.t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		b.w.t.Fatal(err)
	}
	header := map[string]string{}
	var sent []string
	for name, value := range b.cookies {
		sent = append(sent, name+"="+value)
	}
	if len(sent) > 0 {
		header["Cookie"] = strings.Join(sent, "; ")
	}
	got := b.w.do(request{method: "GET", key: noKey, path: at.RequestURI(), header: header})
	for _, cookie := range (&http.Response{Header: got.header}).Cookies() {
		if b.cookies[cookie.Name] = cookie.Value; cookie.MaxAge < 0 {
			delete(b.cookies, cookie.Name)
		}
	}
	return got
}

var aContinue = regexp.MustCompile(`<a id="continue" href="([^"]*)">`)

// next returns the address that the page of a consent goes on to.
func (b *browser) next(page answer) string {
	b.w.t.Helper()
	found := aContinue.FindStringSubmatch(page.body)
	if found == nil {
		b.w.t.Fatalf("the page leads nowhere: %s", page.body)
	}
	return html.UnescapeString(found[1])
}

// callback goes through the pages, and returns the address that the provider sends
// the browser back to.
func (b *browser) callback(begun, with string) string {
	b.w.t.Helper()
	to := b.open(b.next(b.open(begun).is(200))).is(303).header.Get("Location")
	at, err := url.Parse(to)
	if err != nil || at.Host != "provider.example.com" {
		b.w.t.Fatalf("it goes on to %q, %v", to, err)
	}
	return "https://windlass.example.com/callbacks/v1/oauth?state=" + url.QueryEscape(at.Query().Get("state")) + "&" + with
}

// comeBack is a browser that opens a consent, and comes back from the provider.
func (w *world) comeBack(begun, with string) answer {
	w.t.Helper()
	b := w.browser()
	return b.open(b.callback(begun, with))
}
