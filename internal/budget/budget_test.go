package budget_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/budget"
)

// spend acquires until it is refused, and returns how many it got and the refusal.
func spend(t *testing.T, b *budget.Budget, a budget.Account, class budget.Class, most int) (int, *budget.Wait) {
	t.Helper()
	for n := range most {
		err := b.Acquire(t.Context(), a, class)
		if wait, refused := errors.AsType[*budget.Wait](err); refused {
			return n, wait
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return most, nil
}

func TestWhatACallerGetsAtOnce(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		class budget.Class
		limit int
		want  int
	}{
		{"a call gets all but the shares of reads and backfills", budget.Interactive, 1000, 830},
		{"a scheduled read gets all but the shares of calls and backfills", budget.Scheduled, 1000, 930},
		{"a backfill gets half of what the others leave, and then a turn", budget.Backfill, 1000, 404},
		{"a small limit is shared as well", budget.Interactive, 60, 50},
		{"a limit of one is enough for one", budget.Interactive, 1, 1},
		{"and one of zero is the provider's, which is a thousand", budget.Interactive, 0, 830},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := budget.New(budget.NewMemory(), nil)
				got, wait := spend(t, b, budget.Account{Key: "k", Limit: row.limit, Customer: "c"}, row.class, 2000)
				if got != row.want || wait == nil {
					t.Fatalf("%d requests and then %v; want %d", got, wait, row.want)
				}
				if !errors.Is(wait, windlass.RateLimited) || wait.For <= 0 || !wait.Until.Equal(time.Now().Add(wait.For)) {
					t.Errorf("%v until %v, which is in %v", wait, wait.Until, wait.For)
				}
				var said *windlass.Error
				if !errors.As(wait, &said) || said.RetryAfter != wait.For || !strings.Contains(wait.Error(), "UTC") {
					t.Errorf("%v does not say how long to wait as connectors do", wait)
				}
				if again, found := errors.AsType[*budget.Wait](error(said)); !found || again != wait {
					t.Errorf("what a connector makes of it has lost it: %v", again)
				}
				time.Sleep(time.Until(wait.Until))
				if row.class != budget.Backfill {
					if again, _ := spend(t, b, budget.Account{Key: "k", Limit: row.limit, Customer: "c"}, row.class, 2000); again == 0 {
						t.Error("nothing is there at the time that was said")
					}
				}
			})
		})
	}
}

func TestKeysDoNotShare(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := budget.New(budget.NewMemory(), nil)
		spend(t, b, budget.Account{Key: "one", Customer: "c"}, budget.Interactive, 2000)
		if got, _ := spend(t, b, budget.Account{Key: "two", Customer: "c"}, budget.Interactive, 2000); got != 830 {
			t.Errorf("the second key had %d", got)
		}
	})
}

func TestA429StopsEverybodyUntilItSays(t *testing.T) {
	t.Parallel()
	date := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	for _, row := range []struct {
		name   string
		header func() http.Header
		wait   time.Duration
	}{
		{"in seconds", func() http.Header { return http.Header{"Retry-After": {"90"}} }, 90 * time.Second},
		{"as a date, by the provider's own clock", func() http.Header {
			return http.Header{"Retry-After": {date(time.Hour + 2*time.Minute)}, "Date": {date(time.Hour)}}
		}, 2 * time.Minute},
		{"or not at all, which is a minute at first", func() http.Header { return http.Header{} }, time.Minute},
		{"never longer than a day", func() http.Header { return http.Header{"Retry-After": {"99999999999"}} }, 24 * time.Hour},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ledger := budget.NewMemory()
				one, two := budget.New(ledger, nil), budget.New(ledger, nil)
				a := budget.Account{Key: "k", Customer: "c"}
				spend(t, one, a, budget.Interactive, 1) // a slice of 5 is left
				one.Learn(t.Context(), a, answer(http.StatusTooManyRequests, row.header()))
				for name, b := range map[string]*budget.Budget{"the process that was told": one, "another": two} {
					got, wait := spend(t, b, a, budget.Interactive, 1)
					if got != 0 || wait.For != row.wait {
						t.Errorf("%s: %d requests, and then %v", name, got, wait)
					}
				}
				time.Sleep(row.wait)
				if got, wait := spend(t, one, a, budget.Interactive, 1); got != 1 {
					t.Errorf("after that: %v", wait)
				}
			})
		})
	}
}

func TestRepeated429sWithoutATimeWaitLonger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := budget.New(budget.NewMemory(), nil)
		a := budget.Account{Key: "k", Customer: "c"}
		for _, minutes := range []int{1, 2, 4, 8, 15, 15} {
			b.Learn(t.Context(), a, answer(http.StatusTooManyRequests, http.Header{}))
			_, wait := spend(t, b, a, budget.Scheduled, 1)
			if wait == nil || wait.For != time.Duration(minutes)*time.Minute {
				t.Fatalf("%v; want %d minutes", wait, minutes)
			}
			time.Sleep(wait.For)
		}
		b.Learn(t.Context(), a, answer(http.StatusOK, http.Header{}))
		b.Learn(t.Context(), a, answer(http.StatusTooManyRequests, http.Header{}))
		if _, wait := spend(t, b, a, budget.Scheduled, 1); wait == nil || wait.For != time.Minute {
			t.Errorf("after an answer that was good: %v", wait)
		}
	})
}

func TestHeadersMoveTheLimit(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name          string
		set           int
		limit         int
		before, after int // what interactive calls get in all
	}{
		{"it is raised", 0, 2000, 830, 1660},
		{"it is lowered, below what was used already", 0, 200, 830, 830},
		{"but not above what the operator set", 400, 5000, 332, 373},
		{"it is lowered below what the operator set", 400, 100, 332, 332},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				limits := func(budget.Account, *http.Response) (connector.Limit, bool) {
					return connector.Limit{Limit: row.limit, Remaining: -1}, true
				}
				ledger := budget.NewMemory()
				one, two := budget.New(ledger, &budget.Options{Limits: limits}), budget.New(ledger, nil)
				a := budget.Account{Key: "k", Limit: row.set, Customer: "c"}
				before, _ := spend(t, one, a, budget.Interactive, 5000)
				one.Learn(t.Context(), a, answer(http.StatusOK, nil))
				more, _ := spend(t, two, a, budget.Interactive, 5000) // another process knows, too
				if before != row.before || before+more != row.after {
					t.Errorf("%d requests before and %d after; want %d and %d", before, before+more, row.before, row.after)
				}
				states, err := one.State(t.Context())
				if want := row.limit; err != nil || states[0].Limit != want && states[0].Limit != min(want, row.set) {
					t.Errorf("%v, %+v", err, states)
				}
			})
		})
	}
}

// Bitbucket counts groups of endpoints apart, and may say another limit for each.
// What a provider documents holds where no other number is known.
func TestTheUsualLimitIsTheProviders(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name             string
		usual, set, said int
		want             int
	}{
		{"no other number is known", 60, 0, 0, 50},
		{"the operator sets another", 60, 1000, 0, 830},
		{"the provider says another", 60, 0, 1000, 829}, // one was spent to hear it
	} {
		synctest.Test(t, func(t *testing.T) {
			b := budget.New(budget.NewMemory(), &budget.Options{Limits: func(a budget.Account, _ *http.Response) (connector.Limit, bool) {
				return connector.Limit{Limit: row.said, Remaining: -1}, a.Provider == "forge" && row.said > 0
			}})
			a := budget.Account{Provider: "forge", Key: "k", Usual: row.usual, Limit: row.set, Customer: "c"}
			if row.said > 0 {
				if err := b.Acquire(t.Context(), a, budget.Interactive); err != nil {
					t.Fatal(err)
				}
				b.Learn(t.Context(), a, answer(http.StatusOK, nil))
			}
			if got, _ := spend(t, b, a, budget.Interactive, 2000); got != row.want {
				t.Errorf("%s: %d requests, want %d", row.name, got, row.want)
			}
		})
	}
}

func TestLimitsThatAlternateAreTheLowest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limit := 0
		ledger := budget.NewMemory()
		b := budget.New(ledger, &budget.Options{Limits: func(budget.Account, *http.Response) (connector.Limit, bool) {
			return connector.Limit{Limit: limit, Remaining: -1}, true
		}})
		a := budget.Account{Key: "k", Customer: "c"}
		for n := range 100 {
			limit = 1000 + n%2*4000
			b.Learn(t.Context(), a, answer(http.StatusOK, nil))
			time.Sleep(time.Second)
		}
		states, err := b.State(t.Context())
		if err != nil || states[0].Limit != 1000 || ledger.Writes() > 2 {
			t.Errorf("%v, %+v after %d writes", err, states, ledger.Writes())
		}
		limit = 5000
		time.Sleep(time.Hour)
		b.Learn(t.Context(), a, answer(http.StatusOK, nil))
		if states, err = b.State(t.Context()); err != nil || states[0].Limit != 5000 {
			t.Errorf("an hour later: %v, %+v", err, states)
		}
	})
}

func TestNoneRemainingIsAWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := budget.New(budget.NewMemory(), &budget.Options{Limits: func(budget.Account, *http.Response) (connector.Limit, bool) {
			return connector.Limit{Remaining: 0, Reset: 7 * time.Minute}, true
		}})
		a := budget.Account{Key: "k", Customer: "c"}
		b.Learn(t.Context(), a, answer(http.StatusOK, nil))
		if _, wait := spend(t, b, a, budget.Interactive, 1); wait == nil || wait.For != 7*time.Minute {
			t.Errorf("%v", wait)
		}
	})
}

// One customer's endless scheduled reads, or calls, leave the others theirs.
func TestAHeavyCustomerLeavesTheOthersTheirs(t *testing.T) {
	t.Parallel()
	for _, class := range []budget.Class{budget.Scheduled, budget.Interactive} {
		t.Run(class.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithCancel(t.Context())
				c := &crowd{t: t}
				b := running(ctx, budget.NewMemory())
				var all sync.WaitGroup
				for customer := 1; customer < 20; customer++ {
					all.Go(func() {
						if class == budget.Scheduled {
							c.reads(ctx, b, customer)
						} else {
							c.proxies(ctx, b, customer, tick)
						}
					})
				}
				all.Go(func() {
					time.Sleep(30 * time.Minute)
					for job(ctx, t, b, account(0), class) {
						c.provider.request("heavy")
						time.Sleep(200 * time.Millisecond)
					}
				})
				time.Sleep(6 * time.Hour)
				stop()
				all.Wait()
				c.check()
				if n := c.provider.count("heavy"); n < 5*500 {
					t.Errorf("the heavy one had %d", n)
				}
				t.Logf("the heavy one had %d, the others %d", c.provider.count("heavy"), c.scheduled.Load()+c.calls.Load())
			})
		})
	}
}

// When scheduled reads want more than there is, backfills get their share and no
// more; the order of service holds across processes.
func TestScheduledReadsComeBeforeBackfills(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		ledger := budget.NewMemory()
		reads, backfills := running(ctx, ledger), running(ctx, ledger)
		c := &crowd{t: t}
		var all sync.WaitGroup
		for customer := range 10 {
			all.Go(func() {
				for job(ctx, t, reads, account(customer), budget.Scheduled) {
					c.provider.request("scheduled")
					time.Sleep(time.Second)
				}
			})
		}
		all.Go(func() { c.backfill(ctx, backfills, 11, 100000) })
		time.Sleep(6 * time.Hour)
		stop()
		all.Wait()
		c.check()
		scheduled, backfill := c.provider.count("scheduled"), c.provider.count("backfill of 11")
		if scheduled < 5*700 || backfill < 5*10 || backfill > scheduled/5 {
			t.Errorf("scheduled reads had %d and a backfill %d", scheduled, backfill)
		}
		t.Logf("scheduled reads had %d and a backfill %d", scheduled, backfill)
	})
}

func TestBackfillsShareEvenly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		b := running(ctx, budget.NewMemory())
		c := &crowd{t: t}
		var all sync.WaitGroup
		for customer := range 5 {
			for range customer + 1 { // more jobs are not more requests
				all.Go(func() { c.backfill(ctx, b, customer, 100000) })
			}
		}
		time.Sleep(5 * time.Hour)
		stop()
		all.Wait()
		c.check()
		least, most := 1<<30, 0
		for customer := range 5 {
			n := c.provider.count(fmt.Sprintf("backfill of %d", customer))
			least, most = min(least, n), max(most, n)
		}
		if least*10 < most*9 || least < 5*780/5 {
			t.Errorf("the least got %d and the most %d", least, most)
		}
	})
}
