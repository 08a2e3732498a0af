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

//go:embed opening.html
var openingHTML string

var (
	consentPage = template.Must(template.New("consent").Parse(consentHTML))
	openingPage = template.Must(template.New("opening").Parse(openingHTML))
)

// Consent is the page on which a customer's consent ends, with success or not. It
// notifies the page that opened it, if known.
type Consent struct {
	Status int    // of the HTTP answer
	Title  string // how it went, in a few words
	Text   string // what that means
	Remedy string // what to do about it; may be empty
	// Origin is the only origin that Message is sent to; empty: it is not
	// sent.
	Origin string
	// Message is what the opener is told. It is marshalled to JSON.
	Message any
	// Done closes the window once the opener has been told.
	Done bool
	// Reference is what to quote when asking for help; may be empty.
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
	answer(w, c.Status, nonce, &body)
	return nil
}

// Opening is the page on which a customer reads what a consent is about before
// going to the provider.
type Opening struct {
	Product   string // who asks
	Provider  string // as people call it
	Workspace string // what is asked for
	GroupRef  string // for which customer of the product's
	GroupName string // may be empty
	Origin    string // of the page that asks, and that is told; may be empty
	Continue  string // the address to go on to
	// Canceled is what the opener is told when the person does not want to.
	Canceled any
}

// Write answers a request with the page.
func (o Opening) Write(w http.ResponseWriter) error {
	nonce := rand.Text()
	var body bytes.Buffer
	if err := openingPage.Execute(&body, struct {
		Opening
		Title, Nonce string
	}{o, "Connect " + o.Provider + " to " + o.Product, nonce}); err != nil {
		return fmt.Errorf("write the consent's first page: %w", err)
	}
	answer(w, http.StatusOK, nonce, &body)
	return nil
}

// answer sends a page with a policy that allows no foreign content and no framing.
func answer(w http.ResponseWriter, status int, nonce string, body *bytes.Buffer) {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Cache-Control", "no-store")
	header.Set("Content-Security-Policy", "default-src 'none'; script-src 'nonce-"+nonce+"'; style-src 'nonce-"+nonce+
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	header.Set("X-Frame-Options", "DENY")
	// The address holds the code and the state, or the ticket.
	header.Set("Referrer-Policy", "no-referrer")
	// same-origin would cut the opener off, which waits for the message.
	header.Set("Cross-Origin-Opener-Policy", "unsafe-none")
	w.WriteHeader(status)
	_, _ = body.WriteTo(w) // a browser that went away needs no page
}
