package operation_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"windlass"
	"windlass/internal/ids"
	"windlass/internal/operation"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

// toys is a kind of work that counts: each step asks a provider and writes its
// number into the operation's log, in its own transaction.
type toys struct {
	t     *testing.T
	store *store.Store

	mu       sync.Mutex
	jobs     []string
	asked    int                                    // calls of the provider
	answer   func(ctx context.Context, n int) error // of the nth call, from 1; nil answers
	keep     string                                 // a step that fails keeps this line
	deadline time.Time
	standing windlass.Standing
	slept    bool // Prepare finds a pause
	finished []error
}

const toyKind = "toy"

// toySteps is how many steps a toy has.
const toySteps = 6

func newToys(t *testing.T, s *store.Store) *toys {
	t.Helper()
	return &toys{t: t, store: s}
}

// Enqueue notes that there is a job.
func (w *toys) Enqueue(_ context.Context, operationID string, _ time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.jobs = append(w.jobs, operationID)
	return nil
}

// engine is one of a process. change may wrap the store.
func (w *toys) engine(change func(*operation.Config)) *operation.Engine {
	c := operation.Config{
		Kind: toyKind, Store: &toyStore{w.store, w}, Jobs: w,
		Work: func(*operation.Turn) operation.Work { return (*toy)(w) },
	}
	if change != nil {
		change(&c)
	}
	return operation.New(c)
}

// toyStore says how toys stand, which have no installation.
type toyStore struct {
	*store.Store

	toys *toys
}

func (s *toyStore) Standing(context.Context, string, string) (windlass.Standing, error) {
	s.toys.mu.Lock()
	defer s.toys.mu.Unlock()
	return s.toys.standing, nil
}

// begin begins an operation.
func (w *toys) begin(e *operation.Engine) string {
	w.t.Helper()
	id, now := ids.New(), e.Now()
	must(w.t, e.Begin(w.t.Context(), windlass.Operation{
		ID: id, ProjectID: "p", InstallationID: "i", ConfigID: "c", Object: "toys", Action: e.Kind(), Status: windlass.OperationRunning,
		Estimate: -1, Created: now, Updated: now,
	}, json.RawMessage(`{}`), "It begins.", nil))
	return id
}

// toy is what the engine asks.
type toy toys

func (w *toy) Prepare(_ context.Context, t *operation.Turn) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	t.Deadline = w.deadline
	if w.slept {
		w.slept = false
		return &operation.Sleep{
			For: time.Hour, Reason: "It is paused.", Severity: windlass.SeverityInfo,
			Still: func(s windlass.Standing) bool { return s.Paused },
		}
	}
	return nil
}

func (w *toy) Next(ctx context.Context, t *operation.Turn) (operation.Commit, error) {
	w.mu.Lock()
	w.asked++
	n, answer := w.asked, w.answer
	w.mu.Unlock()
	t.Called()
	if answer != nil {
		if err := answer(ctx, n); err != nil {
			return operation.Commit{Do: func(ctx context.Context) error {
				if w.keep == "" {
					return nil
				}
				return t.Log(ctx, windlass.SeverityInfo, w.keep, nil)
			}}, err
		}
	}
	step := len(t.Op.Cursor) + 1
	return operation.Commit{
		Ends: step == toySteps,
		Do: func(ctx context.Context) error {
			if err := t.Move(ctx, windlass.Progress{To: t.Op.Cursor + "I", Records: 1, Estimate: toySteps}); err != nil {
				return err
			}
			return t.Log(ctx, windlass.SeverityInfo, "step "+strconv.Itoa(step), nil)
		},
	}, nil
}

func (w *toy) Finish(_ context.Context, t *operation.Turn, cause error) (operation.Outcome, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.finished = append(w.finished, cause)
	if cause != nil {
		return operation.Outcome{Result: operation.Plain(cause), Severity: windlass.SeverityError}, nil
	}
	return operation.Outcome{Success: true, Result: fmt.Sprintf("counted to %d", t.Op.Records), Severity: windlass.SeverityInfo}, nil
}

// carry works as jobs do until the operation ends, and returns how long that took.
func (w *toys) carry(e *operation.Engine, id string) time.Duration {
	w.t.Helper()
	began := time.Now()
	for range 1000 {
		wait := w.step(e, id)
		if wait < 0 {
			return time.Since(began)
		}
		time.Sleep(wait)
	}
	w.t.Fatalf("the operation does not end:\n%s", w.log(id))
	return 0
}

// step takes one turn, and returns how long it is to wait; -1 when it has ended.
func (w *toys) step(e *operation.Engine, id string) time.Duration {
	w.t.Helper()
	err := e.Step(w.t.Context(), id)
	if err == nil {
		return -1
	}
	waiting, ok := errors.AsType[*operation.Waiting](err)
	if !ok {
		w.t.Fatal(err)
	}
	return waiting.Wait()
}

func (w *toys) operation(id string) windlass.Operation {
	w.t.Helper()
	p, err := w.store.Operation(w.t.Context(), "p", id)
	must(w.t, err)
	return p
}

// log is the log of an operation, a line a line.
func (w *toys) log(id string) string {
	w.t.Helper()
	lines, err := w.store.OperationLogs(w.t.Context(), id, "", 0)
	must(w.t, err)
	var all []string
	for _, line := range lines {
		all = append(all, line.Message)
	}
	return strings.Join(all, "\n")
}

// counted checks that an operation took each step once and ended once.
func (w *toys) counted(id string) {
	w.t.Helper()
	if got := w.log(id); strings.Count(got, "It begins.\nstep 1\n") != 1 || strings.Count(got, "step ") != toySteps ||
		!strings.HasSuffix(got, "step 6\ncounted to 6") || strings.Count(got, "counted to") != 1 {
		w.t.Fatalf("the log is\n%s", got)
	}
	if p := w.operation(id); p.Status != windlass.OperationSuccess || p.Records != toySteps || p.Cursor != "IIIIII" {
		w.t.Fatalf("%+v", p)
	}
}

// failThird returns an answer of the provider that comes for the third call only.
func failThird(err error) func(context.Context, int) error {
	return func(_ context.Context, n int) error {
		if n == 3 {
			return err
		}
		return nil
	}
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatalf("%+v", err)
	}
}

// bubble runs a test with a clock of its own, on SQLite.
func bubble(t *testing.T, test func(w *toys)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		test(newToys(t, storetest.New(t, store.SQLite).Open(t, nil)))
	})
}

func unavailable() error {
	return &windlass.Error{Kind: windlass.Unavailable, Op: "count", Message: "the provider is down", Provider: &windlass.ProviderDetails{}}
}
