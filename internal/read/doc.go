// Package read brings a customer's records to the product: the whole history
// once, then what changes, on schedule or when asked, through crashes, limits and
// outages.
//
// # What it promises
//
//   - Every record that a read comes across is in a batch, and every batch is
//     delivered. After a crash at any point the read goes on from its page; what
//     was committed is not read again.
//   - A page counts once: its batches, the jobs that deliver them, the counts and
//     the cursor are one transaction (invariant 1).
//   - The mark that the next incremental read begins at moves only in the
//     transaction that ends a complete read (invariant 8). Reads overlap, for
//     clocks that disagree; what was delivered already in the overlap (same id,
//     same time of change) is not sent again.
//   - A read that got fewer records than the provider counts fails, and says so:
//     it never passes for all there is.
//   - No network inside a transaction (invariant 3). No worker is held by a read
//     that waits. A record's bytes go on untouched.
//
// # The states of an operation
//
// One read is one operation. It begins (a row, a first line in its log and a job,
// in one transaction), and is carried on by [Flow.Step] until it has ended:
//
//	begun → running ⇄ waiting → success or failure
//
// A step takes the lease of the operation's row, reads pages until its slice is
// used up, and gives the lease back. The lease (holder, until) is what keeps two
// processes apart: cursor, counts and end are written only by its holder, and
// every page prolongs it. When its holder dies it runs out. A job that finds an
// operation leased, waiting or ended does nothing, so a job too many is harmless.
//
// An operation waits, with its wait_until in the row, when the provider limits or
// fails, when the customer has to connect again, and while its reads are paused.
// Temporary failures wait longer and longer, and only many in a row make the
// operation fail. A cursor that expired starts the walk over, once.
//
// What a schedule asks for is checked first, by [Flow.RunChecks]: only when something
// has changed, or that cannot be told, does an operation begin, with the page that
// the check got (ADR 0018).
//
// The rows of read_marks say, for each object of an installation, where the next
// incremental read begins, how many reads have failed in a row, and whether reads
// are paused. Five failures in a row pause them until somebody ends the pause.
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
//   - While a connection is bad no read begins. [Flow.Connected] makes them up.
//   - Messages are sent as they are made: delivery.mode onRequest is taken for
//     auto, since there is no call to ask for results.
//   - An object without a backfill is read from the time of its installation on.
//     Where it cannot be read by time, every scheduled read is of everything.
//
// # What to use
//
// [New] makes a [Flow]. [Flow.Started] is what package install calls for objects
// that begin to be read, and [Flow.Sample] its sampler. [Flow.RunChecks] is
// for the schedules, [Flow.Step] the work of a job, [Flow.Resume] belongs on a
// timer. [Flow.Trigger], [Flow.Pause], [Flow.Unpause], [Flow.Operations] and
// their like are the API's.
package read
