package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"time"

	"windlass"
)

// The defaults of a Kind's fields.
const (
	DefaultQueue    = "default"
	DefaultAttempts = 12
	DefaultTimeout  = 5 * time.Minute
)

// A Kind is a sort of job: what it is called, what it does, and how often it may
// fail.
type Kind struct {
	// Name identifies the kind in the database, so it stays what it is.
	Name string
	// Work does the job. Its context ends after Timeout, when the process stops,
	// and when the process has lost touch with the database for so long that
	// others take its jobs over; Work must return soon after that.
	//
	// It may be nil in a process that only enqueues.
	Work func(ctx context.Context, payload json.RawMessage) error
	// Queue is where its jobs wait; empty means DefaultQueue. Workers belong to
	// queues, so one type of work cannot take all workers of another.
	Queue string
	// Priority within the queue, from 1 (first, the default) to 4.
	Priority int
	// Attempts is how often a job is tried at most; 0 means DefaultAttempts.
	Attempts int
	// Timeout of one attempt; 0 means DefaultTimeout.
	Timeout time.Duration
	// Retry says how long to wait after an attempt failed, the first of which is
	// number 1. Nil means a second, then twice as long each time up to ten
	// minutes, give or take a quarter.
	Retry func(attempt int) time.Duration
}

func (k Kind) queue() string {
	if k.Queue == "" {
		return DefaultQueue
	}
	return k.Queue
}

func (k Kind) attempts() int {
	if k.Attempts == 0 {
		return DefaultAttempts
	}
	return k.Attempts
}

func (k Kind) timeout() time.Duration {
	if k.Timeout == 0 {
		return DefaultTimeout
	}
	return k.Timeout
}

func (k Kind) retry(attempt int) time.Duration {
	if k.Retry != nil {
		return max(k.Retry(attempt), 0)
	}
	const most = 10 * time.Minute
	wait := min(time.Second<<min(max(attempt-1, 0), 20), most)
	return wait*3/4 + rand.N(wait/2) //nolint:gosec // jitter may be guessed
}

var nameRule = regexp.MustCompile(`^[a-z][a-z0-9._-]+$`)

// byName checks the kinds and puts them into a table.
func byName(all []Kind) (map[string]Kind, error) {
	kinds := map[string]Kind{}
	for _, kind := range all {
		fault := ""
		switch _, twice := kinds[kind.Name]; {
		case !nameRule.MatchString(kind.Name):
			fault = "a kind of job is named with small letters, digits, dots and dashes"
		case twice:
			fault = "there are two kinds of job of that name"
		case kind.Queue != "" && !nameRule.MatchString(kind.Queue):
			fault = "a queue is named with small letters, digits, dots and dashes"
		case kind.Priority < 0 || kind.Priority > 4:
			fault = "a priority is 1, 2, 3 or 4"
		case kind.Attempts < 0 || kind.Timeout < 0:
			fault = "attempts and timeout are not negative"
		}
		if fault != "" {
			return nil, &windlass.Error{Kind: windlass.Internal, Op: fmt.Sprintf("set up the jobs %q", kind.Name), Message: fault}
		}
		kinds[kind.Name] = kind
	}
	return kinds, nil
}
