package budget_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"windlass/internal/budget"
)

// While almost nothing of a limit is used, the end of a block is all that anybody
// waits for: whichever process was told of it, and whichever is restarted.
func TestABlockEndsWhenItEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.Custom(drawBlockStep), 1, 40).Draw(rt, "steps")
		synctest.Test(t, func(*testing.T) {
			w := blockWorld{t: rt, ledger: budget.NewMemory()}
			for _, s := range steps {
				w.play(s)
			}
		})
	})
}

type blockStep struct {
	process  int
	class    budget.Class
	requests int
	blocks   int // seconds that the answer to the last request asks for; 0 for none
	pause    time.Duration
	restarts bool
	// forward is how far the clock of the machine is set forward before the step.
	forward time.Duration
}

func drawBlockStep(t *rapid.T) blockStep {
	s := blockStep{
		process:  rapid.IntRange(0, 2).Draw(t, "process"),
		class:    budget.Class(rapid.IntRange(0, 2).Draw(t, "class")),
		requests: rapid.IntRange(1, 30).Draw(t, "requests"),
		pause:    time.Duration(rapid.IntRange(0, 600).Draw(t, "pause")) * time.Second / 4,
		restarts: rapid.IntRange(0, 3).Draw(t, "restarts") == 0,
	}
	if rapid.IntRange(0, 2).Draw(t, "blocked") == 0 {
		s.blocks = rapid.IntRange(1, 120).Draw(t, "blocks")
	}
	if rapid.IntRange(0, 9).Draw(t, "set forward") == 0 {
		s.forward = time.Duration(rapid.IntRange(1, 7200).Draw(t, "forward")) * time.Second
	}
	return s
}

type blockWorld struct {
	t         *rapid.T
	ledger    *budget.Memory
	processes [3]*budget.Budget
	forward   time.Duration
	until     time.Time // when the last block ends
}

func (w *blockWorld) now() time.Time { return time.Now().Add(w.forward) }

func (w *blockWorld) play(s blockStep) {
	w.forward += s.forward
	if w.processes[s.process] == nil || s.restarts {
		w.processes[s.process] = budget.New(w.ledger, &budget.Options{Now: w.now})
	}
	b, a := w.processes[s.process], budget.Account{Key: "k", Limit: 1_000_000, Customer: "c"}
	ctx := context.Background()
	for range s.requests {
		// A clock that was adjusted by less than a minute is not followed at once.
		left := w.until.Sub(w.now()) + time.Minute + time.Second
		err := b.Acquire(ctx, a, s.class)
		var wait *budget.Wait
		switch {
		case err == nil:
			continue
		case !errors.As(err, &wait):
			w.t.Fatal(err)
		case w.forward == 0 && wait.For > w.until.Sub(w.now())+time.Millisecond, wait.For > left:
			w.t.Fatalf("told to wait for %v (%s); the block ends in %v", wait.For, wait.Reason, w.until.Sub(w.now()))
		}
		break
	}
	if s.blocks > 0 {
		b.Learn(ctx, a, answer(http.StatusTooManyRequests, http.Header{"Retry-After": {strconv.Itoa(s.blocks)}}))
		if until := w.now().Add(time.Duration(s.blocks) * time.Second); until.After(w.until) {
			w.until = until
		}
	}
	time.Sleep(s.pause)
}

// A budget that no other customer uses is available at once: thirty requests of a backfill
// go at once, and so does half of what the hour has for backfills.
func TestABackfillDoesNotWaitForAnIdleBudget(t *testing.T) {
	t.Parallel()
	for _, requests := range []int{30, 390} {
		synctest.Test(t, func(t *testing.T) {
			b := budget.New(budget.NewMemory(), nil)
			for i := range requests {
				if err := b.Acquire(t.Context(), account(0), budget.Backfill); err != nil {
					t.Fatalf("request %d of %d: %v", i+1, requests, err)
				}
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
}

// A machine whose clock is set back, and that starts anew, waits for a block as long as
// the provider asked for, and not for the hours that the clock has to make up.
func TestABlockIsNotProlongedByAClockThatWasSetBack(t *testing.T) {
	t.Parallel()
	const asked = 90 * time.Second
	for _, test := range []struct {
		back, most time.Duration
	}{
		{3 * time.Hour, asked},
		{2 * time.Minute, asked},
		{10 * time.Second, asked + 10*time.Second}, // as another machine's clock may be
	} {
		synctest.Test(t, func(t *testing.T) {
			ledger, now := budget.NewMemory(), func() time.Time { return time.Now().Add(-test.back) }
			before := budget.New(ledger, nil)
			if err := before.Acquire(t.Context(), account(0), budget.Interactive); err != nil {
				t.Fatal(err)
			}
			before.Learn(t.Context(), account(0), answer(http.StatusTooManyRequests, http.Header{"Retry-After": {"90"}}))
			after := budget.New(ledger, &budget.Options{Now: now})
			if states, err := after.State(t.Context()); err != nil || len(states) != 0 {
				t.Fatal(states, err)
			}
			var wait *budget.Wait
			if err := after.Acquire(t.Context(), account(0), budget.Interactive); !errors.As(err, &wait) || wait.For != test.most {
				t.Fatalf("set back by %v: %v, want to wait for %v", test.back, err, test.most)
			}
			// One that starts in the middle of it does not begin it anew.
			time.Sleep(test.most / 2)
			again := budget.New(ledger, &budget.Options{Now: now})
			if err := again.Acquire(t.Context(), account(0), budget.Interactive); !errors.As(err, &wait) || wait.For != test.most/2 {
				t.Errorf("set back by %v, and started in the middle: %v", test.back, err)
			}
			time.Sleep(test.most/2 + time.Millisecond)
			for i, b := range []*budget.Budget{after, again, budget.New(ledger, &budget.Options{Now: now})} {
				if err := b.Acquire(t.Context(), account(0), budget.Interactive); err != nil {
					t.Errorf("set back by %v, process %d, when the block is over: %v", test.back, i, err)
				}
			}
		})
	}
}
