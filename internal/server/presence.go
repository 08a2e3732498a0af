package server

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// What follows from a lease (Config.Lease) for how soon others take over what a
// process was doing. By default a lease is thirty seconds and is extended every
// ten. A process whose session with PostgreSQL has ended, because it was killed,
// is gone ten seconds later; meanwhile one that merely lost its session has shown
// itself again, or has ended its writes.
const (
	extendEvery = 3 // times in a lease
	goneAfter   = 3 // in a third of a lease without a session
	lostAfter   = 6 // in a sixth of a lease a process ends its own writes
	lookEvery   = 30
)

// presence shows that this process lives, and takes over from those that do not.
type presence struct {
	server *Server
	shows  interface {
		Show(ctx context.Context) (silent []string, err error)
		Leave(ctx context.Context) error
	}
	silent   map[string]time.Time // since when, by our own clock
	shown    time.Time
	extended time.Time
	end      context.CancelFunc
	ended    sync.WaitGroup

	mu    sync.Mutex
	alive context.Context //nolint:containedctx // it is what the writes of this process share
	die   context.CancelFunc
}

func newPresence(s *Server) *presence {
	p := &presence{server: s, silent: map[string]time.Time{}}
	p.alive, p.die = context.WithCancel(context.Background())
	return p
}

// context ends when this process can no longer show that it lives.
func (p *presence) context() context.Context {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.alive
}

// begin shows this process for the first time, and goes on until stop.
func (p *presence) begin(ctx context.Context) error {
	p.shows = p.server.store.Presence(p.server.owner)
	if err := p.beat(ctx); err != nil {
		return err
	}
	ctx, p.end = context.WithCancel(context.WithoutCancel(ctx))
	p.ended.Go(func() {
		ticker := time.NewTicker(p.server.config.Lease / lookEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			if err := p.beat(ctx); err != nil && ctx.Err() == nil {
				p.server.log.WarnContext(ctx, "cannot show that this process is alive", logError, err.Error())
			}
		}
	})
	return nil
}

// stop frees what this process still holds.
func (p *presence) stop(ctx context.Context) error {
	if p.end == nil {
		return nil
	}
	p.end()
	p.ended.Wait()
	return errors.Join(p.server.release(ctx), p.shows.Leave(ctx))
}

// beat shows this process, extends its leases, and takes over from those who have
// been silent for too long.
func (p *presence) beat(ctx context.Context) error {
	lease := p.server.config.Lease
	patient, cancel := context.WithTimeout(ctx, lease/lostAfter)
	defer cancel()
	silent, err := p.shows.Show(patient)
	now := time.Now()
	p.note(now, err == nil)
	if err != nil {
		return err
	}
	if now.Sub(p.extended) >= lease/extendEvery {
		if err := p.server.store.ExtendLeases(patient, p.server.leases(), p.server.config.Now().Add(lease)); err != nil {
			return err
		}
		p.extended = now
	}
	var errs []error
	for _, id := range p.gone(silent, now) {
		errs = append(errs, p.server.takeOver(ctx, id))
	}
	return errors.Join(errs...)
}

// note ends what may not go on when this process has not been shown for long.
func (p *presence) note(now time.Time, shown bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case shown && p.alive.Err() != nil:
		p.alive, p.die = context.WithCancel(context.Background())
		p.shown = now
	case shown:
		p.shown = now
	case now.Sub(p.shown) >= p.server.config.Lease/lostAfter:
		p.die()
	}
}

// gone chooses those who have been silent for so long that they are gone.
func (p *presence) gone(silent []string, now time.Time) (gone []string) {
	for id := range p.silent {
		if !slices.Contains(silent, id) {
			delete(p.silent, id)
		}
	}
	for _, id := range silent {
		since, known := p.silent[id]
		switch {
		case !known:
			p.silent[id] = now
		case now.Sub(since) >= p.server.config.Lease/goneAfter:
			delete(p.silent, id)
			gone = append(gone, id)
		}
	}
	return gone
}
