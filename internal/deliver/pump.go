package deliver

import (
	"context"
	"errors"
	"slices"
	"time"

	"windlass"
)

const (
	// short is how many batches a lane has at least that is not looked at together
	// with others. Where lanes are many and short, a look for each would cost more
	// than its batches.
	short = 16
	// shortBytes bounds the bodies that one look at short lanes reads.
	shortBytes = 4 << 20
)

// A round is a lane to be served, and its batches if they have been read.
type round struct {
	lane    string
	batches []windlass.Batch
	read    bool
}

// A pump serves the lanes of a drain side by side.
type pump struct {
	*drain

	ahead   []round         // due and not begun
	active  map[string]bool // begun and not recorded
	sending int             // of those, how many have something to send
	looking bool
	look    bool // something may have become due since the last look
	failure error

	looked chan lookedAt
	sent   chan struct{}
	ended  chan endedLane
}

type lookedAt struct {
	rounds []round
	err    error
}

type endedLane struct {
	name string
	err  error
}

// pump returns when no lane is under way and none can be begun.
func (d *drain) pump(ctx context.Context) error {
	most := d.concurrency + maxRecorded
	p := &pump{
		drain: d, active: map[string]bool{}, look: true,
		looked: make(chan lookedAt, 1), sent: make(chan struct{}, most), ended: make(chan endedLane, most),
	}
	ticker := time.NewTicker(d.poll) // others add lanes, too, and do not nudge
	defer ticker.Stop()
	for {
		p.begin(ctx, most)
		if len(p.active) == 0 && !p.looking {
			return p.failure
		}
		select {
		case found := <-p.looked:
			p.looking = false
			p.failure = errors.Join(p.failure, found.err)
			p.ahead = append(p.ahead, found.rounds...)
		case <-p.sent:
			p.sending--
		case lane := <-p.ended:
			delete(p.active, lane.name)
			p.failure = errors.Join(p.failure, lane.err)
			p.look = true
		case <-ticker.C:
			p.look = true
		case <-d.nudge:
			p.look = true
		}
	}
}

// begin begins what may be begun: lanes, and a look for more. A lane that has sent
// and waits to be recorded keeps no other from sending.
func (p *pump) begin(ctx context.Context, most int) {
	for p.may() && len(p.ahead) > 0 && p.sending < p.concurrency && len(p.active) < most {
		r := p.ahead[0]
		p.ahead = p.ahead[1:]
		p.active[r.lane] = true
		p.sending++
		go func() {
			end, err := p.lane(ctx, r)
			p.sent <- struct{}{}
			p.settle(end)
			p.ended <- endedLane{r.lane, err}
		}()
	}
	if !p.look || p.looking || len(p.ahead) >= lanesLow || p.sending >= p.concurrency && len(p.ahead) > 0 || !p.may() {
		return
	}
	p.look, p.looking = false, true
	// What is known already is left out: it would be sent twice.
	known := make(map[string]bool, len(p.active)+len(p.ahead))
	for name := range p.active {
		known[name] = true
	}
	for _, r := range p.ahead {
		known[r.lane] = true
	}
	go func() {
		rounds, err := p.lookFor(ctx, known)
		p.looked <- lookedAt{rounds, err}
	}()
}

func (p *pump) may() bool { return p.failure == nil && !p.stopped() && p.circuit.open(p.now()) }

// lookFor lists the lanes that are due and not known, in turn: the store puts one
// that was served behind the others. The batches of short ones come along where
// lanes are many.
func (d *drain) lookFor(ctx context.Context, known map[string]bool) ([]round, error) {
	names, err := d.store.DueLanes(ctx, d.id, d.now(), lanesAtOnce+len(known))
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return known[name] })
	names = names[:min(len(names), lanesAtOnce)]
	rounds, place := make([]round, len(names)), make(map[string]int, len(names))
	for i, name := range names {
		rounds[i].lane, place[name] = name, i
	}
	if len(names) <= d.concurrency {
		return rounds, nil
	}
	batches, err := d.store.DueOfLanes(ctx, d.id, d.now(), names, short, shortBytes)
	for i := range batches {
		r := &rounds[place[batches[i].Lane]]
		r.batches, r.read = append(r.batches, batches[i]), true
	}
	return rounds, err
}
