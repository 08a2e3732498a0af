package windlass

import "time"

// Health is the state of the deliveries to one destination. The zero value means that
// nothing has been sent to it.
type Health struct {
	DestinationID string
	// Failures counts the attempts that failed since the last that succeeded.
	Failures int
	// FailingSince is when the first of them was made; zero when there is none.
	FailingSince time.Time
	// HoldUntil is when the next attempt may be made; zero is at once.
	HoldUntil time.Time
}

// Outcome is an attempt and what follows from it for its batch.
type Outcome struct {
	Attempt Attempt
	Status  string    // BatchDelivered, BatchPending or BatchFailed
	Next    time.Time // when to try again; zero unless pending
	Lane    string    // of the batch
}

// Held is a batch that is not tried before Until, because an earlier one that
// waits has a record in common with it. It is due at once when one of its lane
// that waited is delivered or given up.
type Held struct {
	BatchID string
	Until   time.Time
}

// Outcomes are what an owner of a destination's lease has to record.
type Outcomes struct {
	Health   Health // of the destination, after the attempts
	Owner    string // of the lease; what any other owner records is refused
	Until    time.Time
	Now      time.Time
	Outcomes []Outcome
	Held     []Held
	// Lanes are those whose next due batch is to be looked up anew.
	Lanes []string
}

// BatchFilter chooses batches, the newest first. A field that is empty chooses
// all.
type BatchFilter struct {
	ProjectID      string
	DestinationID  string
	InstallationID string
	OperationID    string
	Status         string
	// Since and Until bound the time they were made: Since is included.
	Since, Until time.Time
	Before       string // only those older than this id: the last one of the page before
	Limit        int    // the page size; 0 means 100
}

// Replayed chooses what to deliver again: the batches of one destination
// that are not due anyway.
type Replayed struct {
	DestinationID string
	BatchID       string    // only this one
	Status        string    // BatchFailed or BatchDelivered; empty is any
	Since, Until  time.Time // when they were made; zero is open. Since is included.
}
