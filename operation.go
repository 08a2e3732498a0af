package windlass

import (
	"encoding/json"
	"hash/fnv"
	"time"
)

// What an operation does, what began it and its status. The words of Action
// and Status are the published contract's.
const (
	ActionRead  = "read"
	ActionWrite = "write"

	TriggerBackfill = "backfill" // a new installation, or an object newly enabled
	TriggerSchedule = "schedule"
	TriggerAsked    = "trigger" // a caller asked for it

	OperationRunning = "in_progress"
	OperationSuccess = "success"
	OperationFailure = "failure"
)

// Operation is one read or one write: begun, carried on by jobs, ended.
type Operation struct {
	ID             string
	ProjectID      string
	IntegrationID  string
	InstallationID string
	ConfigID       string // the config it began with and finishes with
	RevisionID     string // the revision that config was filled in from
	Workspace      string // the workspace that it reads
	Object         string
	Action         string // ActionRead or ActionWrite
	Trigger        string // TriggerBackfill, TriggerSchedule or TriggerAsked
	Status         string // OperationRunning, OperationSuccess or OperationFailure
	Result         string // a sentence, once it has ended
	// Since and Until bound the records by the time they changed; zero is open.
	Since, Until time.Time
	// Cursor is the connector's cursor of the next page to read; empty at the
	// start. It moves only in the transaction of the page before (invariant 1).
	Cursor string
	// Pages, Records and Batches count what has been committed: Records are the
	// ones that are delivered. Requests is what was asked of the provider, failed
	// calls included.
	Pages, Records, Batches, Requests int64
	// Walked is how many records came since the walk began, whether or not they
	// are delivered; a walk that starts over begins at 0. Estimate is how many
	// the provider says there are; -1 is unknown.
	Walked, Estimate int64
	// Restarts is how often the walk has started over.
	Restarts int
	// Full reports that the read brings every record there is, and not only
	// the changed ones.
	Full bool
	// Wait is the time the operation sleeps until; zero when it does not.
	Wait time.Time
	// Attempt counts the temporary failures in a row since the last page.
	Attempt int
	Created time.Time
	Started time.Time // when its first job ran; zero before
	Ended   time.Time
	Updated time.Time
}

// How serious a line of an operation's log is, as the contract names it.
const (
	SeverityInfo    = "info"
	SeverityWarning = "warning"
	SeverityError   = "error"
)

// OperationLog is one line of an operation's log, for a person who follows it.
type OperationLog struct {
	ID          string
	OperationID string
	Time        time.Time
	Severity    string
	Message     string            // a sentence
	Details     map[string]string // figures and names, by constant keys
}

// What a batch holds.
const (
	BatchRead         = "read"
	BatchNotification = "notification"
	BatchWriteDone    = "write.async.done"
)

// The status of the delivery of a batch.
const (
	BatchPending   = "pending"
	BatchDelivered = "delivered"
	BatchFailed    = "failed"
)

// Batch is one message to one destination. It is delivered at least once, and
// every try carries the same id and the same bytes (invariant 2).
type Batch struct {
	ID             string // a UUID, version 7; what the message is known by
	ProjectID      string
	DestinationID  string
	InstallationID string // empty for what belongs to none
	OperationID    string // likewise
	Object         string // likewise
	Kind           string // BatchRead, or what the notification is about
	// Lane names what has to arrive in order, such as one object of one
	// installation; Seq is the place in it, given by the store.
	Lane    string
	Seq     int64
	Records int
	// RecordKeys has a KeyOf for each record: two messages that may have one in
	// common are delivered in order, also when the first is refused.
	RecordKeys []uint32
	Body       []byte // exactly what is sent, every time
	// Aside is what its receiver fetches by itself. It is kept when the batch is
	// added, and not read with it.
	Aside  *LargeRecord
	Status string // BatchPending, BatchDelivered or BatchFailed
	// NextAttempt is when to try next, Attempts how often it was tried in all,
	// and Tries how often since it was added or replayed: the place in the
	// schedule of retries.
	NextAttempt time.Time
	Attempts    int
	Tries       int
	// HeldBack is set while an earlier message with a record of this one waits to
	// be tried again.
	HeldBack bool
	// Replays is how often it was replayed after it had been delivered or given up.
	Replays int
	Created time.Time
	Updated time.Time
	// Its owner and destination, for display: set when it is listed, empty when it is
	// about to be sent, or once the installation is gone.
	GroupRef, IntegrationID, DestinationName string
}

// KeyOf is a short mark of a record's id. Two records may share one: then a message
// waits unnecessarily.
func KeyOf(recordID string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(recordID)) // a hash takes everything
	return h.Sum32()
}

// Attempt is one try to deliver a batch.
type Attempt struct {
	BatchID string
	Number  int // from 1
	Time    time.Time
	Status  int // the receiver's HTTP status; 0 when there was no answer
	Latency time.Duration
	Error   string // why there was no answer, or why the answer is no success
	Answer  string // the first bytes of the answer
}

// ReadPage is a page of a read that is under way, as it is kept until the read
// ends: what tells whether it is complete.
type ReadPage struct {
	OperationID string
	Number      int64     // in all passes, from 1
	Pass        int       // from 0: as often as the walk had started over
	Began       time.Time // when it was asked for
	Keyed       bool      // no record can move across the boundary to the next page
	GaveWay     bool      // the read yielded to others after it
	Interrupted bool      // a record may have moved across the boundary to the previous page
	Size        int64     // what the provider counted; -1 is unknown
	Records     []byte    // their identities: see connector.Tally
}

// ReadUnit is one part of a read that is under way and whose object is below another:
// the list of the uppermost parents, or what is below one parent.
type ReadUnit struct {
	OperationID string
	Object      string                     // what is read: the operation's object, or one above it
	ParentID    string                     // the record that it is read below; empty for none
	Position    int64                      // in the order in which the parents were listed
	ParentKeys  map[string]json.RawMessage // what else names that record to the provider
	Since       time.Time
	Cursor      string // of the next page
	Pass        int    // from 0: as often as it was begun again
	Status      string // see UnitOpen
}

// How a part of a read stands.
const (
	UnitOpen       = "open"
	UnitDone       = "done"
	UnitRefused    = "refused"    // the provider does not have the parent, or does not show it
	UnitIncomplete = "incomplete" // fewer records came than the provider counts
)

// Progress is what one page changes about an operation.
type Progress struct {
	OperationID string
	Owner       string // of the lease
	// From is the cursor that the page was read at, To the next one. Each page
	// moves it once (invariant 1).
	From, To string
	// Walked, Records, Batches and Requests are what the page adds.
	Walked, Records, Batches, Requests int64
	Estimate                           int64
	Full                               bool
	Now, LeaseUntil                    time.Time
}

// Standing is what a read has to look up again at every page.
type Standing struct {
	ConfigID     string // the installation's present one
	ConnectionID string
	Status       ConnectionStatus
	Paused       bool // reads of the object are paused
}

// ReadState is the stored state of the reads of one object of an installation.
type ReadState struct {
	InstallationID string
	Object         string
	Workspace      string    // the one that Mark is about
	Mark           time.Time // when the last complete read started; zero: there was none
	Failures       int       // failed reads in a row
	Paused         bool
	Reason         string // why it is paused
	Updated        time.Time
	Checks         int64     // scheduled checks that found nothing, and left no operation
	LastCheck      time.Time // when the last one of them ended
}

// CheckStart is what a check begins with: an installation, and what is remembered of
// the reads of the object.
type CheckStart struct {
	Installation Installation
	Mark         ReadState // empty where nothing is remembered
	Reading      bool      // a read of the object is under way
}

// Check is what became of a scheduled check that was claimed.
type Check struct {
	Schedule Schedule
	Claim    time.Time // until when it was claimed
	Next     time.Time // when it is due again; zero: never
	// Of one that found nothing: the mark that it went by, and when it began, which
	// is the new mark. Began is zero for any other.
	Workspace    string
	Mark         time.Time
	Began, Ended time.Time
}

// SeenRecord is one state of a record: what an incremental read must not deliver
// again.
type SeenRecord struct {
	ID      string
	Updated time.Time
}

// LargeRecord is a record that is too large for a message: it is kept beside the
// batch that says where to get it.
type LargeRecord struct {
	ID        string
	ProjectID string
	BatchID   string
	TokenHash string // Secret.Hash of what the URL carries
	Body      []byte
	Created   time.Time
}

// OperationFilter chooses operations, the latest first. A field that is empty
// chooses all.
type OperationFilter struct {
	ProjectID      string
	InstallationID string
	Object         string
	Action         string
	Trigger        string
	Status         string
	Before         string // only those older than this id: the last one of the page before
	Limit          int    // at most so many; 0 means all
}
