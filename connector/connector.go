// Package connector says what a connector is: the small interfaces through
// which Windlass reads, writes, deletes and describes a provider's records,
// the shapes that pass through them, and the one type of error they return; and
// what a [Provider] is, of which a server has a list.
//
// # What it promises
//
// A [Reader] reads one page at a time and the caller pages. The [Cursor] in a
// page is opaque, holds no credential and survives a restart of the process:
// the same cursor given again reads the same place again. A record's bytes
// ([Record.Raw]) are the provider's own, untouched.
//
// Everything that fails returns an [*Error] with a [windlass.Kind], the
// provider's own text, what to do about it and, where the provider said so, how
// long to wait. A connector never retries and never sleeps; it is handed an
// *http.Client that already authenticates, so it never sees a token. [Retry] is a
// transport of its own for what may be sent again, whichever the provider.
//
// # What to use
//
// [All] walks every record of an object and [Pages] every page, for programs
// that keep the cursor. An object below another, as branches are below
// repositories, is read for one [Parent] at a time. A new connector is checked by
// the suite in windlass/connector/connectortest. A server takes a [Provider]: one
// value with the facts that it shows, and a way to consent, to authenticate and to
// open a connector.
package connector

import (
	"context"
	"encoding/json"
	"time"
)

// Reader reads records page by page.
type Reader interface {
	// Read returns one page. The first call has no Cursor; each later one has the Next
	// of the previous page, with the rest of the request unchanged. Read may be
	// repeated: it changes nothing at the provider, and the same request reads the same
	// place.
	Read(ctx context.Context, req ReadRequest) (Page, error)
}

// Writer creates and updates records.
type Writer interface {
	// Write creates a record, or updates the one that req.ID names. An update
	// changes only what req.Record names. Updating a record that does not exist
	// fails with windlass.NotFound and creates nothing. A create must not be
	// repeated blindly: after an error of kind windlass.Unavailable it may have
	// happened.
	Write(ctx context.Context, req WriteRequest) (WriteResult, error)
}

// Deleter deletes records.
type Deleter interface {
	// Delete removes one record. Deleting what does not exist fails with
	// windlass.NotFound, so that a caller who repeats a delete can tell.
	Delete(ctx context.Context, req DeleteRequest) error
}

// Finder looks for records that a create may have left behind.
type Finder interface {
	// Find looks for the record that a create of req.Record would have made: by
	// what is unique among the object's records, or by all fields of the record where
	// nothing is unique. found is false when there is none. It changes nothing.
	Find(ctx context.Context, req FindRequest) (id string, found bool, err error)
}

// Getter gets single records.
type Getter interface {
	// Get returns a record as the provider has it now. It fails with
	// windlass.NotFound where there is none.
	Get(ctx context.Context, req GetRequest) (Record, error)
}

// Describer says which objects there are and which fields they have.
type Describer interface {
	// Objects returns every object the connector knows, sorted by name.
	Objects() []Object
	// Describe returns the fields of an object, parents before children. It
	// fails with windlass.Invalid for an object the connector does not know.
	Describe(ctx context.Context, object string) ([]Field, error)
}

// Cursor is a place in a read. It is opaque: only the connector that made it
// can say what it means. The zero value is the beginning, and, in Page.Next,
// the end.
type Cursor string

// ReadRequest names what to read. Object is required.
type ReadRequest struct {
	// Object is the object's name as in Object.Name.
	Object string
	// Parent is the record to read below, where Object.Parent names an object; see
	// Object.ParentOf. Such an object is read parent by parent, each with cursors,
	// a Page.Size and a Page.Full of its own: a cursor belongs to its parent. A
	// parent that the provider does not have, or does not show, fails the read
	// with windlass.NotFound or windlass.Forbidden, and says nothing of others.
	// Reading a child object without a parent, or any other object with one,
	// fails with windlass.Invalid before anything is sent.
	Parent Parent
	// Fields are the dotted paths of the fields the caller wants. A connector
	// may use them to ask the provider for less; records may still hold more.
	// Empty means every field.
	Fields []string
	// Since and Until bound the time of the last change: Since itself is
	// included, Until is not. Zero means no bound. When the object cannot be
	// read by time the whole of it is read, and Page.Full says so.
	Since, Until time.Time
	// Cursor is where to go on; zero at first.
	Cursor Cursor
	// PageSize asks for at most so many records a page. Zero means as many as
	// the provider gives, which costs the fewest requests.
	PageSize int
}

// Record is one record as the provider sent it.
type Record struct {
	// ID identifies the record within its object and never changes. It is what
	// WriteRequest.ID and DeleteRequest.ID take. Records of a child object have
	// IDs that differ from those below every other parent.
	ID string
	// Updated is when the record last changed, or zero where the provider
	// does not say.
	Updated time.Time
	// Raw is the record's JSON exactly as it arrived.
	Raw json.RawMessage
}

// Page is one page of a read.
type Page struct {
	// Records are in the provider's order. A page may be empty and not the last.
	Records []Record
	// Next is where the next page begins; zero when this is the last one.
	Next Cursor
	// Size is how many records the whole read has, as far as the provider
	// tells, and -1 when it does not. It can move while a read goes on.
	Size int
	// Workspace is the name that the records' workspace has now, where they say it
	// and the reader was given the workspace's id; else empty.
	Workspace string
	// Full reports that Since and Until were given but could not be applied:
	// the read returns every record there is.
	Full bool
	// Keyed reports that Next continues at a key that the records keep, and not at a
	// position in the list: however much later it is used, no record moves across the
	// boundary between the two pages.
	Keyed bool
	// Notes say what the provider did wrong on this page and what was done about
	// it, as sentences for the log of the read.
	Notes []string
}

// WriteRequest names what to write.
type WriteRequest struct {
	// Object is the object's name as in Object.Name.
	Object string
	// ID is the record to update; empty creates one.
	ID string
	// Record is a JSON object with the fields to set.
	Record json.RawMessage
}

// WriteResult is what a write left behind.
type WriteResult struct {
	// ID identifies the record written; always set.
	ID string
	// Raw is the record as the provider returned it.
	Raw json.RawMessage
}

// DeleteRequest names what to delete.
type DeleteRequest struct {
	// Object is the object's name as in Object.Name.
	Object string
	// ID is the record to delete, as in Record.ID.
	ID string
}

// FindRequest names what to look for.
type FindRequest struct {
	// Object is the object's name as in Object.Name.
	Object string
	// Record is what the create was given.
	Record json.RawMessage
	// Since leaves out what was there before, as far as the provider says when
	// records were created. Zero leaves out nothing.
	Since time.Time
}

// GetRequest names what to get.
type GetRequest struct {
	// Object is the object's name as in Object.Name.
	Object string
	// ID is the record's, as in Record.ID.
	ID string
}
