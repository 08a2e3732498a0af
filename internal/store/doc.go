// Package store keeps all data of Windlass: in one SQLite file by
// default, in PostgreSQL when its address is given. Both run the same SQL and
// the same tests.
//
// [Open] brings the database up to date, checks that the keyset is the one its
// secrets were sealed with, and gives a [Store], which goroutines may share. The
// methods are named after the nouns of package windlass. They promise:
//
//   - An error is a *windlass.Error: NotFound, Conflict (taken, or still in
//     use), Gone (expired), Unavailable (the database is down or busy: wait),
//     Canceled, or Internal, which names the place and what to do there.
//   - [Store.In] makes one transaction of whatever is called with the context
//     that it hands on. Everything else is a transaction of its own.
//   - What is read by its id or name inside a transaction stays as it is until
//     the transaction ends, so that reading, changing and writing it back loses
//     no other process's change. (SQLite has one writer; on PostgreSQL the row is
//     locked.) Lists do not lock.
//   - Secrets are sealed with the row's table, column and id (invariant 5), so that a
//     sealed value cannot be opened in another place. API keys are kept as hashes only.
//
// No network call belongs inside a transaction (invariant 3): SQLite has one writer,
// for which all others wait. Inside [Store.In], use the context that it gives and no
// other: with another one, a call waits for the transaction that waits for the call.
//
// Times are kept in microseconds and come back in UTC.
package store
