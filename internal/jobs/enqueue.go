package jobs

import (
	"context"
	"encoding/json"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"windlass"
)

// A Job is one piece of work to enqueue.
type Job struct {
	// Kind is the name of its kind.
	Kind string
	// Payload is what Work gets, as JSON. No secrets (invariant 5).
	Payload any
	// At is when it may begin at the earliest; zero means now.
	At time.Time
	// Key, if there is one, makes it the only one of its kind: while another of
	// the same kind and key waits or runs, it is not added.
	Key string
	// Priority instead of the kind's; 0 leaves that.
	Priority int
}

// Enqueue adds a job. In a transaction of the store, which ctx carries, it is
// added if that is committed.
func (e *Engine) Enqueue(ctx context.Context, job Job) error {
	return e.EnqueueAll(ctx, []Job{job})
}

// EnqueueAll adds many jobs at once, all or none.
func (e *Engine) EnqueueAll(ctx context.Context, all []Job) error {
	const op = "enqueue"
	if len(all) == 0 {
		return nil
	}
	params := make([]river.InsertManyParams, 0, len(all))
	for _, job := range all {
		one, err := e.params(job)
		if err != nil {
			return e.db.Explain(op, err)
		}
		params = append(params, one)
	}
	// Always in a transaction of the store: River would begin one of its own,
	// without a way to say that it failed in the store's words.
	return e.db.In(ctx, func(ctx context.Context) error {
		_, err := e.client.InsertManyFastTx(ctx, e.db.Tx(ctx), params)
		return e.db.Explain(op, err)
	})
}

func (e *Engine) params(job Job) (river.InsertManyParams, error) {
	kind, known := e.kinds[job.Kind]
	if !known {
		return river.InsertManyParams{}, &windlass.Error{
			Kind: windlass.Internal, Op: "enqueue", Message: "there is no kind of job called " + job.Kind,
		}
	}
	payload, err := json.Marshal(job.Payload)
	if err != nil {
		return river.InsertManyParams{}, &windlass.Error{Kind: windlass.Internal, Op: "enqueue " + job.Kind, Err: err}
	}
	opts := &river.InsertOpts{MaxAttempts: kind.attempts(), Queue: kind.queue(), Priority: kind.Priority}
	if job.Priority != 0 {
		opts.Priority = job.Priority
	}
	// River leaves a job that has any time at all to its scheduler, which comes
	// by every five seconds.
	if job.At.After(e.now()) {
		opts.ScheduledAt = job.At.UTC()
	}
	if job.Key != "" {
		opts.UniqueOpts = river.UniqueOpts{ByArgs: true, ByState: unfinished}
	}
	return river.InsertManyParams{Args: arguments{kind: job.Kind, Key: job.Key, Payload: payload}, InsertOpts: opts}, nil
}

// unfinished are the states in which a job with a key keeps others away.
var unfinished = []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable,
	rivertype.JobStateRunning, rivertype.JobStateScheduled,
}

// arguments is what River keeps of a job.
type arguments struct {
	kind string

	Key     string          `json:"key,omitempty" river:"unique"`
	Payload json.RawMessage `json:"payload"`
}

func (a arguments) Kind() string { return a.kind }
