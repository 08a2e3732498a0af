package budget_test

import (
	"testing"

	"windlass/internal/budget"
	"windlass/internal/budget/budgettest"
)

func TestMemoryIsALedger(t *testing.T) {
	t.Parallel()
	budgettest.Ledger(t, func(*testing.T) budget.Ledger { return budget.NewMemory() })
}
