package budget

import (
	"cmp"
	"context"
	"slices"
	"sync"
)

// Memory is a Ledger of this process's memory: for one process that may forget
// what it spent when it stops, and for tests, where several budgets share one.
type Memory struct {
	mu     sync.Mutex
	books  map[string]*Book
	writes int
}

// NewMemory returns an empty ledger.
func NewMemory() *Memory { return &Memory{books: map[string]*Book{}} }

// Writes counts the calls that would each have been a write to a database.
func (m *Memory) Writes() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.writes
}

func (m *Memory) book(key string) *Book {
	if m.books[key] == nil {
		m.books[key] = &Book{}
	}
	return m.books[key]
}

// grants finds a row, or makes it.
func (b *Book) grants(slot Slot) *Grants {
	at, found := slices.BinarySearchFunc(b.Grants, slot, func(g Grants, s Slot) int {
		return cmp.Or(cmp.Compare(g.Minute, s.Minute), cmp.Compare(g.Owner, s.Owner))
	})
	if !found {
		b.Grants = slices.Insert(b.Grants, at, Grants{Minute: slot.Minute, Owner: slot.Owner})
	}
	return &b.Grants[at]
}

// since returns a copy of the book without grants of before a minute.
func (b *Book) since(minute int64) Book {
	seen := *b
	seen.Grants = make([]Grants, 0, len(b.Grants))
	for _, g := range b.Grants {
		if g.Minute >= minute {
			seen.Grants = append(seen.Grants, g)
		}
	}
	return seen
}

// Reserve implements [Ledger].
func (m *Memory) Reserve(ctx context.Context, reservations []Reservation) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes++
	for _, r := range reservations {
		book := m.book(r.Key)
		granted := r.Decide(book.since(r.Since))
		row := book.grants(r.Slot)
		row.Granted[r.Class] += granted
		row.Waiting = r.Waiting
		const yesterday = 24 * 60
		book.Grants = slices.DeleteFunc(book.Grants, func(g Grants) bool { return g.Minute < r.Minute-yesterday })
	}
	return nil
}

// Return implements [Ledger].
func (m *Memory) Return(ctx context.Context, slot Slot, unspent int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes++
	row := m.book(slot.Key).grants(slot)
	row.Granted[slot.Class] = max(0, row.Granted[slot.Class]-unspent)
	return nil
}

// Observe implements [Ledger].
func (m *Memory) Observe(ctx context.Context, key string, seen Seen) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes++
	book := m.book(key)
	if seen.Limit > 0 {
		book.Limit = seen.Limit
	}
	if seen.Replace || seen.Blocked.After(book.Blocked) {
		book.Blocked, book.BlockedAt = seen.Blocked, seen.At
	}
	return nil
}

// Read implements [Ledger].
func (m *Memory) Read(ctx context.Context, keys []string, since int64) (map[string]Book, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	books := map[string]Book{}
	for _, key := range keys {
		if book := m.books[key]; book != nil {
			books[key] = book.since(since)
		}
	}
	return books, nil
}
