// Package auth decides who may do what in the dashboard: it signs people in, keeps
// their sessions, and notes what they changed.
//
// # What it promises
//
//   - No credential is stored in clear text: passwords as argon2id hashes, tokens
//     of sessions and of sign-in links as SHA-256 hashes (invariant 5).
//   - A sign-in link works once, within a day. A new one ends the one before.
//   - A session ends on sign-out, when it was not used for Idle, after Lifetime, and,
//     for all other browsers of the same person, when the password changes. A reset
//     ends all of the administrator's sessions.
//   - Guessing is slow: after a few failures in a row from one address, and after more
//     of them in total, further attempts are refused for a while with
//     windlass.RateLimited, whether they are right or not.
//   - A failed sign-in does not reveal whether a password was set.
//
// # What to use
//
// [New] makes a [People]. [People.Invite] makes a link, [People.Redeem] and
// [People.SignIn] begin a session, [People.Session] finds one again.
// [Provider] signs in with an OpenID Connect account. [People.Note] writes the
// audit log, in the transaction of what it is about.
package auth
