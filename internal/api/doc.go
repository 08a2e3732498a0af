// Package api is the HTTP interface of Windlass: JSON in and out over the
// published contract, and the page on which a customer's consent ends.
//
// # What it promises
//
// Every operation is one row of one table: method, path, who may call it, what
// goes in and what comes out. The same row routes a request, checks it, and
// describes itself in the OpenAPI document at /openapi.json, so the three cannot
// disagree.
//
// A request is checked whole before anything is done: every issue at once, each
// with its place. What fails is answered as a problem (RFC 9457) by one function
// from one table of kinds; a problem never repeats a value that was sent, and
// never holds a secret. No answer holds a null, and no required key is missing.
//
// A key belongs to a project and sees nothing of the others, not even that they
// exist. A token that a product signed for one of its own customers sees that
// customer only.
//
// # What to use
//
// [New] makes the handler out of the services that [Config] names. The interfaces in
// services.go are what the package needs from the rest of Windlass.
package api
