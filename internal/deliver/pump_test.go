package deliver_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"windlass"
	"windlass/internal/deliver"
)

// counting is a store that counts looks at single lanes.
type counting struct {
	deliver.Store

	looks atomic.Int64
}

func (c *counting) DueBatches(ctx context.Context, destinationID, lane string, now time.Time, limit int, bytes int64) ([]windlass.Batch, error) {
	c.looks.Add(1)
	return c.Store.DueBatches(ctx, destinationID, lane, now, limit, bytes)
}

// Many short lanes are looked at together, and keep their order; long ones, and
// those in which something waits, are looked at one by one.
func TestManyShortLanes(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		store := &counting{Store: w.store}
		s, d := w.service(func(c *deliver.Config) { c.Store = store }), w.destination("hook", nil)
		const lanes, long = 400, 40
		for i := range lanes {
			w.add(d, fmt.Sprint("lane-", i), fmt.Sprint(i, ":1"), fmt.Sprint(i, ":2"))
		}
		w.add(d, "long", numbered("long:", long)...)
		w.drain(s, d)
		next := map[string]int{}
		for _, body := range w.receiver.bodies() {
			lane, n, _ := strings.Cut(body, ":")
			want := fmt.Sprint(next[lane] + 1)
			if lane == "long" {
				want = fmt.Sprintf("%03d", next[lane])
			}
			if n != want {
				t.Errorf("of lane %s came %s, want %s", lane, n, want)
			}
			next[lane]++
		}
		same(w, "arrived", len(w.receiver.bodies()), 2*lanes+long)
		if n := store.looks.Load(); n < 1 || n > 60 {
			t.Errorf("%d lanes were looked at one by one", n)
		}
		pending, err := w.store.Batches(w.ctx(), windlass.BatchFilter{DestinationID: d.ID, Status: windlass.BatchPending})
		w.must(err)
		same(w, "not recorded", len(pending), 0)
	})
}
