package budget

import (
	"context"
	"time"
)

// Ledger is what the processes share: the store implements it on its database,
// [NewMemory] in memory, and budgettest says what every one must do.
//
// There are two kinds of rows, and each protects one thing:
//
//   - the row of a key holds what has been learned of it (limit, blocked until),
//     and is the lock: Reserve holds it from reading the grants to writing its
//     own, so that two processes cannot both be given the last request. That lock
//     is what protects the limit;
//   - a row of grants, by (key, minute, owner), holds how much one process may
//     spend, or has spent, of one minute. Only its owner writes to it. It stays
//     when the owner dies, which is what makes a request that may have been sent
//     count for its hour.
//
// Rows of grants are of no interest an hour and two minutes after their minute,
// unless a clock was set forward meanwhile; a store may delete those that are more
// than a day old.
type Ledger interface {
	// Reserve makes reservations of several keys, each of which is there once. For
	// each it reads the book of the key, with the grants of minutes from Since on
	// (those of the future too), calls Decide with it, and adds the number that
	// Decide returns to the grants of the slot; it writes the row even for 0, so that
	// Waiting is seen by the others. All of it is one transaction under the keys'
	// locks; Decide is quick and does no I/O (invariant 3). It may be called
	// again if the transaction is tried again.
	Reserve(ctx context.Context, reservations []Reservation) error
	// Return takes unspent requests off the grants of a slot, never below zero.
	Return(ctx context.Context, slot Slot, unspent int) error
	// Observe stores what was learned about a key from an answer. See Seen.
	Observe(ctx context.Context, key string, seen Seen) error
	// Read returns the books of several keys, as Reserve does. A key that was never
	// used has none.
	Read(ctx context.Context, keys []string, since int64) (map[string]Book, error)
}

// A Reservation is what is to be granted of one key.
type Reservation struct {
	Slot

	Since  int64 // the first minute that counts
	Decide func(Book) int
}

// Slot identifies a row of grants.
type Slot struct {
	Key    string
	Minute int64 // since 1970
	Owner  string
	Class  Class
	// Waiting is how many customers of each class the owner keeps waiting now;
	// of backfills, those that it serves as well. It replaces what the row has.
	Waiting [Classes]int
}

// Book is what the ledger knows of one key.
type Book struct {
	// Limit is how many requests an hour the provider said it allows; 0 when it
	// did not say.
	Limit int
	// Blocked is until when the provider wants no request; zero for none. BlockedAt is
	// when that was seen, by the same clock; zero where it is not known.
	Blocked, BlockedAt time.Time
	Grants             []Grants
}

// Grants are what one owner got in one minute, by class.
type Grants struct {
	Minute  int64
	Owner   string
	Granted [Classes]int
	Waiting [Classes]int
}

// Seen is what was learned from an answer.
type Seen struct {
	// Limit replaces the book's; 0 leaves it.
	Limit int
	// Blocked moves the book's later, never earlier; zero leaves it. At is when it was
	// seen.
	Blocked, At time.Time
	// Replace has Blocked and At replace the book's, earlier or not: they are the same
	// block, by a clock that was set back.
	Replace bool
}
