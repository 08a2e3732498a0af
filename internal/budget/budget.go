package budget

import (
	"context"
	"crypto/rand"
	"net/http"
	"sync"
	"time"

	"windlass/connector"
)

// Class says what a request is for, in order of service.
type Class int

// The classes.
const (
	// Interactive is for proxy calls and writes: a caller waits for the answer.
	Interactive Class = iota
	// Scheduled is for reads that are due.
	Scheduled
	// Backfill is for reading the past.
	Backfill
	// Classes is the number of classes.
	Classes
)

// String returns the class's name.
func (c Class) String() string {
	switch c {
	case Interactive:
		return "interactive"
	case Scheduled:
		return "scheduled"
	default:
		return "backfill"
	}
}

// Account says for which account the provider counts a request, and for which customer
// we do.
type Account struct {
	// Provider is the name of the provider that counts.
	Provider string
	// Key is what the provider counts by: the provider app for OAuth, for all of
	// its users together, and each other credential by itself. It is not a secret.
	Key string
	// Limit is how many requests an hour the operator allows; 0 leaves it to the
	// provider, and to Usual where that says nothing.
	Limit int
	// Usual is how many the provider documents; 0 is DefaultLimit.
	Usual int
	// Payer is listed with the key in State, such as a connection; empty is not listed.
	Payer string
	// Customer is the unit of fair sharing: the installation's group.
	Customer string
}

// Options are the optional parts of a Budget.
type Options struct {
	// Owner names this process in the ledger; it must be another one after every
	// start. Empty is a random name.
	Owner string
	// Patience is for how long Acquire blocks before it answers Wait; 0 is two
	// seconds, and less than 0 is not at all.
	Patience time.Duration
	// Limits reads what an answer to an account's request says of its limit; nil learns
	// from 429s only.
	Limits func(account Account, resp *http.Response) (connector.Limit, bool)
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Elapsed is a clock that cannot be set, from any beginning; nil is the
	// system's.
	Elapsed func() time.Duration
}

// Budget pays requests. It is safe for concurrent use.
type Budget struct {
	ledger Ledger
	group  *group
	opts   Options
	clock  *clock

	mu          sync.Mutex
	allocations map[string]*allocation
	rested      map[string]restedKey // a key is in one of the two
}

// New makes a Budget on a ledger. opts may be nil. Run it, so that what it does
// not spend goes back to the others.
func New(ledger Ledger, opts *Options) *Budget {
	b := &Budget{ledger: ledger, group: newGroup(ledger), allocations: map[string]*allocation{}, rested: map[string]restedKey{}}
	if opts != nil {
		b.opts = *opts
	}
	if b.opts.Owner == "" {
		b.opts.Owner = rand.Text()
	}
	if b.opts.Patience == 0 {
		b.opts.Patience = 2 * time.Second
	}
	if b.opts.Now == nil {
		b.opts.Now = time.Now
	}
	if b.opts.Elapsed == nil {
		start := time.Now()
		b.opts.Elapsed = func() time.Duration { return time.Since(start) }
	}
	b.clock = newClock(b.opts.Now, b.opts.Elapsed)
	return b
}

// allocation returns what this process has of a key.
func (b *Budget) allocation(key string) *allocation {
	b.mu.Lock()
	defer b.mu.Unlock()
	a := b.allocations[key]
	if a == nil {
		now, _ := b.clock.read()
		if r, known := b.rested[key]; known {
			a = r.wake(key, now)
			delete(b.rested, key)
		} else {
			a = newAllocation(key, now)
		}
		b.allocations[key] = a
	}
	return a
}

// Acquire pays one request, which is to be sent now. It blocks only for what is
// quickly over; otherwise it fails with a *Wait. An error of the ledger is
// returned as it is: what cannot be counted is not sent. An Acquire that failed
// has spent nothing and may be repeated.
func (b *Budget) Acquire(ctx context.Context, account Account, class Class) error {
	a := b.allocation(account.Key)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		now, _ := b.clock.read()
		verdict := a.try(account, class, now)
		switch {
		case verdict.paid:
			return nil
		case verdict.ask:
			if err := b.ask(ctx, a, account, class); err != nil {
				return err
			}
		case verdict.wait > b.opts.Patience || !fits(ctx, verdict.wait):
			return &Wait{
				Key: account.Key, Class: class, Reason: verdict.reason,
				// The system's own clock, which a job sleeps by; ours may differ.
				Until: b.opts.Now().Add(verdict.wait), For: verdict.wait,
			}
		default:
			if err := sleep(ctx, verdict.wait); err != nil {
				return err
			}
		}
	}
}

// fits reports whether a wait ends before the context does.
func fits(ctx context.Context, wait time.Duration) bool {
	deadline, has := ctx.Deadline()
	return !has || time.Until(deadline) > wait
}

func sleep(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(max(wait, time.Millisecond))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
