// Package jobs runs work in the background: queues with retries, kept in
// the same database as everything else, so that a job and the rows that it is
// about are committed together. It wraps River, which no other package uses.
//
// A program says which [Kind]s of job there are, makes an [Engine], and enqueues.
// In a process with the role of a worker the engine is also started. It promises:
//
//   - A job enqueued in a transaction of the store exists if and only if that
//     transaction is committed.
//   - A job runs at least once. It runs again after a failure, and after its
//     process died: within a minute on PostgreSQL, at the next start on SQLite.
//     A job that must do a thing once has to notice the second time that it was done.
//   - A job whose failure a retry cannot fix is dropped at once; the table is in
//     verdict.go.
//   - A job that has to wait says so with [Wait], or with a failure that knows how
//     long; it then occupies no worker and uses up no attempt. Waits end up to five
//     seconds late.
//
// Jobs are to be short: minutes at most. What takes longer does a part, and
// enqueues the rest in the transaction that keeps the part. The payload is JSON
// and comes back as equal JSON, not as the same bytes. No secret belongs in it
// (invariant 5).
//
// Schedules are rows of the store, which [Engine.RunSchedules] watches.
package jobs
