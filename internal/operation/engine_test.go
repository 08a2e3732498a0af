package operation_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"windlass"
	"windlass/internal/ids"
	"windlass/internal/operation"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

var errDead = errors.New("the process is dead")

// mortal is the store of a process that dies at the nth of its transactions: before
// it, or behind all that it did but before the commit.
type mortal struct {
	operation.Store

	at   int
	came *int
}

func (m mortal) dies() bool {
	if *m.came < m.at {
		*m.came++
	}
	return *m.came >= m.at
}

func (m mortal) In(ctx context.Context, do func(ctx context.Context) error) error {
	if m.dies() {
		return errDead
	}
	return m.Store.In(ctx, func(ctx context.Context) error {
		if err := do(ctx); err != nil || !m.dies() {
			return err
		}
		return errDead
	})
}

// A process dies between two steps, at each of them. The next one goes on behind the
// last step that was committed, as soon as the lease has run out.
func TestDeathBetweenSteps(t *testing.T) {
	bubble(t, func(w *toys) {
		t := w.t
		for at := 1; ; at++ {
			came := 0
			dying := w.engine(func(c *operation.Config) { c.Store = mortal{c.Store, at, &came} })
			id := w.begin(w.engine(nil))
			w.step(dying, id)
			if came < at { // it lived
				w.counted(id)
				return
			}
			if p := w.operation(id); p.Status != windlass.OperationRunning || len(p.Cursor) != (at-1)/2 {
				t.Fatalf("after a death at place %d: %+v", at, p)
			}
			if took := w.carry(w.engine(nil), id); took > 2*time.Minute {
				t.Fatalf("after a death at place %d it took %v", at, took)
			}
			w.counted(id)
		}
	})
}

// Others are served before an operation goes on whose slice is over, by time or by
// steps.
func TestGivingWay(t *testing.T) {
	bubble(t, func(w *toys) {
		t := w.t
		w.answer = func(context.Context, int) error { time.Sleep(12 * time.Second); return nil }
		e := w.engine(nil)
		first, second := w.begin(e), w.begin(e)
		for range 2 {
			for id, want := range map[string]int{first: 3, second: 3} {
				before := len(w.operation(id).Cursor)
				wait := w.step(e, id)
				if p := w.operation(id); len(p.Cursor)-before != want || wait != 0 && p.Status == windlass.OperationRunning {
					t.Fatalf("%d steps, then it waits %v", len(p.Cursor)-before, wait)
				}
			}
		}
		w.counted(first)
		w.counted(second)

		short := w.engine(func(c *operation.Config) { c.SliceSteps = 1 })
		id := w.begin(short)
		if wait := w.step(short, id); wait != 0 || len(w.operation(id).Cursor) != 1 {
			t.Fatalf("it waits %v: %+v", wait, w.operation(id))
		}
	})
}

func TestWaitingForTheProvider(t *testing.T) {
	t.Parallel()
	limited := func(after time.Duration) error {
		return &windlass.Error{Kind: windlass.RateLimited, Op: "count", Message: "too many requests", RetryAfter: after, Provider: &windlass.ProviderDetails{}}
	}
	for _, test := range []struct {
		name   string
		answer error
		took   time.Duration
		says   string
	}{
		{"a limit is waited for as long as it says", limited(7 * time.Minute), 7 * time.Minute, "The limit of requests is reached. The toy waits until 2000-01-01T00:07:00Z: "},
		{"a limit that does not say how long is waited for all the same", limited(0), 5 * time.Minute, "The limit of requests is reached."},
		{"a failure is tried again soon", unavailable(), 10 * time.Second, "The provider failed (1 in a row). The toy tries again at 2000-01-01T00:00:10Z: "},
		{
			"credentials that are refused are tried again", &windlass.Error{Kind: windlass.Unauthorized, Op: "count", Message: "who are you", Provider: &windlass.ProviderDetails{}}, time.Minute,
			"The connection's credentials do not work. The toy goes on from here when the customer has connected again.",
		},
		{"a cursor that has expired starts over", &windlass.Error{Kind: windlass.CursorExpired, Op: "count", Message: "that page is gone", Provider: &windlass.ProviderDetails{}}, 0, "The toy starts over, once: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			bubble(t, func(w *toys) {
				t := w.t
				w.answer, w.keep = failThird(test.answer), "kept"
				e := w.engine(nil)
				id := w.begin(e)
				if took := w.carry(e, id); took != test.took {
					t.Errorf("it took %v, want %v", took, test.took)
				}
				log := w.log(id)
				if !strings.Contains(log, test.says) {
					t.Errorf("the log does not say %q:\n%s", test.says, log)
				}
				restarts := w.operation(id).Restarts
				if n := strings.Count(log, "kept"); n != 1-restarts {
					t.Errorf("what the step that failed found out was kept %d times", n)
				}
				if n, want := strings.Count(log, "step "), toySteps+2*restarts; n != want {
					t.Errorf("%d steps, want %d", n, want)
				}
				if p := w.operation(id); p.Requests != int64(w.asked) {
					t.Errorf("%d requests are counted of %d", p.Requests, w.asked)
				}
			})
		})
	}
}

// Failures in a row are waited for longer and longer, until there are too many; with
// a deadline, until that.
func TestFailuresInARow(t *testing.T) {
	bubble(t, func(w *toys) {
		t := w.t
		w.answer = func(context.Context, int) error { return unavailable() }
		e := w.engine(nil)
		id := w.begin(e)
		var waits []time.Duration
		for range 9 {
			wait := w.step(e, id)
			waits = append(waits, wait/time.Second)
			time.Sleep(wait)
		}
		if !slices.Equal(waits, []time.Duration{10, 20, 40, 80, 160, 320, 640, 900, 900}) {
			t.Errorf("it waits %v seconds", waits)
		}
		w.carry(e, id)
		if p := w.operation(id); p.Status != windlass.OperationFailure || p.Requests != 21 || !strings.Contains(p.Result, "the provider is down") {
			t.Errorf("%+v", p)
		}

		w.deadline = time.Now().Add(24 * time.Hour)
		id = w.begin(e)
		for range 50 {
			time.Sleep(w.step(e, id))
		}
		if p := w.operation(id); p.Status != windlass.OperationRunning {
			t.Errorf("it gave up before its deadline: %+v", p)
		}
		for time.Now().Before(w.deadline) {
			time.Sleep(max(w.step(e, id), time.Millisecond))
		}
		if !time.Now().Equal(w.deadline) {
			t.Errorf("it waits until %v, behind its deadline %v", time.Now(), w.deadline)
		}
	})
}

// What repeating does not mend ends the operation, and only once.
func TestAnErrorThatStays(t *testing.T) {
	bubble(t, func(w *toys) {
		t := w.t
		w.answer = failThird(&windlass.Error{Kind: windlass.Forbidden, Op: "count", Message: "not yours", Provider: &windlass.ProviderDetails{}})
		e := w.engine(nil)
		id := w.begin(e)
		for range 3 {
			if wait := w.step(e, id); wait != -1 {
				t.Fatalf("it waits %v", wait)
			}
		}
		if p := w.operation(id); p.Status != windlass.OperationFailure || len(p.Cursor) != 2 || len(w.finished) != 1 || w.asked != 3 {
			t.Fatalf("%+v, finished %v", p, w.finished)
		}
	})
}

// A pause is waited for without asking the provider, and ends at once when it ends,
// also if that was while the operation was about to sleep.
func TestPauses(t *testing.T) {
	bubble(t, func(w *toys) {
		t := w.t
		e := w.engine(nil)
		id := w.begin(e)
		w.standing.Paused, w.slept = true, true
		if wait := w.step(e, id); wait != time.Hour || w.asked != 0 {
			t.Fatalf("it waits %v, and %d requests were made", wait, w.asked)
		}
		if wait := w.step(e, id); wait != time.Hour {
			t.Fatalf("another job does not wait but %v", wait)
		}
		w.standing.Paused = false
		must(t, e.Wake(t.Context(), id))
		if !slices.Equal(w.jobs, []string{id}) {
			t.Fatalf("it was woken with the jobs %v", w.jobs)
		}
		if wait := w.step(e, id); wait != -1 {
			t.Fatalf("it is still asleep: %v", wait)
		}
		if p := w.operation(id); p.Status != windlass.OperationSuccess || strings.Count(w.log(id), "It is paused.") != 1 {
			t.Fatalf("%+v\n%s", p, w.log(id))
		}

		id = w.begin(e)
		w.slept = true // Prepare sees a pause that is over when the operation is to sleep
		if wait := w.step(e, id); wait != 0 {
			t.Fatalf("it sleeps for %v though there is no reason", wait)
		}
	})
}

// A process that stops breaks a step off and gives the operation back at once.
func TestStopping(t *testing.T) {
	bubble(t, func(w *toys) {
		t := w.t
		ctx, cancel := context.WithCancel(t.Context())
		w.answer = func(ctx context.Context, n int) error {
			if n == 3 {
				cancel()
			}
			return ctx.Err()
		}
		e := w.engine(nil)
		id := w.begin(e)
		waiting, ok := errors.AsType[*operation.Waiting](e.Step(ctx, id))
		if !ok || waiting.Wait() != 0 {
			t.Fatalf("%v", waiting)
		}
		w.answer = nil
		if took := w.carry(w.engine(nil), id); took != 0 {
			t.Errorf("the next process waited %v", took)
		}
		w.counted(id)
		if p := w.operation(id); p.Requests != 7 {
			t.Errorf("%d requests are counted, want the one that was broken off, too", p.Requests)
		}
	})
}

// Several processes have jobs of one operation: one has the lease, and it ends once.
func TestEndingOnce(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		w := newToys(t, open())
		id := w.begin(w.engine(nil))
		var all sync.WaitGroup
		for range 4 {
			e := w.engine(func(c *operation.Config) { c.SliceSteps = 1 })
			all.Go(func() {
				for e.Step(t.Context(), id) != nil {
					time.Sleep(time.Millisecond)
				}
			})
		}
		all.Wait()
		w.counted(id)
		if w.asked != toySteps || len(w.finished) != 1 {
			t.Errorf("%d steps, finished %d times", w.asked, len(w.finished))
		}
	})
}

// A lease that another process has taken over meanwhile changes nothing any more.
func TestALostLease(t *testing.T) {
	bubble(t, func(w *toys) {
		t := w.t
		e := w.engine(nil)
		id := w.begin(e)
		w.answer = func(_ context.Context, n int) error {
			if n == 3 { // this step takes longer than the lease
				time.Sleep(3 * time.Minute)
				w.carry(w.engine(nil), id)
			}
			return nil
		}
		if wait := w.step(e, id); wait != 2*time.Minute {
			t.Errorf("it waits %v", wait)
		}
		w.counted(id)
	})
}

// unlucky is a store of which one transaction is rolled back at the end.
type unlucky struct {
	operation.Store

	fails *int // counts down to the one that fails
}

func (u unlucky) In(ctx context.Context, do func(ctx context.Context) error) error {
	return u.Store.In(ctx, func(ctx context.Context) error {
		err := do(ctx)
		if *u.fails--; err == nil && *u.fails == 0 {
			return &windlass.Error{Kind: windlass.Unavailable, Op: "commit", Message: "the disk is full"}
		}
		return err
	})
}

// Requests count though the transaction was rolled back that would have counted them.
func TestRequestsOfARolledBackStep(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		w := newToys(t, open())
		for at := 1; at <= toySteps; at++ {
			w.asked = 0
			fails := at
			e := w.engine(func(c *operation.Config) { c.Store = unlucky{c.Store, &fails} })
			id := w.begin(w.engine(nil))
			if wait := w.step(e, id); wait != 15*time.Second {
				t.Fatalf("it waits %v", wait)
			}
			if p := w.operation(id); p.Requests != int64(at) || len(p.Cursor) != at-1 {
				t.Errorf("%d requests are counted of %d, at %q", p.Requests, at, p.Cursor)
			}
			if wait := w.step(e, id); wait != -1 {
				t.Fatalf("it waits %v", wait)
			}
			w.counted(id)
			if p := w.operation(id); p.Requests != toySteps+1 {
				t.Errorf("%d requests are counted, want %d", p.Requests, toySteps+1)
			}
		}
		// Likewise when it is the wait that cannot be noted.
		w.asked, w.answer = 0, failThird(unavailable())
		fails := 3
		e := w.engine(func(c *operation.Config) { c.Store = unlucky{c.Store, &fails} })
		id := w.begin(w.engine(nil))
		w.step(e, id)
		if p := w.operation(id); p.Requests != 3 {
			t.Errorf("%d requests are counted, want 3", p.Requests)
		}
		// Nor does a step that was rolled back end a row of failures.
		w.asked, w.answer = 0, failThird(unavailable())
		id = w.begin(w.engine(nil))
		w.step(w.engine(nil), id)
		must(t, w.store.WakeOperation(t.Context(), id, time.Now()))
		fails = 1
		w.step(e, id)
		if p := w.operation(id); p.Attempt != 1 || len(p.Cursor) != 2 {
			t.Errorf("%d failures in a row are counted, want 1: %+v", p.Attempt, p)
		}
	})
}

// However many operations of one kind stand still, those of another are found, and
// what is done about one kind leaves the other alone.
func TestKindsDoNotMeet(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		w := newToys(t, open())
		ctx, now := t.Context(), time.Now()
		kind := func(name string) *operation.Engine {
			return w.engine(func(c *operation.Config) {
				c.Kind, c.Owner, c.Now = name, "process", func() time.Time { return now }
			})
		}
		reads, writes := kind(windlass.ActionRead), kind(windlass.ActionWrite)
		must(t, w.store.In(ctx, func(ctx context.Context) error {
			for range 1000 {
				id := ids.New()
				if err := w.store.BeginOperation(ctx, windlass.Operation{
					ID: id, ProjectID: "p", InstallationID: "i", ConfigID: "c", Action: windlass.ActionWrite, Status: windlass.OperationRunning,
					Created: now, Updated: now,
				}, json.RawMessage(`{}`)); err != nil {
					return err
				}
			}
			return nil
		}))
		now = now.Add(time.Second) // the read is the last of all
		read := w.begin(reads)
		now = now.Add(11 * time.Minute)
		if n, err := reads.Resume(ctx); err != nil || n != 1 || !slices.Equal(w.jobs, []string{read}) {
			t.Fatalf("%d reads were resumed, %v: %.100v", n, err, w.jobs)
		}
		if n, err := writes.Resume(ctx); err != nil || n != 1000 {
			t.Fatalf("%d writes were resumed, %v", n, err)
		}

		write := w.begin(writes)
		for e, id := range map[*operation.Engine]string{reads: read, writes: write} {
			if won, _, err := e.Turn(nil).Take(ctx, id); err != nil || !won {
				t.Fatal(won, err)
			}
		}
		w.jobs = nil
		if n, err := reads.TakeOver(ctx, "other"); err != nil || n != 0 {
			t.Fatalf("%d operations of another process were taken over, %v", n, err)
		}
		if n, err := reads.TakeOver(ctx, "process"); err != nil || n != 1 || !slices.Equal(w.jobs, []string{read}) {
			t.Fatalf("%d reads were taken over, %v: %v", n, err, w.jobs)
		}
		if won, _, err := reads.Turn(nil).Take(ctx, read); err != nil || !won {
			t.Errorf("the read is still leased: %v", err)
		}
		if won, _, err := writes.Turn(nil).Take(ctx, write); err != nil || won {
			t.Errorf("the write's lease ended with that of the read: %v", err)
		}
		if n, err := writes.TakeOver(ctx, ""); err != nil || n != 1 {
			t.Errorf("%d writes were taken over, %v", n, err)
		}
	})
}
