package operation

import (
	"context"
	"errors"
	"time"

	"windlass"
	"windlass/internal/ids"
)

// Turn is one turn of one operation: from taking its lease to giving it back.
type Turn struct {
	*Engine

	// Op is the operation as it was last committed; inside a transaction, with what
	// that has changed so far.
	Op windlass.Operation
	// LeaseID names the lease that the turn works under.
	LeaseID string
	Began   time.Time
	// Deadline is when the operation has to have ended; zero for none. Without one an
	// operation fails after many failures in a row.
	Deadline time.Time

	work     Work
	whole    bool // the turn ends only with the operation
	steps    int
	more     *bool // see More
	cleanups []func()
	kept     Commit // of a step that failed

	counter func() int64 // requests in all; nil counts calls
	counted int64        // what counter said last
	unpaid  int64        // requests that are not in the operation's count yet
	paying  int64        // those that the transaction under way counts
}

// Turn returns a turn without a lease, for an operation that begins in the
// transaction of its first step. The work is the kind's if it is nil.
func (e *Engine) Turn(work Work) *Turn {
	t := &Turn{Engine: e, LeaseID: e.config.Owner + "/" + ids.New(), Began: e.Now(), work: work}
	if work == nil {
		t.work = e.config.Work(t)
	}
	return t
}

// Take takes the lease of an operation, alone or within a transaction. When the
// operation has ended or waits, or is leased, won is false.
func (t *Turn) Take(ctx context.Context, operationID string) (won bool, leased time.Time, err error) {
	now := t.Now()
	p, won, leased, err := t.store.LeaseOperation(ctx, operationID, t.LeaseID, now, now.Add(t.config.Lease))
	t.Op = p
	return won, leased, err
}

// hold counts a turn among those whose leases are extended, until done is called.
func (t *Turn) hold() (done func()) {
	t.leases.Store(t.LeaseID, nil)
	return func() { t.leases.Delete(t.LeaseID) }
}

// Step carries an operation on for one slice. It returns nil when the operation has
// ended, and a [*Waiting] when there is more to do, now or later. It may be called
// any number of times, at once and by several processes: one of them has the lease,
// and the others wait.
func (e *Engine) Step(ctx context.Context, operationID string) error {
	t := e.Turn(nil)
	defer t.hold()()
	won, leased, err := t.Take(ctx, operationID)
	switch {
	case errors.Is(err, windlass.NotFound):
		return nil
	case err != nil:
		return t.trouble(ctx, err)
	case won:
		if err = t.work.Prepare(ctx, t); err == nil {
			err = t.carry(ctx)
		}
		return t.settle(ctx, err)
	case t.Op.Status != windlass.OperationRunning:
		return nil
	case t.Op.Wait.After(t.Began):
		return &Waiting{t.Op.Wait.Sub(t.Began), "the operation waits"}
	default:
		return &Waiting{max(leased.Sub(t.Began), time.Second), "another job carries the operation on"}
	}
}

// Carry carries the operation on to its end, for a caller who waits: it neither
// gives way nor waits. An error leaves the operation to the lease, which runs out.
func (t *Turn) Carry(ctx context.Context) error {
	defer t.hold()()
	defer t.clean()
	t.whole = true
	return t.carry(ctx)
}

// carry takes steps until the operation ends, or an error says how it goes on.
func (t *Turn) carry(ctx context.Context) error {
	for {
		t.steps, t.more = t.steps+1, nil
		c, err := t.work.Next(ctx, t)
		if err != nil {
			t.kept = c
			return err
		}
		if err := t.Commit(ctx, c); err != nil || c.Ends {
			return err
		}
		if c.GiveWay || !t.More() {
			return &Sleep{}
		}
	}
}

// More reports whether the slice goes on after the step that is under way. For one
// step it always says the same, so that a step may prepare the next one.
func (t *Turn) More() bool {
	if t.more == nil {
		more := t.whole || (t.config.SliceSteps == 0 || t.steps < t.config.SliceSteps) && t.Now().Sub(t.Began) < t.config.Slice
		t.more = &more
	}
	return *t.more
}

// Cleanup runs do before the operation is given back or ended, so that no request
// outlives the lease under which it was made.
func (t *Turn) Cleanup(do func()) { t.cleanups = append(t.cleanups, do) }

func (t *Turn) clean() {
	for _, do := range t.cleanups {
		do()
	}
	t.cleanups = nil
}

// Commit commits a step. The engine does so with what [Work.Next] returns; it is
// exported for an operation that begins with its first step.
func (t *Turn) Commit(ctx context.Context, c Commit) error {
	var err error
	if c.Ends {
		err = t.finish(ctx, c)
	} else {
		err = t.in(ctx, c.do)
	}
	if err != nil || c.After == nil {
		return err
	}
	return c.After(ctx)
}

// in runs do in a transaction. When that is rolled back, so is what the turn knows
// of the operation, and the requests are still to be counted.
func (t *Turn) in(ctx context.Context, do func(ctx context.Context) error) error {
	before := t.Op
	t.paying = 0
	err := t.store.In(ctx, do)
	if err != nil {
		t.Op, t.paying = before, 0
		return &uncommitted{err}
	}
	t.unpaid, t.paying = t.unpaid-t.paying, 0
	return nil
}

// uncommitted is the error of a transaction that was rolled back. Whatever it says
// of itself, it is ours, and not the provider's.
type uncommitted struct{ error }

func (u *uncommitted) Unwrap() error { return u.error }

// pay returns the requests that the operation's count lacks. They count as added
// only when the transaction is committed.
func (t *Turn) pay() int64 {
	n := t.unpaid - t.paying
	t.paying += n
	t.Op.Requests += n
	return n
}

// Move moves the cursor from where it is and adds to the counts, within a
// transaction. To, Walked, Records, Batches, Estimate and Full are the caller's to
// say.
func (t *Turn) Move(ctx context.Context, m windlass.Progress) error {
	m.OperationID, m.Owner, m.From, m.Requests, m.Now = t.Op.ID, t.LeaseID, t.Op.Cursor, t.pay(), t.Now()
	m.LeaseUntil = m.Now.Add(t.config.Lease)
	if err := t.store.MoveCursor(ctx, m); err != nil {
		return err
	}
	p := &t.Op
	p.Cursor, p.Full, p.Estimate, p.Attempt, p.Wait = m.To, m.Full, m.Estimate, 0, time.Time{}
	p.Pages++
	p.Walked += m.Walked
	p.Records += m.Records
	p.Batches += m.Batches
	return nil
}

// Restart moves the cursor back to the beginning, within a transaction.
func (t *Turn) Restart(ctx context.Context) error {
	if err := t.store.RestartOperation(ctx, t.Op.ID, t.LeaseID, t.pay(), t.Now()); err != nil {
		return err
	}
	t.Op.Cursor, t.Op.Walked, t.Op.Estimate = "", 0, -1
	t.Op.Restarts++
	return nil
}

// Release gives the lease back, within a transaction. The operation sleeps until a
// time, zero for not at all, after so many failures in a row.
func (t *Turn) Release(ctx context.Context, until time.Time, attempt int) error {
	return t.store.SuspendOperation(ctx, t.Op.ID, t.LeaseID, until, attempt, t.pay(), t.Now())
}

// Log adds a line to the operation's log.
func (t *Turn) Log(ctx context.Context, severity, message string, details map[string]string) error {
	return t.Note(ctx, t.Op.ID, severity, message, details)
}

// finish ends the operation, once: with the last step if there is one, in one
// transaction.
func (t *Turn) finish(ctx context.Context, c Commit) error {
	t.clean()
	// What was done counts even if the time to do it is over, or the process stops.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ending)
	defer cancel()
	return t.in(ctx, func(ctx context.Context) error {
		if err := c.do(ctx); err != nil {
			return err
		}
		requests := t.pay()
		o, err := t.work.Finish(ctx, t, c.Cause)
		if err != nil {
			return err
		}
		if err := t.Log(ctx, o.Severity, o.Result, o.Details); err != nil {
			return err
		}
		status := windlass.OperationFailure
		if o.Success {
			status = windlass.OperationSuccess
		}
		if err := t.store.EndOperation(ctx, t.Op.ID, t.LeaseID, status, o.Result, requests, t.Now()); err != nil || o.Then == nil {
			return err
		}
		return o.Then(ctx)
	})
}

// Meter counts the requests of what a step calls. One that has a method
// Requests() int64 is asked for them at each call of Called; otherwise each of
// these counts as one.
func (t *Turn) Meter(client any) {
	if counter, ok := client.(interface{ Requests() int64 }); ok {
		t.counter, t.counted = counter.Requests, counter.Requests()
	}
}

// Called notes what a call has cost.
func (t *Turn) Called() {
	if t.counter == nil {
		t.unpaid++
		return
	}
	total := t.counter()
	t.unpaid += total - t.counted
	t.counted = total
}

// settle lets the operation end or wait, as an error of its work says.
func (t *Turn) settle(ctx context.Context, err error) error {
	t.clean()
	// Finish may itself find a reason to end the operation, which is the last.
	for range 2 {
		over, ends := errors.AsType[*end](err)
		if !ends {
			break
		}
		err = t.finish(ctx, Commit{Do: t.kept.Do, Cause: over.cause})
	}
	if err == nil {
		return nil
	}
	if sleep, ok := errors.AsType[*Sleep](err); ok {
		return t.sleep(ctx, sleep)
	}
	if _, ok := errors.AsType[*uncommitted](err); ok {
		return t.trouble(ctx, err)
	}
	return t.refused(ctx, err)
}
