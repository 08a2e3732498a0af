package deliver

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"windlass"
)

const (
	// lease is how long a destination stays with whoever sends to it, if nothing
	// is heard of him. It outlasts an attempt by three beats.
	lease = Timeout + 3*beat
	// beat is how often the lease is extended when no attempt does it, and the
	// destination is read anew.
	beat = 5 * time.Second
	// grace is how long attempts that are under way may go on when the process
	// is to end.
	grace = 5 * time.Second
	// lanesAtOnce is how many lanes one look finds.
	lanesAtOnce = 256
)

// A drain sends what is due to one destination, for as long as something is.
type drain struct {
	*Service
	id      string
	holder  string
	nudge   <-chan struct{}
	target  atomic.Pointer[target]
	circuit circuit
	entries chan entry
	// sending ends when attempts are to be broken off, stopping when no new one
	// is to begin.
	sending  context.Context //nolint:containedctx // a drain lives as long as one call
	stopping chan struct{}
	stopOnce sync.Once

	served map[string]int // lanes, by the look at which they were served last
	looks  int
	down   bool // for the log: only probes go out
}

// Drain sends everything that is due to a destination, and returns when nothing
// is, when the destination is to be left alone for a while, or when ctx ends. It
// does nothing while somebody else is sending there. An error says that what was
// sent may not have been recorded, and will be sent again.
func (s *Service) Drain(ctx context.Context, destinationID string) error {
	return s.drain(ctx, destinationID, nil)
}

func (s *Service) drain(ctx context.Context, destinationID string, nudge <-chan struct{}) error {
	d := &drain{
		Service: s, id: destinationID, holder: rand.Text(), nudge: nudge,
		entries: make(chan entry, mostRecorded), stopping: make(chan struct{}), served: map[string]int{},
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
	health, won, err := d.store.LeaseDestination(ctx, d.id, d.holder, d.now(), until)
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
		_, releaseErr := d.store.ReleaseDestination(ctx, d.id, d.holder, d.now(), true)
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
	d.target.Store(d.aim(t))
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
		released, releaseErr := d.store.ReleaseDestination(ctx, d.id, d.holder, d.now(), done)
		if done || released || releaseErr != nil {
			return errors.Join(err, releaseErr)
		}
	}
}

// pump serves lanes side by side, and returns when none is under way and none
// can be begun.
func (d *drain) pump(ctx context.Context) error {
	var failure error
	var ahead []string // lanes that are due and not begun
	active := map[string]bool{}
	finished := make(chan finishedLane, d.concurrency)
	ticker := time.NewTicker(d.poll) // others add lanes, too, and do not nudge
	defer ticker.Stop()
	for look := true; ; {
		for failure == nil && len(active) < d.concurrency && !d.stopped() && d.circuit.open(d.now()) {
			if len(ahead) == 0 && look {
				look = false
				ahead, failure = d.look(ctx, active)
			}
			if len(ahead) == 0 {
				break
			}
			name := ahead[0]
			ahead = ahead[1:]
			if active[name] {
				continue
			}
			active[name] = true
			go func() { finished <- finishedLane{name, d.lane(ctx, name)} }()
		}
		if len(active) == 0 {
			return failure
		}
		select {
		case lane := <-finished:
			delete(active, lane.name)
			failure = errors.Join(failure, lane.err)
			look = true
		case <-ticker.C:
			look = true
		case <-d.nudge:
			look = true
		}
	}
}

type finishedLane struct {
	name string
	err  error
}

// look lists the lanes that are due and not under way: those that were served
// least recently first, so that a long one does not keep the others waiting.
func (d *drain) look(ctx context.Context, active map[string]bool) ([]string, error) {
	d.looks++
	names, err := d.store.DueLanes(ctx, d.id, d.now(), lanesAtOnce+len(active))
	names = slices.DeleteFunc(names, func(name string) bool { return active[name] })
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(d.served[a], d.served[b]) })
	names = names[:min(len(names), lanesAtOnce)]
	for _, name := range names {
		d.served[name] = d.looks
	}
	return names, err
}
