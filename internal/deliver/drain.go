package deliver

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"windlass"
)

const (
	// lease is how long a destination stays with the process that sends to it, if nothing
	// is heard of him. It outlasts an attempt by three beats.
	lease = Timeout + 3*beat
	// beat is how often the lease is extended when no attempt does it, and the
	// destination is read anew.
	beat = 5 * time.Second
	// grace is how long attempts that are under way may go on when the process
	// is to end.
	grace = 5 * time.Second
	// lanesAtOnce is how many lanes one look finds. The next one is taken while
	// fewer than lanesLow are left.
	lanesAtOnce = 256
	lanesLow    = 64
)

// A drain sends what is due to one destination, for as long as something is.
type drain struct {
	*Service
	id      string
	owner   string
	nudge   <-chan struct{}
	target  atomic.Pointer[windlass.Destination]
	circuit circuit
	entries chan entry
	// sending ends when attempts are to be broken off, stopping when no new one
	// is to begin.
	sending  context.Context //nolint:containedctx // a drain lives as long as one call
	stopping chan struct{}
	stopOnce sync.Once

	down bool // for the log: only probes go out
}

// Drain sends everything that is due to a destination, and returns when nothing
// is, when the destination is to be left alone for a while, or when ctx ends. It
// does nothing while another process is sending there. An error says that what was
// sent may not have been recorded, and will be sent again.
func (s *Service) Drain(ctx context.Context, destinationID string) error {
	return s.drain(ctx, destinationID, nil)
}

func (s *Service) drain(ctx context.Context, destinationID string, nudge <-chan struct{}) error {
	d := &drain{
		Service: s, id: destinationID, owner: s.owner + "/" + rand.Text(), nudge: nudge,
		entries: make(chan entry, maxRecorded), stopping: make(chan struct{}),
	}
	// What was begun is to be recorded, also when the process is about to end.
	lasting := context.WithoutCancel(ctx)
	won, err := d.take(lasting)
	if err != nil || !won {
		return err
	}
	sending, breakOff := context.WithCancel(lasting)
	defer breakOff()
	d.sending = sending
	defer context.AfterFunc(ctx, func() {
		d.stop()
		time.AfterFunc(grace, breakOff)
	})()

	recorded := make(chan error, 1)
	go func() { recorded <- d.record(lasting) }()
	err = d.serve(lasting)
	close(d.entries)
	return errors.Join(err, <-recorded)
}

// take leases the destination.
func (d *drain) take(ctx context.Context) (won bool, err error) {
	until := d.now().Add(lease)
	health, won, err := d.store.LeaseDestination(ctx, d.id, d.owner, d.now(), until)
	if errors.Is(err, windlass.NotFound) {
		return false, nil // deleted, and what was on its way to it too
	}
	if err != nil || !won {
		return false, err
	}
	d.circuit.health = health
	d.down = health.Failures >= circuitAfter
	d.circuit.extend(until)
	found, err := d.load(ctx)
	if err != nil || !found {
		_, releaseErr := d.store.ReleaseDestination(ctx, d.id, d.owner, d.now(), true)
		return false, errors.Join(err, releaseErr)
	}
	return true, nil
}

// load reads the destination, so that new secrets, another URL and an end of it
// are noticed. It reports whether something may be sent there.
func (d *drain) load(ctx context.Context) (usable bool, err error) {
	t, err := d.store.Target(ctx, d.id)
	if errors.Is(err, windlass.NotFound) || err == nil && t.Disabled {
		d.stop()
		return false, nil
	}
	if err != nil {
		return false, err
	}
	d.target.Store(&t)
	return true, nil
}

func (d *drain) stop() { d.stopOnce.Do(func() { close(d.stopping) }) }

func (d *drain) stopped() bool {
	select {
	case <-d.stopping:
		return true
	default:
		return false
	}
}

// serve sends until nothing is due, and gives the destination back.
func (d *drain) serve(ctx context.Context) error {
	for {
		err := d.pump(ctx)
		done := err != nil || d.stopped() || !d.circuit.open(d.now())
		released, releaseErr := d.store.ReleaseDestination(ctx, d.id, d.owner, d.now(), done)
		if done || released || releaseErr != nil {
			return errors.Join(err, releaseErr)
		}
	}
}
