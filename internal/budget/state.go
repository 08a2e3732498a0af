package budget

import (
	"context"
	"maps"
	"slices"
	"time"
)

// State is what a dashboard shows of one key.
type State struct {
	Key   string
	Limit int // requests an hour
	// Used is how many of the last hour's are spent or leased, by all processes.
	Used [Classes]int
	// SetAside is how many of the rest are kept for a class.
	SetAside [Classes]int
	// Leased is how many this process holds and has not spent.
	Leased [Classes]int
	// Waiting is how many customers wait, in all processes; of backfills it is
	// those that go on.
	Waiting [Classes]int
	// Blocked is until when the provider wants no requests; zero for none.
	Blocked time.Time
	// Payers are those of the accounts that paid, or wanted to, in the last hours.
	Payers []string
}

// maxRead is how many books are read at a time.
const maxRead = 500

// State returns the state of every key that this process has used in the last
// hours, in order of key.
func (b *Budget) State(ctx context.Context) ([]State, error) {
	states := []State{}
	for keys := range slices.Chunk(b.used(), maxRead) {
		now, back := b.clock.read()
		books, err := b.ledger.Read(ctx, keys, minuteOf(now.Add(-back)))
		if err != nil {
			return nil, err
		}
		for _, key := range keys {
			if a := b.peek(key, now); a != nil {
				states = append(states, a.state(books[key], b.opts.Owner, now))
			}
		}
	}
	return states, nil
}

func (a *allocation) state(book Book, owner string, now time.Time) State {
	a.mu.Lock()
	defer a.mu.Unlock()
	v := see(book, a.operatorLimit, a.usualLimit, owner, a.waiting(now), bookingMinute(now))
	s := State{Key: a.key, Limit: v.limit, Used: v.used, Waiting: v.waiting, Payers: a.payersAt(now)}
	if _, setBack := book.blockEnd(now); book.Blocked.After(a.blockedUntil) && !setBack {
		a.blockedUntil = book.Blocked
	}
	if a.blockedUntil.After(now) {
		s.Blocked = a.blockedUntil
	}
	for class := range Classes {
		s.SetAside[class] = max(0, v.share(class)-v.used[class])
		if have := a.slices[class]; have.minute == bookingMinute(now) {
			s.Leased[class] = have.left
		}
	}
	return s
}

// payersAt forgets those who have not paid for long, and returns the others in order.
func (a *allocation) payersAt(now time.Time) []string {
	maps.DeleteFunc(a.payers, func(_ string, at time.Time) bool { return now.Sub(at) > idleLife })
	return slices.Sorted(maps.Keys(a.payers))
}
