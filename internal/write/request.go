package write

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"windlass"
)

// Request is the body of POST …/objects/{o} that asks for a write, in the
// published contract's shape.
type Request struct {
	GroupRef string `json:"groupRef" doc:"The customer whose records are written."`
	Type     string `json:"type" enum:"create,update,delete"`
	// Mode is windlass.WriteSync, the default, or WriteAsync.
	Mode string `json:"mode,omitempty" enum:"synchronous,asynchronous" doc:"Whether to wait for the outcome, which is the default, or to be told of it with write.async.done."`
	// Record or Batch: one of the two.
	Record      map[string]json.RawMessage `json:"record,omitempty" doc:"The record. An update and a delete name it by its id."`
	Batch       []BatchRecord              `json:"batch,omitempty" minItems:"1" maxItems:"100" doc:"Several records. Those that can be written are, whatever becomes of the others."`
	BatchPolicy *BatchPolicy               `json:"batchPolicy,omitempty"`
	RetryPolicy *RetryPolicy               `json:"retryPolicy,omitempty"`
	AutoBatch   *AutoBatchPolicy           `json:"autoBatchPolicy,omitempty"`
	// Associations and Headers belong to other providers.
	Associations []map[string]json.RawMessage `json:"associations,omitempty" doc:"Not taken: no provider here has any."`
	Headers      []Header                     `json:"headers,omitempty" doc:"Not taken: no provider here has any."`
}

// BatchRecord is one record of several.
type BatchRecord struct {
	Record       map[string]json.RawMessage   `json:"record"`
	Associations []map[string]json.RawMessage `json:"associations,omitempty" doc:"Not taken: no provider here has any."`
}

// BatchPolicy says what a failure means to the other records.
type BatchPolicy struct {
	AllOrNone bool `json:"allOrNone,omitempty" doc:"Refused for more than one record: the provider has no transactions."`
}

// RetryPolicy says how long an asynchronous write is tried.
type RetryPolicy struct {
	DeadlineHours int `json:"deadlineHours,omitempty" minimum:"1" maximum:"48" default:"1"`
}

// AutoBatchPolicy lets asynchronous writes of single records be done together.
type AutoBatchPolicy struct {
	MaxDelayMinutes    int `json:"maxDelayMinutes" minimum:"1" maximum:"1440"`
	RetryDeadlineHours int `json:"retryDeadlineHours,omitempty" minimum:"1" maximum:"48" default:"1"`
}

// Header is one for the provider.
type Header struct {
	Key   string `json:"key,omitempty"`
	Value string `json:"value,omitempty"`
}

const opWrite = "write"

// issues collects what is wrong with a request.
type issues []windlass.Issue

// maxIssues is how many are said of one request.
const maxIssues = 100

func (i *issues) addf(in, name, format string, args ...any) {
	if len(*i) >= maxIssues {
		return
	}
	*i = append(*i, windlass.Issue{In: in, Name: name, Message: fmt.Sprintf(format, args...)})
}

// failure is nil when nothing is wrong.
func (i issues) failure() error {
	if len(i) == 0 {
		return nil
	}
	message := fmt.Sprintf("the request has %d issues", len(i))
	if len(i) == 1 {
		message = i[0].Name + " " + i[0].Message
	}
	return &windlass.Error{Kind: windlass.Invalid, Op: opWrite, Message: message, Issues: i}
}

// check says everything that is wrong with the request itself, and fills in what
// it leaves out. It repeats no value of a record: one may be a secret.
func (r *Request) check() error {
	var found issues
	if r.GroupRef == "" {
		found.addf("body", "groupRef", "is missing: say for whom to write")
	}
	switch r.Type {
	case windlass.WriteCreate, windlass.WriteUpdate, windlass.WriteDelete:
	case "":
		found.addf("body", "type", "is missing: write create, update or delete")
	default:
		found.addf("body", "type", "is %q: write create, update or delete", clip(r.Type))
	}
	switch r.Mode {
	case "":
		r.Mode = windlass.WriteSync
	case windlass.WriteSync, windlass.WriteAsync:
	default:
		found.addf("body", "mode", "is %q: write synchronous or asynchronous", clip(r.Mode))
	}
	r.checkShape(&found)
	r.checkPolicies(&found)
	for place, record := range r.all() {
		r.checkRecord(&found, r.place(place), record)
	}
	return found.failure()
}

// checkShape looks at what is to be written, and how much of it.
func (r *Request) checkShape(found *issues) {
	switch {
	case r.Record != nil && r.Batch != nil:
		found.addf("body", "batch", "stands beside record: send one of the two")
	case r.Record == nil && r.Batch == nil:
		found.addf("body", "record", "is missing: send record, or batch for several")
	case r.Batch != nil && len(r.Batch) == 0:
		found.addf("body", "batch", "is empty: send 1 to %d records", MostRecords)
	case len(r.Batch) > MostRecords:
		found.addf("body", "batch", "has %d records: send at most %d at once", len(r.Batch), MostRecords)
	}
	if r.Type == windlass.WriteDelete && r.Batch != nil {
		found.addf("body", "batch", "cannot be deleted: send one record at a time")
	}
	if r.Type == windlass.WriteDelete && r.Mode == windlass.WriteAsync {
		found.addf("body", "mode", "is asynchronous: a delete is synchronous")
	}
	if len(r.Associations) > 0 {
		found.addf("body", "associations", "are not known to the provider: leave them out")
	}
	for place := range r.Batch {
		if len(r.Batch[place].Associations) > 0 {
			found.addf("body", fmt.Sprintf("batch[%d].associations", place), "are not known to the provider: leave them out")
		}
	}
	if len(r.Headers) > 0 {
		found.addf("body", "headers", "are not known to the provider: leave them out")
	}
}

// checkPolicies refuses what cannot be promised.
func (r *Request) checkPolicies(found *issues) {
	if r.BatchPolicy != nil && r.BatchPolicy.AllOrNone && len(r.Batch) > 1 {
		found.addf("body", "batchPolicy.allOrNone", "cannot be kept: the provider has no transactions, so what was written before a failure would stay; leave it out, or send one record")
	}
	async := r.Mode == windlass.WriteAsync
	if r.RetryPolicy != nil {
		if !async {
			found.addf("body", "retryPolicy", "is for asynchronous writes: leave it out, or write asynchronously")
		}
		checkHours(found, "retryPolicy.deadlineHours", &r.RetryPolicy.DeadlineHours)
	}
	if p := r.AutoBatch; p != nil {
		if !async || r.Batch != nil {
			found.addf("body", "autoBatchPolicy", "is for asynchronous writes of single records")
		}
		if p.MaxDelayMinutes < 1 || p.MaxDelayMinutes > 24*60 {
			found.addf("body", "autoBatchPolicy.maxDelayMinutes", "is %d: write 1 to %d", p.MaxDelayMinutes, 24*60)
		}
		checkHours(found, "autoBatchPolicy.retryDeadlineHours", &p.RetryDeadlineHours)
	}
}

func checkHours(found *issues, name string, hours *int) {
	const most = 48
	switch {
	case *hours == 0:
		*hours = 1
	case *hours < 1 || *hours > most:
		found.addf("body", name, "is %d: write 1 to %d", *hours, most)
	}
}

// checkRecord looks for the id, which says which record is meant.
func (r *Request) checkRecord(found *issues, place string, record map[string]json.RawMessage) {
	id, given := record["id"]
	switch {
	case record == nil:
		found.addf("body", place, "is missing")
	case r.Type == windlass.WriteCreate && given:
		found.addf("body", place+".id", "is given, and a new record gets its id from the provider: leave it out, or update")
	case r.Type != windlass.WriteCreate && idOf(id) == "":
		found.addf("body", place+".id", "is missing: the id of the record to %s, as a string", r.Type)
	case r.Type == windlass.WriteUpdate && len(record) == 1:
		found.addf("body", place, "sets no field: give at least one to change")
	}
}

// all are the records to write.
func (r *Request) all() []map[string]json.RawMessage {
	if r.Batch == nil {
		if r.Record == nil {
			return nil
		}
		return []map[string]json.RawMessage{r.Record}
	}
	all := make([]map[string]json.RawMessage, len(r.Batch))
	for i := range r.Batch {
		all[i] = r.Batch[i].Record
	}
	return all
}

// place names a record of the request.
func (r *Request) place(position int) string {
	if r.Batch == nil {
		return "record"
	}
	return fmt.Sprintf("batch[%d].record", position)
}

// idOf reads an id; empty where it is none.
func idOf(raw json.RawMessage) string {
	var id string
	if len(raw) == 0 || json.Unmarshal(raw, &id) != nil {
		return ""
	}
	return strings.TrimSpace(id)
}

// without returns a record as bytes, without its id.
func without(record map[string]json.RawMessage) json.RawMessage {
	rest := make(map[string]json.RawMessage, len(record))
	for name, value := range record {
		if name != "id" {
			rest[name] = bytes.Clone(value)
		}
	}
	data, err := json.Marshal(rest)
	if err != nil {
		return json.RawMessage("{}") // it came as JSON, and is
	}
	return data
}

// clip is a word of the caller's, for a message.
func clip(word string) string {
	const most = 64
	if len(word) > most {
		return strings.ToValidUTF8(word[:most], "") + "…"
	}
	return word
}
