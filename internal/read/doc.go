// Package read brings a customer's records to the product: the whole history
// once, then what changes, on schedule or when asked, through crashes, limits and
// outages.
//
// # What it promises
//
//   - Every record that a read comes across is in a batch, and every batch is
//     delivered. After a crash at any point the read goes on from its page; what
//     was committed is not read again.
//   - A page counts once: its batches, the counts and the cursor are one transaction
//     (invariant 1).
//   - The mark that the next incremental read begins at moves only in the
//     transaction that ends a complete read (invariant 8). Reads overlap, for
//     clocks that disagree; what was delivered already in the overlap (same id,
//     same time of change) is not sent again.
//   - A read that got fewer records than the provider counts fails, and says so:
//     it never passes for all there is.
//   - A record's bytes go on untouched.
//
// # The states of an operation
//
// One read is one operation, which package operation carries on: see there for its
// states, and for what waits, is retried and fails. A step is a page. An operation
// also waits while its reads are paused. A cursor that expired starts the walk over,
// once.
//
// An object that is below another (connector.Object.Parent) is read in units: one
// lists the uppermost parents, and each parent that is listed becomes a unit of its
// own, with a cursor, a tally of identities and, in parent_marks, a mark. Neither
// cursor nor watermark grows with the number of parents. The list is read once for
// each operation. A parent that appears later gets the object's backfill; one that
// the provider does not have or does not show is noted as refused and passed over
// until the next read. A parent's mark moves in the transaction of its last page,
// whatever becomes of the others.
//
// What a schedule asks for is checked first, by [Flow.RunChecks]: only when something
// has changed, or that cannot be told, does an operation begin, with the page that
// the check got (ADR 0018).
//
// The rows of read_marks say, for each object of an installation, where the next
// incremental read begins, how many reads have failed in a row, and whether reads
// are paused. Five failures in a row pause them until a person ends the pause.
//
// # Decisions
//
//   - At most one read of an object of an installation at a time: a unique index.
//     A tick that comes meanwhile is a line in the log of the one that runs; a
//     read that is asked for meanwhile is refused.
//   - A read finishes with the config it began with. What stops it, at the next
//     page: the object is disabled, its reads are paused (it goes on from there
//     afterwards), the installation moves to another workspace (which is then read
//     from the beginning), or is removed. What was committed before is delivered
//     all the same: it was promised (invariant 2).
//   - A config that maps other fields takes effect with the next read; the past is
//     not read again for it. [Flow.Trigger] does that when it is wanted.
//   - Reads that were asked for do not move the mark, do not count as failures in
//     a row, and deliver all that they find.
//   - While a connection is bad no read begins. [operation.Engine.Connected] makes them up.
//   - Messages are sent as they are made: delivery.mode onRequest is taken for
//     auto, since there is no call to ask for results.
//   - An object without a backfill is read from the time of its installation on.
//     Where it cannot be read by time, every scheduled read is of everything.
//
// # What to use
//
// [New] makes a [Flow]. [Flow.Started] is what package install calls for objects
// that begin to be read, and [Flow.Sample] its sampler. [Flow.RunChecks] is for the
// schedules, the engine for the jobs. [Flow.Trigger], [Flow.Pause], [Flow.Unpause],
// [Flow.Operations] and their like are the API's.
package read
