// Package sink is what destinations have in common, whatever their type: a [Sink]
// checks their settings, makes the bytes of batches, and sends them.
//
// # What it promises
//
// The bytes of a batch are made once, in the transaction of the page that they are
// made of, and stored; every attempt sends the same (invariant 2). So Encode sees no
// network, and Send changes nothing.
//
// # What to use
//
// A server has a [Table] of the types that it knows, made where it is put together.
// Flows that produce records or tell of events hand them to [Table.Batches]; package
// deliver keeps lanes, order, retries and the circuit, and calls [Table.Send]; what
// saves destinations asks the [Type] whether the settings will do. None of them
// knows a type by its name. Another type is a folder below this one that implements
// Sink, and a line in the server's table.
package sink

import (
	"context"
	"time"

	"windlass"
)

// Timeout is how long an attempt may take. The context of Send ends with it.
const Timeout = 30 * time.Second

// A Sink is one type of destination. It is safe for concurrent use.
type Sink interface {
	// Check says what is wrong with a destination's settings, before they are saved.
	// The issues' names are paths within the settings.
	Check(d windlass.Destination) []windlass.Issue
	// Encode makes the bodies of batches that hold the entries: in their order, each
	// once. It keeps nothing of the entries, whose memory is used again.
	Encode(d windlass.Destination, of Stream, entries []Entry) ([]Batch, error)
	// Send makes one attempt to bring a batch to its destination. Each batch arrives
	// at least once: sending it again must do no harm.
	Send(ctx context.Context, d windlass.Destination, b windlass.Batch) Result
}

// A Stream is what entries belong to, and what every batch of theirs says.
type Stream struct {
	Kind string // windlass.BatchRead, or the event that the entries tell of
	Lane string // what has to arrive in order

	ProjectID      string
	InstallationID string // empty for what belongs to none
	OperationID    string // likewise
	Object         string // likewise

	Read Read // zero unless records are delivered
}

// A Read is what records are delivered of.
type Read struct {
	Installation windlass.Installation
	Operation    windlass.Operation
	// MappedName is what the product calls the object, if it has a name of its own.
	MappedName string
	// MaxRecords is how many a batch may hold; 0 is any number.
	MaxRecords int
}

// An Entry is a record as it is delivered, or what is told of an event: one JSON
// object.
type Entry struct {
	ID   string // of the record; empty for an event
	JSON []byte
}

// A Batch is one message as a sink has made it.
type Batch struct {
	Body    []byte // what is stored, and sent as it is
	Entries int    // how many of the entries it holds, behind those of the batch before
	// Aside is what the receiver fetches by itself, because it does not fit into the
	// body. The sink fills in its ID, TokenHash and Body.
	Aside *windlass.LargeRecord
}

// A Result is what became of an attempt.
type Result struct {
	// Error is why it is no success, for those who may see the delivery; empty when
	// the destination has accepted the batch.
	Error  string
	Detail string // what the log says beyond that
	Status int    // as the destination answered, where its answers have numbers
	Answer string // the beginning of what it answered
	// RetryAfter is how long the destination asks to be left alone.
	RetryAfter time.Duration
}
