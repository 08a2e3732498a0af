package budget_test

import (
	"testing"
	"testing/synctest"
	"time"

	"windlass/internal/budget"
)

// set is a clock that a test sets.
type set struct{ by time.Duration }

func (s *set) options() *budget.Options {
	start := time.Now()
	return &budget.Options{
		Now:     func() time.Time { return time.Now().Add(s.by) },
		Elapsed: func() time.Duration { return time.Since(start) },
	}
}

func TestAClockThatIsSet(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		by   time.Duration
	}{
		{"forward by three hours", 3 * time.Hour},
		{"forward by most of a day", 20 * time.Hour},
		{"forward by half a minute", 30 * time.Second},
		{"back by a minute", -time.Minute},
		{"back by two hours", -2 * time.Hour},
		{"back by a year", -365 * 24 * time.Hour},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := budget.Account{Key: "k", Customer: "c"}
				clock := &set{}
				b := budget.New(budget.NewMemory(), clock.options())
				first, _ := spend(t, b, a, budget.Interactive, 2000)
				time.Sleep(20 * time.Minute)
				clock.by = row.by
				// Until an hour has really passed there is nothing more.
				for range 8 {
					more, wait := spend(t, b, a, budget.Interactive, 2000)
					if first += more; first > 1000 || wait == nil {
						t.Fatalf("%d requests in an hour", first)
					}
					if more == 0 && wait.Until.Before(time.Now().Add(row.by)) {
						t.Errorf("told to wait until %v, which is over", wait.Until)
					}
					time.Sleep(5*time.Minute - time.Second)
				}
				time.Sleep(2 * time.Minute)
				if more, wait := spend(t, b, a, budget.Interactive, 2000); more < 600 {
					t.Errorf("after more than an hour: %d requests and %v", more, wait)
				}
			})
		})
	}
}

func TestAProcessThatStartsAfterTheClockWasSetBack(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		by   time.Duration
		wait time.Duration
	}{
		{"by half an hour counts what seems to be in the future", -30 * time.Minute, 95 * time.Minute},
		{"by more than it could matter does not", -365 * 24 * time.Hour, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				a := budget.Account{Key: "k", Customer: "c"}
				clock := &set{}
				ledger := budget.NewMemory()
				spend(t, budget.New(ledger, clock.options()), a, budget.Scheduled, 2000)
				clock.by = row.by
				b := budget.New(ledger, clock.options())
				got, wait := spend(t, b, a, budget.Scheduled, 500)
				if row.wait > 0 && (got > 70 || wait.For > row.wait) {
					t.Errorf("%d at once, and then %v", got, wait)
				}
				time.Sleep(row.wait)
				if row.wait > 0 {
					got, wait = spend(t, b, a, budget.Scheduled, 500)
				}
				if got != 500 {
					t.Errorf("%d after %v, and then %v", got, row.wait, wait)
				}
			})
		})
	}
}
