package store_test

import (
	"testing"

	"windlass/internal/budget"
	"windlass/internal/budget/budgettest"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

func TestLedger(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		s := open()
		budgettest.Ledger(t, func(*testing.T) budget.Ledger { return s })
	})
}
