package connector_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"

	"windlass"
	"windlass/connector"
)

// numbers is a provider of the numbers below a limit, ten a page.
type numbers struct {
	limit, size int
	failAt      int // the page that fails; 0 is none
	loop        bool
}

func (n numbers) Read(_ context.Context, req connector.ReadRequest) (connector.Page, error) {
	first, _ := strconv.Atoi(string(req.Cursor))
	if n.failAt > 0 && first/10 == n.failAt {
		return connector.Page{}, &windlass.Error{Kind: windlass.Unavailable, Op: "read numbers", Message: "down", Provider: &windlass.ProviderDetails{}}
	}
	page := connector.Page{Size: n.size}
	for i := first; i < min(first+10, n.limit); i++ {
		page.Records = append(page.Records, connector.Record{ID: strconv.Itoa(i)})
	}
	if n.loop {
		page.Next = req.Cursor
	} else if first+10 < n.limit {
		page.Next = connector.Cursor(strconv.Itoa(first + 10))
	}
	return page, nil
}

func TestAll(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		from connector.Cursor
		numbers
		records int
		ends    error
	}{
		{name: "every record of every page", numbers: numbers{limit: 35, size: 35}, records: 35},
		{name: "an empty provider is no error", numbers: numbers{}, records: 0},
		{name: "a provider that does not count is believed", numbers: numbers{limit: 35, size: -1}, records: 35},
		{name: "fewer records than counted is an error after the last", numbers: numbers{limit: 35, size: 40}, records: 35, ends: windlass.Incomplete},
		{name: "from a cursor on nothing is known of the count", numbers: numbers{limit: 35, size: 40}, from: "10", records: 25},
		{name: "the first error ends it", numbers: numbers{limit: 35, size: 35, failAt: 2}, records: 20, ends: windlass.Unavailable},
		{name: "a page that names itself ends it", numbers: numbers{limit: 35, size: -1, loop: true}, from: "10", records: 0, ends: windlass.Malformed},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var records int
			var end error
			req := connector.ReadRequest{Object: "numbers", Cursor: row.from}
			for _, err := range connector.All(t.Context(), row.numbers, req) {
				if err != nil {
					end = err
					continue
				}
				records++
			}
			if records != row.records || !errors.Is(end, row.ends) {
				t.Errorf("%d records and then %v; want %d and %v", records, end, row.records, row.ends)
			}
		})
	}
}

func TestAllStopsWhenToldTo(t *testing.T) {
	t.Parallel()
	var records int
	for _, err := range connector.All(t.Context(), numbers{limit: 35, size: 40}, connector.ReadRequest{}) {
		if err != nil {
			t.Fatal(err)
		}
		if records++; records == 12 {
			break
		}
	}
	if records != 12 {
		t.Errorf("%d records after a break at 12", records)
	}
}

func ExampleAll() {
	reader := numbers{limit: 12, size: 12}
	var last string
	for record, err := range connector.All(context.Background(), reader, connector.ReadRequest{Object: "numbers"}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		last = record.ID
	}
	fmt.Println(last)
	// Output: 11
}
