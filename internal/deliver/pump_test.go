package deliver_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"windlass"
	"windlass/internal/deliver"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
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
		s, d := w.service(func(c *config) { c.Store = store }), w.destination("hook", nil)
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

// brief is a store whose rounds are short.
type brief struct{ deliver.Store }

const briefRound = 2

func (b brief) DueBatches(ctx context.Context, destinationID, lane string, now time.Time, _ int, bytes int64) ([]windlass.Batch, error) {
	return b.Store.DueBatches(ctx, destinationID, lane, now, briefRound, bytes)
}

func (b brief) DueOfLanes(ctx context.Context, destinationID string, now time.Time, lanes []string, _ int, bytes int64) ([]windlass.Batch, error) {
	return b.Store.DueOfLanes(ctx, destinationID, now, lanes, briefRound, bytes)
}

// Lanes take turns, however many are due: a small one waits for one round of each
// that is before it, not for their end.
func TestLanesTakeTurns(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		var ticks atomic.Int64 // no two moments are the same
		w := newWorld(t, open(), nil, func() time.Time { return noon.Add(time.Duration(ticks.Add(1)) * time.Microsecond) })
		s, d := w.service(func(c *config) { c.Store = brief{w.store} }), w.destination("hook", nil)
		const lanes, each = 700, 3 * briefRound
		var batches []windlass.Batch
		for lane := range lanes {
			for n := range each {
				batches = append(batches, windlass.Batch{
					ID: id(w), ProjectID: w.project.ID, DestinationID: d.ID, Object: "repositories", Kind: windlass.BatchRead,
					Lane: fmt.Sprint("long-", lane), Records: 1, Body: fmt.Append(nil, lane, ":", n), Created: w.now(), Updated: w.now(),
				})
			}
		}
		w.must(w.store.AddBatches(w.ctx(), batches))
		w.add(d, "small", "small")
		w.drain(s, d)
		arrived := w.receiver.bodies()
		same(w, "arrived", len(arrived), lanes*each+1)
		// A lane that was being added to when it was settled may have a round more.
		if place := slices.Index(arrived, "small"); place > lanes*briefRound*3/2 {
			t.Errorf("the small lane came as number %d, behind more than a round of each of %d lanes", place, lanes)
		}
		next := map[string]int{}
		for _, body := range arrived[:len(arrived)-1] {
			lane, n, long := strings.Cut(body, ":")
			if long && n != fmt.Sprint(next[lane]) {
				t.Fatalf("of lane %s came %s, want %d", lane, n, next[lane])
			}
			next[lane]++
		}
	})
}

// A lane whose round was broken off before anything was sent keeps its place.
func TestBrokenOffRoundKeepsItsPlace(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		clock := &clock{now: noon}
		w := newWorld(t, open(), clock, func() time.Time { clock.move(time.Microsecond); return clock.Now() })
		s, d := w.service(nil), w.destination("hook", nil)
		w.receiver.answer = always(http.StatusBadGateway)
		for lane := range 20 {
			w.add(d, fmt.Sprint("lane-", lane), "1", "2", "3")
		}
		due := func() []string {
			lanes, err := w.store.DueLanes(w.ctx(), d.ID, w.now(), 100)
			w.must(err)
			return lanes
		}
		w.drain(s, d)
		clock.move(6 * time.Second)
		// The first is the probe. The others are begun beside it, and broken off.
		before, tried := due(), len(w.receiver.requests())
		w.drain(s, d)
		same(w, "probes", len(w.receiver.requests()), tried+1)
		after := due()
		probed := slices.IndexFunc(before, func(lane string) bool { return !slices.Contains(after[:len(after)-1], lane) })
		want := append(slices.Delete(slices.Clone(before), probed, probed+1), before[probed])
		if !slices.Equal(after, want) {
			t.Errorf("due were\n%v, then\n%v, want\n%v", before, after, want)
		}
	})
}
