package deliver

import (
	"context"
	"time"

	"windlass"
)

const (
	// A lane is served in rounds: so many batches, or so many bytes of bodies, are
	// read at once. It is what bounds the memory of a drain.
	mostBatches = 100
	mostBytes   = 256 << 10
	// pause is taken after a lane turned out to be empty: somebody is just adding
	// to it.
	pause = 10 * time.Millisecond
)

// lane sends one round of a lane, one batch after the other, and returns when
// all of it is recorded.
func (d *drain) lane(ctx context.Context, name string) error {
	batches, err := d.store.DueBatches(ctx, d.id, name, d.now(), mostBatches, mostBytes)
	if err != nil {
		return err
	}
	recorded := make(chan struct{})
	end := entry{lane: name, recorded: recorded}
	for i, b := range batches {
		if d.stopped() || !d.circuit.enter(d.now()) {
			break
		}
		outcome, known := d.attempt(b)
		if !known {
			d.circuit.abandon()
			break
		}
		if i == len(batches)-1 {
			end.outcome = &outcome // one transaction for both, where batches are few
			break
		}
		d.entries <- entry{outcome: &outcome}
	}
	d.entries <- end
	<-recorded
	if len(batches) == 0 {
		select {
		case <-d.stopping:
		case <-time.After(pause):
		}
	}
	return nil
}

// attempt sends a batch once, and says what follows. It knows nothing when the
// attempt was broken off: the receiver may have the batch or not, and will get
// it again.
func (d *drain) attempt(b windlass.Batch) (outcome windlass.Outcome, known bool) {
	began := d.now()
	got := d.post(d.sending, d.target.Load(), b, began)
	if d.sending.Err() != nil {
		return outcome, false
	}
	ended := d.now()
	delivered := got.fault == ""
	d.circuit.leave(began, ended, delivered, got.retryAfter)
	outcome.Attempt = windlass.Attempt{
		BatchID: b.ID, Number: b.Attempts + 1, Time: began, Status: got.status,
		Latency: ended.Sub(began), Error: got.fault, Answer: got.text,
	}
	outcome.Status = windlass.BatchDelivered
	if !delivered {
		outcome.Status = windlass.BatchFailed
		if next, again := nextAttempt(b.Tries+1, ended, got.retryAfter); again {
			outcome.Status, outcome.Next = windlass.BatchPending, next
		}
	}
	return outcome, true
}
