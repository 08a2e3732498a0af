// Package ui serves the pages that people see: the dashboard in which a team sets up
// Windlass and sees what it does, and the page on which a customer's consent ends.
//
// # What it promises
//
//   - Every page is written by the server, says everything in text without a script,
//     and can be used with a keyboard and a screen reader, on a phone and on a wide
//     screen, in light and in dark.
//   - Whatever comes from outside is escaped by html/template. Nothing is loaded
//     from another host, and the Content-Security-Policy allows no inline script and
//     no inline style.
//   - What changes something is a POST from our own pages: cross-site requests are
//     refused (net/http.CrossOriginProtection), and session cookies are bound to the
//     host and out of reach of scripts.
//   - A viewer sees everything and changes nothing: the role that a route needs is a
//     column of the table in routes.go, and every route that is not a GET needs an
//     editor.
//   - Every change is in the audit log, with who made it.
//   - A page loads a bounded number of rows, however many there are.
//
// # What to use
//
// [New] makes the dashboard's handler, for /, /dashboard/ and /connect/. A page is a
// file of this package with its handlers, a row for each in routes.go, and a
// template of the same name. [Opening] is the page on which a customer's consent
// begins, [Consent] the one on which it ends.
package ui
