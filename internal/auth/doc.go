// Package auth decides who may do what. In the dashboard it signs people in, keeps
// their sessions, and notes what they changed; for the API it finds the [Caller] whose
// key or token a request has, and which operations are open to it.
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
//   - A customer's token is signed with RS256 by a key of the product, whatever its header
//     asks for, lives for ten minutes at most, and sees that customer only.
//   - Guesses of keys and tokens are limited: after many unknown ones from one address,
//     further ones are refused unchecked, except those that were accepted lately.
//
// # What to use
//
// [New] makes a [People]. [People.Invite] makes a link, [People.Redeem] and
// [People.SignIn] begin a session, [People.Session] finds one again.
// [NewGate] makes a [Gate]: [Gate.Key] and [Gate.Token] find the [Caller], and
// [Caller.May] checks it against an operation's [Access]. [Provider] signs in with an OpenID Connect account. [People.Note] writes the
// audit log, in the transaction of what it is about.
package auth
