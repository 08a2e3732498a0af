// Package budget pays for requests to a provider that allows so many an hour, and
// shares them fairly: between kinds of work, customers and processes.
//
// A provider counts a rolling hour for each token, but for OAuth it may count the
// provider app, for all of its users together: all customers of the app share one
// thousand requests an hour. Every request is paid here first (invariant 7).
//
// # What it promises
//
//   - In no sixty minutes are more requests paid than the limit, by all processes
//     together, whatever they do and whenever one dies.
//   - Not every payment is a write to the database: one in three or four, at
//     the default limit, and one in hundreds when the limit is high.
//   - Proxy calls and writes come before scheduled reads, and those before
//     backfills; but each has a share that the others leave alone.
//   - Within a class the customer who had least in the last hour comes first.
//   - Backfills use half of what is left at once, and the rest of it evenly, but for
//     a customer's first few requests, which always go at once.
//   - The end of a block only ends the block: it does not mean that the hour has requests.
//   - No caller is blocked for long: what takes longer than a moment fails with a
//     [*Wait] that says until when, and keeps the caller's place in the queue.
//   - When a process dies, what it had leased and not spent is lost for all
//     (three slices of a half per cent of the limit at most), for an hour.
//
// # How it works
//
// The [Ledger] counts grants by key, minute and process. A process that needs
// requests of a class takes a slice: in one transaction, under the lock of the
// key's row, it adds up what was granted in the last hour and books some for the
// minute that it is, if they are available: one at first, then more, up to a half
// per cent of the limit. It may
// spend them in that minute only; Run gives back what is left.
//
// A minute's grants count until the minute is an hour old in whole. A process's
// slice ends a second before its minute, so that the request arrives in the minute
// that it is counted for. So any sixty minutes at the provider lie within the
// sixty-one that are added up. That costs a sixtieth of the limit, and is why no
// write per request is needed.
//
// What is available to a class is the limit, less what was used, less what is set aside
// for the other classes and not yet used: what an hour is expected to bring of
// interactive work (between 1/20 and 3/10 of the limit) and of scheduled reads
// (between 3/20 and 3/5), to judge by the last one and a third more; a fiftieth for
// backfills; and one request for each customer
// whom any process keeps waiting in a higher class.
//
// A refused caller gets a place in the queue of its class, and is told when to
// come: when enough of the past hour will have aged out. A caller is served
// if the slice has more requests than there are customers ahead in the queue whose
// time has come. Places are kept for half a minute.
//
// Backfills moreover take turns, once they have used half of what the classes above
// leave of the hour: an idle budget is not waited for. A turn is a slice, and turns
// are so far apart that all backfills together use the rest evenly until what was
// used at once has aged out. What a
// process may have of that goes by how many customers it backfills: each tells the
// others with every slice. The first fiftieth of the limit of each customer goes
// without turns.
//
// [Budget.Learn] lowers and raises the limit by the provider's headers, and stops
// the key when the provider says 429, until Retry-After. Others see it with their
// next slice.
//
// # Clocks
//
// The clocks of the processes have to agree to a second or so; a process whose
// clock is behind by more counts its own requests for too short. Within a process
// time never goes back. When a clock is set forward, by less than a day, grants of
// before count until an hour has really passed; a machine that was asleep looks the same, and gets a
// careful hour, too.
//
// # What is approximate
//
// Each process knows only its own customers' requests and waiting customers. A customer
// whose jobs run in three processes may get up to three shares of a class. A
// provider that counts requests of other programs with the same credential is
// noticed only when it says 429, or that none remain.
//
// # Figures
//
// On two cores of 2026: 700,000 Acquires a second, each without an allocation.
// Twenty customers on a consumer of 1,000 an hour, one with a backfill of 5,500
// requests (TestAHugeBackfillDelaysNobody, in simulated time): 937 requests in the
// fullest hour, no scheduled read late, no call kept waiting, the first 500
// requests of the backfill in 15 minutes and another customer's 100 in 10, with one
// write to the ledger for 3.4 requests.
//
// # What to use
//
// [New], [Budget.Run], and [Budget.Transport] around the transport that sends; or
// [Budget.Acquire] for what is not HTTP. [Budget.State] is for dashboards.
package budget
