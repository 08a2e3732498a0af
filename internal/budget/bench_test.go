package budget_test

import (
	"testing"

	"windlass/internal/budget"
)

// BenchmarkAcquire pays from one key whose limit is never reached, and reports how
// many writes to a ledger a request costs.
func BenchmarkAcquire(b *testing.B) {
	for _, row := range []struct {
		name     string
		parallel bool
	}{{"one caller", false}, {"every processor", true}} {
		b.Run(row.name, func(b *testing.B) {
			ledger := budget.NewMemory()
			budgets := budget.New(ledger, nil)
			a := budget.Account{Key: "k", Limit: 1 << 40, Customer: "c"}
			b.ReportAllocs()
			if row.parallel {
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if err := budgets.Acquire(b.Context(), a, budget.Scheduled); err != nil {
							b.Error(err)
						}
					}
				})
			} else {
				for b.Loop() {
					if err := budgets.Acquire(b.Context(), a, budget.Scheduled); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "acquired/s")
		})
	}
}

// BenchmarkReserve is what a slice costs with an hour of grants of three
// processes in the book.
func BenchmarkReserve(b *testing.B) {
	ledger := budget.NewMemory()
	for minute := range int64(61) {
		for _, owner := range []string{"a", "b", "c"} {
			if err := ledger.Reserve(b.Context(), []budget.Reservation{{Slot: budget.Slot{Key: "k", Minute: minute, Owner: owner}, Decide: func(budget.Book) int { return 5 }}}); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := ledger.Reserve(b.Context(), []budget.Reservation{{Slot: budget.Slot{Key: "k", Minute: 60, Owner: "a"}, Decide: func(budget.Book) int { return 0 }}}); err != nil {
			b.Fatal(err)
		}
	}
}
