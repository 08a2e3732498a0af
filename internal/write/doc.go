// Package write lets a product change its customers' records: create, update and
// delete them, one by one or up to a hundred at once, while it waits or later.
//
// # What it promises
//
//   - Nothing is sent that the request, the revision, the installation's config or
//     the connection's scopes do not allow; what is wrong is said at once.
//   - A create happens once. It is noted before it is sent, and its outcome before
//     the next one is sent. When the answer was lost, be it to the network, the
//     provider or the death of the process, the record is looked for before it is
//     created again.
//   - Requests that carry the same key of the caller's are one write, for a day:
//     the first answer answers them all. One that says something else under the
//     same key is refused.
//   - An asynchronous write is kept before it is answered for. It waits where the
//     provider limits or fails, without holding a worker, until its deadline; then
//     the product is told what became of each record.
//   - What is to be written is sealed at rest until it has been (invariant 5), and
//     erased with the end of the write. The values of secret fields reach no log,
//     error, operation, notification or answer. Jobs carry ids.
//   - Every request is paid from the budget by the client that Open returns
//     (invariant 7).
//
// # The states of a write
//
// A write is an operation, with a row that says how and a row for each record:
//
//	collecting → running ⇄ waiting → success or failure
//
// Package operation carries it on: see there for what waits, is retried and fails. A
// step is a record; a synchronous write takes all of them in its caller's process,
// under the operation's lease. The cursor is how many records are settled. An
// operation is a success when all of its records are.
//
// # Decisions
//
//   - The provider has no transactions, so a batch of more than one record that asks
//     for allOrNone is refused.
//   - A batch is answered 200 when at least one record was written, else 422. Its
//     results are in the order of its records, and its errors name their places.
//   - A synchronous write goes on when its caller goes away, up to Patience. What
//     it has not sent by then fails, and says so. It tries nothing twice: of a lost
//     create it says whether the record is there.
//   - A first answer that says only that the provider is limited, down or cannot be
//     understood, and that nothing was written, does not count: the same key may
//     try again, and looks first.
//   - Writes with an autoBatchPolicy that agree in all but the record are one
//     operation, whose id all of them get. It begins when it has a hundred records
//     or when the first of them has waited for maxDelayMinutes.
//   - A write finishes with the config it began with.
//   - A failed write leaves the installation healthy: what is wrong is most often
//     the record.
//
// # What to use
//
// [New] makes a [Flow]. [Flow.Write] is the API's, the engine is for the jobs.
package write
