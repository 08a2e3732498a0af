package deliver

import (
	"time"

	"windlass"
)

// waiters are the batches of a lane that wait to be tried again, or behind
// another, found by their records. What shares a record with an earlier one of
// them is held back, or an older version would arrive behind a newer one
// (invariant 10).
type waiters struct {
	byKey map[uint32][]*waiter
	byID  map[string]*waiter
}

// A waiter is a batch that waits.
type waiter struct {
	seq     int64
	until   time.Time
	settled bool
}

func newWaiters(batches []windlass.Batch) *waiters {
	w := &waiters{byKey: map[uint32][]*waiter{}, byID: map[string]*waiter{}}
	for i := range batches {
		w.add(&batches[i], batches[i].NextAttempt)
	}
	return w
}

// add says until when a batch waits.
func (w *waiters) add(b *windlass.Batch, until time.Time) {
	if one, known := w.byID[b.ID]; known {
		one.until, one.settled = until, false
		return
	}
	one := &waiter{seq: b.Seq, until: until}
	w.byID[b.ID] = one
	for _, key := range b.RecordKeys {
		w.byKey[key] = append(w.byKey[key], one)
	}
}

// settle says that a batch waits no more.
func (w *waiters) settle(id string) {
	if one, known := w.byID[id]; known {
		one.settled = true
	}
}

// before reports whether a batch has to wait for an earlier one, and until when.
// One that is held back until the same time as another comes behind it.
func (w *waiters) before(b *windlass.Batch) (until time.Time, waits bool) {
	until = b.NextAttempt
	for _, key := range b.RecordKeys {
		for _, one := range w.byKey[key] {
			if one.settled || one.seq >= b.Seq {
				continue
			}
			waits = true
			if one.until.After(until) {
				until = one.until
			}
		}
	}
	return until, waits
}
