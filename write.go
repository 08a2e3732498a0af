package windlass

import (
	"encoding/json"
	"time"
)

// What a write does, and how. The words are the published contract's.
const (
	WriteCreate = "create"
	WriteUpdate = "update"
	WriteDelete = "delete"

	WriteSync  = "synchronous"  // the caller waits for the answer
	WriteAsync = "asynchronous" // the answer is a notification
)

// How a record that is to be written stands.
const (
	RecordOpen   = "open" // to be written, or sent without an answer: see WriteRecord.Sent
	RecordDone   = "done"
	RecordFailed = "failed"
)

// Write is the part of a write that its operation does not have.
type Write struct {
	OperationID string
	Type        string // WriteCreate, WriteUpdate or WriteDelete
	Mode        string // WriteSync or WriteAsync
	Batch       bool   // several records were given, or one in a list
	// Deadline is when to give up; zero is never.
	Deadline time.Time
	// Collects names what may still join the write; empty: it is closed. Of the
	// open ones each has a name of its own.
	Collects string
	Size     int // how many records it has
}

// WriteRecord is one record of a write. It is erased when the write ends.
type WriteRecord struct {
	OperationID string
	Position    int // from 0
	// Record is what the product sent, without the id. It may hold secrets, and is
	// sealed at rest (invariant 5).
	Record json.RawMessage
	// RecordID is the provider's id: of the record to update or delete, or of the
	// one that was created.
	RecordID string
	Status   string // RecordOpen, RecordDone or RecordFailed
	// Sent is when it was first sent to the provider, unless the provider has said
	// since that it did nothing. So a create that is open and was sent may have
	// happened.
	Sent     time.Time
	Attempts int
	Error    string // why it failed, or why the last attempt did
}

// WriteKey makes one write of all requests with the same idempotency key.
type WriteKey struct {
	ID          string // a hash of the installation and the caller's key
	OperationID string
	// Fingerprint is of the request: another one must not have the same key.
	Fingerprint string
	// Answer is the first answer; nil while there is none that counts.
	Answer  json.RawMessage
	Began   time.Time // when the first request came
	Expires time.Time
}
