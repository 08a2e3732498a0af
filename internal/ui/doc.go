// Package ui holds the pages that people see.
//
// # What it promises
//
// A page is written by the server, says everything in text without a script, and
// can be used with a keyboard and a screen reader. Whatever comes from outside is
// escaped by html/template. Nothing is loaded from anywhere: the policy that goes
// with a page allows its own style and its own script, by a nonce, and nothing else.
//
// # What to use
//
// [Consent] is the page on which a customer's consent ends.
package ui
