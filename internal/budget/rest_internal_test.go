package budget

import (
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"windlass/connector"
)

// Keys that are not used are kept in a few words, and nothing is lost by it.
func TestAKeyThatIsNotUsedCostsLittleAndIsRemembered(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		use  func(t *testing.T, b *Budget, account Account)
		want bool
	}{
		{"used by one customer", func(*testing.T, *Budget, Account) {}, true},
		{"shared by two", func(t *testing.T, b *Budget, account Account) {
			t.Helper()
			account.Customer = "other"
			acquire(t, b, account)
		}, false},
		{"paid by two", func(t *testing.T, b *Budget, account Account) {
			t.Helper()
			account.Payer = "other"
			acquire(t, b, account)
		}, false},
		{"wanted no more by the provider", func(t *testing.T, b *Budget, account Account) {
			t.Helper()
			b.Learn(t.Context(), account, &http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"600"}}})
		}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ledger := NewMemory()
				b := New(ledger, &Options{Limits: func(Account, *http.Response) (connector.Limit, bool) { return connector.Limit{}, false }})
				account := Account{Provider: "p", Key: "key", Limit: 700, Payer: "one", Customer: "one"}
				acquire(t, b, account)
				row.use(t, b, account)
				time.Sleep(restsAfter + time.Second)
				b.giveBack(t.Context(), false)
				if _, rests := b.rested["key"]; rests != row.want || (b.allocations["key"] == nil) != row.want {
					t.Fatalf("it rests: %t, want %t", rests, row.want)
				}
				states, err := b.State(t.Context())
				if err != nil || len(states) != 1 || states[0].Limit != 700 || !slices.Contains(states[0].Payers, "one") {
					t.Fatalf("%v, %v: want one of 700 an hour that is paid by one", states, err)
				}
				if !row.want {
					return
				}
				used := states[0].Used[Interactive]
				acquire(t, b, account)
				if states, err = b.State(t.Context()); err != nil || len(states) != 1 || states[0].Used[Interactive]-states[0].Leased[Interactive] != used+1 {
					t.Errorf("%v, %v: want %d used and one more", states, err, used)
				}
				time.Sleep(idleLife + restsAfter)
				b.giveBack(t.Context(), false)
				b.giveBack(t.Context(), false)
				if len(b.rested)+len(b.allocations) != 0 {
					t.Errorf("%d rest, %d do not: want none after %s", len(b.rested), len(b.allocations), idleLife)
				}
			})
		})
	}
}

func acquire(t *testing.T, b *Budget, account Account) {
	t.Helper()
	if err := b.Acquire(t.Context(), account, Interactive); err != nil {
		t.Fatal(err)
	}
}
