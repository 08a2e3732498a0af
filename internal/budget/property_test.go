package budget_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"windlass/internal/budget"
)

// Whatever processes do, in whichever order, and whenever they die, no hour has
// more requests than the limit, and no caller is told to wait for longer than it
// takes an hour to age out.
func TestNoHourEverHasMoreThanTheLimit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		limit := rapid.SampledFrom([]int{1, 7, 60, 250}).Draw(rt, "limit")
		steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
			return step{
				process:  rapid.IntRange(0, 2).Draw(t, "process"),
				customer: rapid.IntRange(0, 3).Draw(t, "customer"),
				class:    budget.Class(rapid.IntRange(0, 2).Draw(t, "class")),
				requests: rapid.IntRange(1, 150).Draw(t, "requests"),
				pause:    time.Duration(rapid.IntRange(0, 20*60).Draw(t, "pause")) * time.Second,
				dies:     rapid.IntRange(0, 9).Draw(t, "dies") == 0,
			}
		}), 1, 40).Draw(rt, "steps")
		synctest.Test(t, func(*testing.T) {
			ledger := budget.NewMemory()
			processes := make([]*budget.Budget, 3)
			var p provider
			for _, s := range steps {
				if processes[s.process] == nil || s.dies {
					processes[s.process] = budget.New(ledger, nil)
				}
				s.play(rt, processes[s.process], limit, &p)
			}
			if most := p.most(); most > limit {
				rt.Errorf("%d requests in an hour; the limit is %d", most, limit)
			}
		})
	})
}

type step struct {
	process, customer int
	class             budget.Class
	requests          int
	pause             time.Duration
	dies              bool
}

func (s step) play(t *rapid.T, b *budget.Budget, limit int, p *provider) {
	a := budget.Account{Key: "k", Limit: limit, Customer: fmt.Sprint(s.customer)}
	ctx := context.Background()
	for range s.requests {
		var wait *budget.Wait
		switch err := b.Acquire(ctx, a, s.class); {
		case err == nil:
			p.request("any")
			time.Sleep(17 * time.Millisecond)
			continue
		case !errors.As(err, &wait):
			t.Fatal(err)
		case wait.For > 2*time.Hour:
			t.Errorf("told to wait for %v", wait.For)
		}
		break
	}
	b.Learn(ctx, a, answer(http.StatusOK, nil))
	time.Sleep(s.pause)
}
