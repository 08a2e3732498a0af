// Package logkey is the list of the keys under which the server logs.
//
// A key is spelled here and nowhere else, so that everything about one
// installation, say, is found by searching for one word: installation_id. A key
// that ends in _id holds an id, one that ends in _name a name that a person gave.
// Times end in _at, durations need no ending: they are written with their unit.
package logkey

// What a line is about.
const (
	Project      = "project_id"
	ProjectName  = "project_name"
	ProviderApp  = "provider_app_id"
	Integration  = "integration_id"
	Installation = "installation_id"
	Connection   = "connection_id"
	Destination  = "destination_id"
	Operation    = "operation_id" // a read or a write, as in the messages
	Batch        = "batch_id"     // a message, as in svix-id
	Object       = "object"
	Lane         = "lane"
	Record       = "record" // its place in what was asked for
	RecordID     = "record_id"
	Request      = "request_id"
	Caller       = "caller"
	Kind         = "kind" // of a job, or of what else comes in several kinds
	Name         = "name" // of what has no id
)

// What happened.
const (
	Error    = "error"
	Stack    = "stack"
	Warning  = "warning"
	Trigger  = "trigger"
	Action   = "action"
	Status   = "status"
	Attempt  = "attempt" // its number, from 1
	Failures = "failures"
	Duration = "duration"
	Next     = "next_at"  // when it is tried again
	Until    = "until_at" // when a wait ends, if nothing ends it before
	Since    = "since_at"
	Deadline = "deadline"
)

// How much of it.
const (
	Records         = "records"
	Messages        = "messages"
	Pages           = "pages"
	Page            = "page"
	Requests        = "requests"
	Written         = "written"
	Failed          = "failed"
	Removed         = "removed"
	Jobs            = "jobs"
	Operations      = "operations"
	Estimate        = "estimate"
	DeliveredBefore = "delivered_before"
)

// A request that was answered.
const (
	Method    = "method"
	Route     = "route"
	Endpoint  = "endpoint" // the API's name of what was asked for
	Path      = "path"
	Bytes     = "bytes"
	FirstByte = "first_byte"
	Sent      = "sent_bytes"
	Received  = "received_bytes"
	Cut       = "cut"
)

// The process.
const (
	Addr     = "addr"
	URL      = "url"
	Database = "database"
	Roles    = "roles"
	Version  = "version"
	Process  = "process_id"
)
