package deliver

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"windlass"
)

// maxRecorded is how many attempts one transaction records, and with it how
// many a crash can make happen again.
const maxRecorded = 256

// An entry is an attempt to be recorded, the end of a lane's round, or both.
type entry struct {
	outcome  *windlass.Outcome
	held     *windlass.Held
	batch    *windlass.Batch // what the outcome is of
	detail   string          // why it failed, for the log alone
	lane     string          // at the end of a round
	ends     bool            // likewise
	empty    bool            // likewise: nothing was due
	recorded chan<- struct{} // likewise: closed when this and all before it is
	// untouched is a round that was broken off before its first attempt: the lane
	// keeps its place among those that are due.
	untouched bool
}

// record keeps what comes, in groups: whatever has gathered while the group
// before was written. It ends when there are no more entries; after a failure it
// stops the drain and lets the rest go.
func (d *drain) record(ctx context.Context) error {
	var failure error
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for {
		var group []entry
		select {
		case first, more := <-d.entries:
			if !more {
				return failure
			}
			group = d.gather(first)
		case <-ticker.C:
			if failure == nil && !d.stopped() {
				_, failure = d.load(ctx)
			}
		}
		if failure == nil {
			failure = d.keep(ctx, group)
		}
		if failure != nil {
			d.stop()
		}
		for _, e := range group {
			if e.recorded != nil {
				close(e.recorded)
			}
		}
	}
}

// gather takes what is there, without waiting for more.
func (d *drain) gather(first entry) []entry {
	group := []entry{first}
	for len(group) < maxRecorded {
		select {
		case next, more := <-d.entries:
			if !more {
				return group
			}
			group = append(group, next)
		default:
			return group
		}
	}
	return group
}

// keep records a group and extends the lease, in one transaction with the end of
// a destination that has done nothing but fail.
func (d *drain) keep(ctx context.Context, group []entry) error {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	now := d.now()
	o := windlass.Outcomes{Health: d.circuit.state(), Owner: d.owner, Now: now, Until: now.Add(lease)}
	o.Health.DestinationID = d.id
	failed := false
	for _, e := range group {
		if e.recorded != nil && !e.untouched {
			o.Lanes = append(o.Lanes, e.lane)
		}
		if e.held != nil {
			o.Held = append(o.Held, *e.held)
		}
		if e.outcome == nil {
			continue
		}
		o.Outcomes = append(o.Outcomes, *e.outcome)
		failed = failed || e.outcome.Status != windlass.BatchDelivered
	}
	hopeless := failed && !o.Health.FailingSince.IsZero() && now.Sub(o.Health.FailingSince) >= DisableAfter
	held := false
	err := d.store.In(ctx, func(ctx context.Context) (err error) {
		if held, err = d.store.RecordOutcomes(ctx, o); err != nil || !held || !hopeless {
			return err
		}
		return d.disable(ctx, o.Health, now)
	})
	if err != nil {
		return err
	}
	if !held && len(o.Outcomes) == 0 {
		d.stop() // it was given back, or taken over; nothing is lost by it
		return nil
	}
	if !held {
		return &windlass.Error{
			Kind: windlass.Conflict, Op: "record deliveries",
			Message: "another process has taken the destination over in the meantime, and sends the last batches again",
			Remedy:  "see that the clocks agree, and that the database answers in time",
		}
	}
	d.circuit.extend(o.Until)
	d.tell(ctx, group, o.Health)
	if hopeless {
		d.stop()
		d.log.WarnContext(ctx, "a destination is disabled: it has done nothing but fail for too long",
			slog.String(logProject, d.target.Load().ProjectID), slog.String(logDestination, d.id), slog.Time(logSince, o.Health.FailingSince))
	}
	return nil
}

// disable disables the destination and tells the product.
func (d *drain) disable(ctx context.Context, h windlass.Health, now time.Time) error {
	why := windlass.Disabling{Why: fmt.Sprintf("%d attempts in a row failed, since %s", h.Failures, h.FailingSince.UTC().Format(time.RFC3339))}
	changed, err := d.store.SetDestinationDisabled(ctx, d.id, true, why, now)
	if err != nil || !changed || d.notifier == nil {
		return err
	}
	t := d.target.Load()
	return d.notifier.Notify(ctx, t.ProjectID, windlass.DestinationDisabledEvent, windlass.DestinationNotice{
		ProjectID: t.ProjectID, DestinationID: t.ID, DestinationName: t.Name, URL: t.Address,
	})
}
