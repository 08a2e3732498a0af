// Package connect is how a customer's consent becomes a connection, and how the
// connection's credentials are kept good for years.
//
// # What it promises
//
// A consent is started once, comes back once, and only to whom it was started
// for: its state is 256 random bits of which a hash is kept for ten minutes and
// taken by the first callback that shows it. A connection is saved after its
// workspace was found reachable, in one transaction, and consenting again
// replaces its credentials in place.
//
// Access tokens are refreshed before they expire, and when the provider refuses
// one early. One process at a time refreshes a connection, and a new refresh
// token is stored before the access token that came with it is used (invariant
// 4). A provider that is down, slow or faulty never makes a connection bad: it stays
// good, with the reason for waiting, and its old access token is used while it is
// valid. A refused refresh token makes it bad, once, and the product is notified.
//
// No network is touched inside a transaction (invariant 3), and no secret is in
// an error, a log line or an event (invariant 5).
//
// # What to use
//
// [Service.Start] and [Service.Reconnect] begin a consent, [Service.Callback]
// ends it; [Service.Generate] imports credentials that exist already. Code
// that talks to the provider uses [Service.Client], or [Service.Credential] and
// [Service.Refused]. [Service.KeepAlive] is called once a day.
//
// # What it cannot do
//
// Not every provider has an endpoint to revoke tokens, so none is used.
// [Service.Delete] erases the credentials; the customer revokes the consent itself in
// the provider's settings, or it expires when its refresh token has not been used for
// long enough.
package connect
