package budget_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"windlass/internal/budget"
)

const tick = 10 * time.Minute

// crowd is twenty customers on one consumer, and how they fared.
type crowd struct {
	t         *testing.T
	provider  provider
	lateness  atomic.Int64 // the worst, of scheduled reads
	latency   atomic.Int64 // the worst, of interactive calls
	scheduled atomic.Int64
	calls     atomic.Int64
}

func worst(at *atomic.Int64, d time.Duration) {
	for old := at.Load(); int64(d) > old; old = at.Load() {
		if at.CompareAndSwap(old, int64(d)) {
			return
		}
	}
}

func account(customer int) budget.Account {
	return budget.Account{Key: "consumer", Limit: 1000, Customer: fmt.Sprintf("customer %d", customer)}
}

// reads begins a customer's ten-minute reads.
func (c *crowd) reads(ctx context.Context, b *budget.Budget, customer int) {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case due := <-ticker.C:
			if !job(ctx, c.t, b, account(customer), budget.Scheduled) {
				return
			}
			worst(&c.lateness, time.Since(due))
			c.scheduled.Add(1)
			c.provider.request("scheduled")
		case <-ctx.Done():
			return
		}
	}
}

// proxies begins proxy calls, one every pause.
func (c *crowd) proxies(ctx context.Context, b *budget.Budget, customer int, pause time.Duration) {
	ticker := time.NewTicker(pause)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			start := time.Now()
			if err := b.Acquire(ctx, account(customer), budget.Interactive); err != nil {
				if ctx.Err() == nil {
					c.t.Errorf("a call after %d others: %v", c.calls.Load(), err)
				}
				return
			}
			worst(&c.latency, time.Since(start))
			c.calls.Add(1)
			c.provider.request("interactive")
		case <-ctx.Done():
			return
		}
	}
}

// backfill makes so many requests, and returns how long it took; the time is that
// of the context when it did not come to the end.
func (c *crowd) backfill(ctx context.Context, b *budget.Budget, customer, requests int) time.Duration {
	start := time.Now()
	for range requests {
		if !job(ctx, c.t, b, account(customer), budget.Backfill) {
			break
		}
		c.provider.request(fmt.Sprintf("backfill of %d", customer))
		time.Sleep(300 * time.Millisecond) // what a page takes
	}
	return time.Since(start)
}

func (c *crowd) check() {
	c.t.Helper()
	if most := c.provider.most(); most > 1000 {
		c.t.Errorf("%d requests in one hour; the limit is 1000", most)
	}
	if late := time.Duration(c.lateness.Load()); late >= tick/10 {
		c.t.Errorf("a scheduled read was %v late", late)
	}
	if slow := time.Duration(c.latency.Load()); slow > time.Second {
		c.t.Errorf("a call waited for %v", slow)
	}
}

func TestAHugeBackfillDelaysNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		c := &crowd{t: t}
		ledger := budget.NewMemory()
		b := running(ctx, ledger)
		var all sync.WaitGroup
		for customer := range 20 {
			all.Go(func() { c.reads(ctx, b, customer) })
		}
		all.Go(func() { c.proxies(ctx, b, 3, 2*time.Minute) })
		// 50,000 repositories are 500 requests, and then come 5,000 more.
		var first, second, third time.Duration
		start := time.Now()
		all.Go(func() {
			first = c.backfill(ctx, b, 0, 500)
			second = c.backfill(ctx, b, 0, 5000)
		})
		all.Go(func() {
			time.Sleep(2*time.Hour + 5*time.Minute)
			third = c.backfill(ctx, b, 7, 100) // a new customer, in the middle of it
		})
		time.Sleep(8 * time.Hour)
		stop()
		all.Wait()
		c.check()
		if got := c.scheduled.Load(); got < 20*47 {
			t.Errorf("%d scheduled reads in eight hours, of 20 × 48", got)
		}
		// 120 scheduled reads and 30 calls an hour leave 850.
		for hour := 1; hour < 6; hour++ {
			from := start.Add(time.Duration(hour) * time.Hour)
			if n := c.provider.between(from, from.Add(time.Hour)); n < 880 {
				t.Errorf("only %d requests were made in hour %d, with a backfill waiting", n, hour)
			}
		}
		if first > 20*time.Minute || first+second > 7*time.Hour+30*time.Minute {
			t.Errorf("the backfills took %v and %v", first, second)
		}
		if third > 20*time.Minute {
			t.Errorf("100 requests of another customer's backfill took %v", third)
		}
		total := c.provider.between(start, time.Now())
		if writes := ledger.Writes(); writes > total {
			t.Errorf("%d writes for %d requests", writes, total)
		}
		t.Logf("in 8 h: %d requests, at most %d in an hour; worst lateness %v, worst call %v; backfills %v, %v, another's %v; %d writes",
			total, c.provider.most(), time.Duration(c.lateness.Load()), time.Duration(c.latency.Load()), first, second, third, ledger.Writes())
	})
}

func TestThreeProcessesShareOneLedgerAndOneDies(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		c := &crowd{t: t}
		ledger := budget.NewMemory()
		dies, kill := context.WithCancel(ctx)
		var all sync.WaitGroup
		start := time.Now()
		for process := range 3 {
			own := ctx
			var b *budget.Budget
			if process == 0 {
				own, b = dies, budget.New(ledger, nil) // killed: what it leased is not returned
			} else {
				b = running(ctx, ledger)
			}
			for customer := process; customer < 21; customer += 3 {
				all.Go(func() { c.reads(own, b, customer) })
			}
			all.Go(func() { c.proxies(own, b, process, 3*time.Minute) })
			all.Go(func() { c.backfill(own, b, process, 100000) })
		}
		time.Sleep(2*time.Hour + 30*time.Second)
		kill()
		time.Sleep(4 * time.Hour)
		stop()
		all.Wait()
		c.check()
		for hour := 1; hour < 6; hour++ {
			from := start.Add(time.Duration(hour) * time.Hour)
			if n := c.provider.between(from, from.Add(time.Hour)); n < 850 {
				t.Errorf("only %d requests were made in hour %d", n, hour)
			}
		}
		one, two := c.provider.count("backfill of 1"), c.provider.count("backfill of 2")
		if one*4 < two*3 || two*4 < one*3 {
			t.Errorf("two backfills in two processes got %d and %d requests", one, two)
		}
		t.Logf("at most %d in an hour, worst lateness %v, worst call %v; backfills %d (killed), %d, %d; %d writes for %d requests",
			c.provider.most(), time.Duration(c.lateness.Load()), time.Duration(c.latency.Load()),
			c.provider.count("backfill of 0"), one, two, ledger.Writes(), c.provider.between(start, time.Now()))
	})
}
