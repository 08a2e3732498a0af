package deliver

import (
	"context"
	"strings"
	"time"

	"windlass"
)

const (
	// A lane is served in rounds: so many batches, or so many bytes of bodies, are
	// read at once. It is what bounds the memory of a drain.
	maxBatches = 100
	maxBytes   = 256 << 10
	// pause is taken after a lane turned out to be empty: another process is just adding
	// to it.
	pause = 10 * time.Millisecond
)

// lane sends one round of a lane, one batch after the other. The last entry that it
// returns is yet to be recorded.
func (d *drain) lane(ctx context.Context, r round) (last entry, err error) {
	batches, waiting := r.batches, []windlass.Batch(nil)
	if !r.read {
		if batches, err = d.store.DueBatches(ctx, d.id, r.lane, d.now(), maxBatches, maxBytes); err != nil {
			return last, err
		}
		if waiting, err = d.store.WaitingBatches(ctx, d.id, r.lane); err != nil {
			return last, err
		}
	}
	last = d.send(batches, newWaiters(waiting))
	last.lane, last.ends, last.empty = r.lane, true, len(batches) == 0 // one transaction for both, where batches are few
	return last, nil
}

// settle has the last entry of a round recorded, and all before it.
func (d *drain) settle(last entry) {
	if !last.ends {
		return // the round failed before it began
	}
	recorded := make(chan struct{})
	last.recorded = recorded
	d.entries <- last
	<-recorded
	if last.empty {
		select {
		case <-d.stopping:
		case <-time.After(pause):
		}
	}
}

// send sends batches of one lane, and returns the last entry, which is yet to be
// recorded.
func (d *drain) send(batches []windlass.Batch, waiters *waiters) (last entry) {
	for i := range batches {
		if i > 0 {
			d.entries <- last
			last = entry{}
		}
		b := &batches[i]
		if until, waits := waiters.before(b); waits {
			waiters.add(b, until)
			last.held = &windlass.Held{BatchID: b.ID, Until: until}
			continue
		}
		if d.stopped() || !d.circuit.enter(d.now()) {
			last.untouched = i == 0
			break
		}
		tried, known := d.attempt(b)
		if !known {
			d.circuit.abandon()
			last.untouched = i == 0
			break
		}
		waiters.settle(b.ID)
		if tried.outcome.Status == windlass.BatchPending {
			waiters.add(b, tried.outcome.Next)
		}
		last = tried
	}
	return last
}

// attempt sends a batch once, and says what follows. It knows nothing when the
// attempt was broken off: the receiver may have the batch or not, and will get
// it again.
func (d *drain) attempt(b *windlass.Batch) (tried entry, known bool) {
	began := d.now()
	got := d.sinks.Send(d.sending, *d.target.Load(), *b)
	if d.sending.Err() != nil {
		return tried, false
	}
	outcome := windlass.Outcome{Status: windlass.BatchDelivered, Lane: b.Lane}
	ended := d.now()
	delivered := got.Error == ""
	d.circuit.leave(began, ended, delivered, got.RetryAfter)
	outcome.Attempt = windlass.Attempt{
		BatchID: b.ID, Number: b.Attempts + 1, Time: began, Status: got.Status,
		Latency: ended.Sub(began), Error: clean(got.Error), Answer: clean(got.Answer),
	}
	if !delivered {
		outcome.Status = windlass.BatchFailed
		if next, again := nextAttempt(b.Tries+1, ended, got.RetryAfter); again {
			outcome.Status, outcome.Next = windlass.BatchPending, next
		}
	}
	return entry{outcome: &outcome, batch: b, detail: clean(got.Detail)}, true
}

// keptText is how much of what an attempt says is kept.
const keptText = 1 << 10

// clean makes text fit for every database: UTF-8 without NUL, and not long.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text[:min(len(text), keptText)], "\uFFFD"), "\x00", "\uFFFD")
}
