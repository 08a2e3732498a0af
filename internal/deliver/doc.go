// Package deliver brings batches to their destinations: tried again for as long as
// the published contract says, every attempt kept. It knows no type of destination:
// what an attempt is, and whether it was accepted, is its sink's to say (package
// sink).
//
// # What it promises
//
// A batch is delivered at least once, and each attempt carries the same id and
// the same bytes (invariant 2): a receiver that remembers the ids it has seen
// gets each batch once.
//
// Batches of one lane, that is of one object of one installation, are sent one
// after the other in the order in which they were read. One that fails is
// scheduled to be tried again, and the lane goes on with what has no record in
// common with it: a batch that a receiver will never take must not keep everything
// behind it, and an older version of a record must not arrive behind a newer one.
// What has one in common is held back until the earlier batch is delivered or given
// up (docs/adr/0017-order-of-records.md). After a crash a receiver may see the last
// few again. A replay is marked as one.
//
// An attempt fails unless the sink says within [Timeout] that it was accepted. After
// a failure the batch waits 5 s, 5 min, 30 min, 2 h, 5 h, 10 h and 10 h; what the
// destination asks for counts if it is later. Then it has failed, and stays until it
// is replayed or cleared away.
//
// A destination that fails [circuitAfter] times in a row is left alone but for a
// probe: one batch at a time, at first after 5 s, then after a tenth of the time that
// the failure has lasted so far, at most after 5 minutes. Batches that are held
// back meanwhile use up no attempt. When a probe arrives everything does. A
// failure counts only if its attempt began after the last delivery: attempts that
// hang since an outage do not begin a new one. A
// destination that has seen nothing but failure for 120 h is disabled, and
// destination.webhook.disabled is sent: what is on its way to it stays, new
// batches are added, and all goes out in order when it is enabled again.
//
// # How it holds together
//
// The process that sends to a destination holds the lease in its row (destination_health):
// one process at a time, so that nothing is sent twice at once and as many
// requests as [Config.Concurrency] says reach a destination, however many
// processes there are. The lease is extended by the very transaction that records
// attempts; a process that has lost it records nothing. It outlasts an attempt, so
// another process takes over only when no attempt can be under way any more.
//
// Lanes are served side by side and in turn, a round of at most [maxBatches]
// batches or [maxBytes] each: one that was served goes behind all others that are
// due, so that a small lane waits for one round of each lane before it at most. Where
// many are due, the short ones are read
// together, and a lane whose batches are sent makes room for the next before they
// are recorded: ten thousand lanes of one batch drain like a few long ones. What is
// sent and not yet recorded is bounded (maxRecorded), and is what a crash sends
// again.
//
// A batch that is pending and due is its own job: adding it in the transaction of
// a page is all that is needed (invariant 1). [Service.Run] looks once a second
// for destinations that something is due to, [Service.Wake] tells it at once.
// Each destination has a goroutine of its own while it is being sent to, so a
// dead one keeps no other waiting. No request is made inside a transaction
// (invariant 3).
//
// # What to use
//
// [New] with the server's table of sinks, Run in the background, Wake
// after a transaction that added batches. [Service.Drain] is one destination's
// share of it, for tests. [Service.Replay] delivers once more.
package deliver
