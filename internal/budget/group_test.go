package budget_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"windlass/internal/budget"
)

// watched is a ledger that tells how many keys each transaction was about.
type watched struct {
	*budget.Memory

	mu     sync.Mutex
	keys   []int
	before func(ctx context.Context, reservations []budget.Reservation) error
}

func (w *watched) Reserve(ctx context.Context, reservations []budget.Reservation) error {
	w.mu.Lock()
	w.keys = append(w.keys, len(reservations))
	before := w.before
	w.mu.Unlock()
	if before != nil {
		if err := before(ctx, reservations); err != nil {
			return err
		}
	}
	return w.Memory.Reserve(ctx, reservations)
}

func (w *watched) transactions() (keys []int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append(keys, w.keys...)
}

// used is how many requests the ledger has granted of a key.
func (w *watched) used(t *testing.T, key string) (n int) {
	t.Helper()
	books, err := w.Read(t.Context(), []string{key}, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range books[key].Grants {
		for _, granted := range g.Granted {
			n += granted
		}
	}
	return n
}

func credential(i int) budget.Account {
	return budget.Account{Key: fmt.Sprint("credential ", i), Limit: 1000, Customer: fmt.Sprint("customer ", i)}
}

// Checks of many credentials are paid in few transactions: each of them before it is
// made, each once, from its own key.
func TestManyKeysArePaidTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ledger := &watched{Memory: budget.NewMemory()}
		b := budget.New(ledger, nil)
		const keys = 100
		var all sync.WaitGroup
		for i := range keys {
			all.Go(func() {
				if err := b.Acquire(t.Context(), credential(i), budget.Scheduled); err != nil {
					t.Error(err)
				}
				if n := ledger.used(t, credential(i).Key); n != 1 {
					t.Errorf("%d requests of key %d are in the ledger when its first is to be sent", n, i)
				}
			})
		}
		all.Wait()
		paid, transactions := 0, ledger.transactions()
		for _, n := range transactions {
			paid += n
			if n > 32 {
				t.Errorf("a transaction of %d keys", n)
			}
		}
		if paid != keys || len(transactions) > 5 {
			t.Errorf("%d keys in transactions of %v", paid, transactions)
		}
	})
}

// A request that a person waits for does not wait until others join, and takes those
// along who do wait.
func TestAnInteractiveRequestIsPaidAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ledger := &watched{Memory: budget.NewMemory()}
		b := budget.New(ledger, nil)
		var check sync.WaitGroup
		check.Go(func() {
			if err := b.Acquire(t.Context(), credential(1), budget.Scheduled); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		began := time.Now()
		if err := b.Acquire(t.Context(), credential(2), budget.Interactive); err != nil {
			t.Fatal(err)
		}
		check.Wait()
		if took := time.Since(began); took != 0 { // by the bubble's clock
			t.Errorf("it took %s", took)
		}
		if got := ledger.transactions(); len(got) != 1 || got[0] != 2 {
			t.Errorf("transactions of %v keys", got)
		}
	})
}

// One whose caller has gone is not paid, and the others are; one that cannot be paid
// says so to everybody in it.
func TestATransactionOfManyConcernsThoseWhoWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ledger := &watched{Memory: budget.NewMemory()}
		b := budget.New(ledger, nil)
		leaving, leave := context.WithCancel(t.Context())
		pay := func(ctx context.Context, i int) <-chan error {
			paid := make(chan error, 1)
			go func() { paid <- b.Acquire(ctx, credential(i), budget.Scheduled) }()
			synctest.Wait()
			return paid
		}
		left, stayed := pay(leaving, 1), pay(t.Context(), 2)
		leave()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		if err := <-stayed; err != nil {
			t.Errorf("%v", err)
		}
		if one, two := ledger.used(t, credential(1).Key), ledger.used(t, credential(2).Key); one != 0 || two != 1 {
			t.Errorf("%d and %d requests are in the ledger", one, two)
		}
		ledger.before = func(ctx context.Context, _ []budget.Reservation) error {
			if _, bounded := ctx.Deadline(); !bounded {
				t.Error("a transaction may take for ever")
			}
			return errAway
		}
		for _, paid := range []<-chan error{pay(t.Context(), 3), pay(t.Context(), 4)} {
			if err := <-paid; !errors.Is(err, errAway) {
				t.Errorf("%v", err)
			}
		}
	})
}

// A transaction that hangs keeps no caller whose time is over.
func TestACallerLeavesATransactionThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ledger := &watched{Memory: budget.NewMemory(), before: func(ctx context.Context, _ []budget.Reservation) error {
			<-ctx.Done()
			return ctx.Err()
		}}
		b := budget.New(ledger, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if err := b.Acquire(ctx, credential(1), budget.Scheduled); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("it took %s", took)
		}
		if err := b.Acquire(t.Context(), credential(2), budget.Scheduled); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("it is not bounded: %v", err)
		}
	})
}
