package write

import (
	"encoding/json"
	"fmt"

	"windlass"
)

// Answer is what a request is answered with, in the published contract's shape:
// of one record, of a batch, or, asynchronously, just the operation.
type Answer struct {
	OperationID  string    `json:"operationId"`
	Result       *Result   `json:"result,omitempty"`
	SuccessCount *int      `json:"successCount,omitempty" doc:"Of a batch."`
	FailureCount *int      `json:"failureCount,omitempty" doc:"Of a batch."`
	Results      []Result  `json:"results,omitempty" doc:"Of a batch, in the order of its records."`
	Errors       []Problem `json:"errors,omitempty"`
}

// Result is what became of one record.
type Result struct {
	Success bool `json:"success"`
	// RecordID is the one to update and delete it by; always there for a record
	// that was written.
	RecordID string `json:"recordId,omitempty"`
	// Data is the record as the provider returned it, its secrets masked.
	Data *json.RawMessage `json:"data,omitempty"`
}

// Problem is why a record was not written.
type Problem struct {
	Message string `json:"message"`
}

// Failed reports that nothing was written.
func (a Answer) Failed() bool {
	if a.SuccessCount != nil {
		return *a.SuccessCount == 0
	}
	return len(a.Errors) > 0
}

// answer is what there is to say of a write that has ended.
func (s *step) answer() Answer {
	a := Answer{OperationID: s.Op.ID}
	if !s.w.Batch {
		r := &s.records[0]
		if r.Status != windlass.RecordDone {
			a.Errors = []Problem{{r.Error}}
			return a
		}
		result := s.result(r)
		a.Result = &result
		return a
	}
	done, failed := s.counts()
	a.SuccessCount, a.FailureCount = &done, &failed
	for i := range s.records {
		r := &s.records[i]
		a.Results = append(a.Results, s.result(r))
		if r.Status != windlass.RecordDone {
			a.Errors = append(a.Errors, Problem{s.named(r)})
		}
	}
	return a
}

// named is a record's error, with its place where there are others.
func (s *step) named(r *windlass.WriteRecord) string {
	if !s.w.Batch {
		return r.Error
	}
	return fmt.Sprintf("batch[%d]: %s", r.Position, r.Error)
}

func (s *step) result(r *windlass.WriteRecord) Result {
	result := Result{Success: r.Status == windlass.RecordDone}
	if !result.Success {
		return result
	}
	if s.w.Type != windlass.WriteDelete {
		result.RecordID = r.RecordID // the contract has it for creates and updates only
	}
	if data := s.data[r.Position]; data != nil {
		result.Data = &data
	}
	return result
}

// counts are how many records were written, and how many failed.
func (s *step) counts() (done, failed int) {
	for i := range s.records {
		switch s.records[i].Status {
		case windlass.RecordDone:
			done++
		case windlass.RecordFailed:
			failed++
		}
	}
	return done, failed
}
