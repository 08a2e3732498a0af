// Package operation is the engine of everything that takes more than one step: a
// read page by page, a write record by record. It keeps the promises that all of
// them make, so that a kind of work says only what one step is.
//
// # What it promises
//
//   - One process carries an operation on at a time: it has a lease of the
//     operation's row, and each step extends it. Cursor, counts and end are written
//     only under the lease. When the process dies the lease runs out.
//   - A step counts once: what [Commit] does, the cursor and the counts are one
//     transaction (invariant 1). After a crash an operation goes on behind the last
//     step that was committed.
//   - No network inside a transaction (invariant 3): [Work.Next] runs outside, only
//     what it returns runs inside.
//   - An operation ends once, in one transaction with what [Work.Finish] does.
//   - No worker is held by an operation that waits: the time is in its row, and
//     [Engine.Step] returns a [*Waiting]. An operation gives way to others when its
//     slice of time is used up.
//   - Requests that were made are counted, also those of a step whose transaction
//     was rolled back: they are added to the next one that is committed.
//   - Kinds of work do not meet: leases, stalled operations and limits are of one
//     kind, however many operations of another kind there are.
//
// # The states of an operation
//
//	begun → running ⇄ waiting → success or failure
//
// What goes wrong in a step is decided in one place, wait.go: what passes is
// retried, after longer and longer or when the provider says; what the customer has
// to mend is waited for; trouble of our own (the database, a process that stops)
// leaves the operation as it is; everything else ends it.
//
// # A new kind of work
//
// Implement [Work] in a package of its own, make an [Engine] with [New], and add
// the engine to the table in internal/server, which gives it jobs, leases and
// recovery. [Engine.Begin] and a job begin an operation. What a test of such a
// package need not show again is shown by the toy in this package's tests.
//
// A value of Work is made for each slice, so that what one step prepares for the next
// lives no longer than the lease. Why it looks as it does is in ADR 0019.
package operation
