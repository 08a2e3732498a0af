package ui

import (
	"bytes"
	"crypto/rand"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
)

//go:embed consent.html
var consentHTML string

var consentPage = template.Must(template.New("consent").Parse(consentHTML))

// Consent is the page on which a customer's consent ends, well or not. It tells
// the page that opened it, if that is known.
type Consent struct {
	Status int    // of the HTTP answer
	Title  string // how it went, in a few words
	Text   string // what that means
	Remedy string // what to do about it; may be empty
	// Origin is the only origin that Message is sent to; empty: it is sent to
	// nobody.
	Origin string
	// Message is what the opener is told. It is marshalled to JSON.
	Message any
	// Done closes the window once the opener has been told.
	Done bool
	// Reference is what to quote to whoever has to help; may be empty.
	Reference string
}

// Write answers a request with the page.
func (c Consent) Write(w http.ResponseWriter) error {
	nonce := rand.Text()
	var body bytes.Buffer
	if err := consentPage.Execute(&body, struct {
		Consent
		Nonce string
	}{c, nonce}); err != nil {
		return fmt.Errorf("write the consent page: %w", err)
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", "default-src 'none'; script-src 'nonce-"+nonce+"'; style-src 'nonce-"+nonce+
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	header.Set("X-Frame-Options", "DENY")
	// The address holds the code and the state.
	header.Set("Referrer-Policy", "no-referrer")
	// same-origin would cut the opener off, which waits for the message.
	header.Set("Cross-Origin-Opener-Policy", "unsafe-none")
	w.WriteHeader(c.Status)
	_, _ = body.WriteTo(w) // a browser that went away needs no page
	return nil
}
