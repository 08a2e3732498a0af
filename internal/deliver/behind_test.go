package deliver_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"windlass"
	"windlass/internal/deliver"
	"windlass/internal/sink/sinktest"
)

// holding is a batch of one lane with these records in it.
func (w *world) holding(d windlass.Destination, operation, body string, records ...string) windlass.Batch {
	w.Helper()
	b := windlass.Batch{
		ID: id(w), ProjectID: w.project.ID, DestinationID: d.ID, InstallationID: "in-1", OperationID: operation, Object: "repositories",
		Kind: windlass.BatchRead, Lane: "lane", Records: len(records), Body: []byte(body), Created: w.now(), Updated: w.now(),
	}
	for _, record := range records {
		b.RecordKeys = append(b.RecordKeys, windlass.KeyOf(record))
	}
	batches := []windlass.Batch{b}
	w.must(w.store.AddBatches(w.ctx(), batches))
	return batches[0]
}

// refuse answers 400 to what has this body, for so many times.
func refuse(body string, times int) func(int, request) (*http.Response, error) {
	return func(_ int, r request) (*http.Response, error) {
		if r.body == body && times > 0 {
			times--
			return status(http.StatusBadRequest), nil
		}
		return status(http.StatusOK), nil
	}
}

// A receiver that keeps what came last of each record has the newest version,
// whatever it refused on the way and across operations (invariant 10).
func TestAnOlderVersionNeverArrivesBehindANewerOne(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		refused int
		want    string
	}{
		"refused once":  {1, "old ab,other c,old ab,new b,newer b d,newest d"},
		"refused twice": {2, "old ab,other c,old ab,old ab,new b,newer b d,newest d"},
		"given up":      {8, "old ab,other c" + strings.Repeat(",old ab", 7) + ",new b,newer b d,newest d"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, func(w *world) {
				s, d := w.service(nil), w.destination("hook", nil)
				w.receiver.answer = refuse("old ab", row.refused)
				w.holding(d, "backfill", "old ab", "a", "b")
				behind := w.holding(d, "read", "new b", "b")
				w.holding(d, "read", "other c", "c")
				w.drain(s, d)
				// What is read while the first one waits.
				w.holding(d, "read", "newer b d", "b", "d")
				w.holding(d, "read", "newest d", "d") // behind one that is held back itself
				w.drain(s, d)
				b, attempts := w.batch(s, behind.ID)
				same(w, "what is held back has had no attempt", len(attempts)+b.Tries, 0)
				same(w, "it says so", b.HeldBack, true)
				for w.step(s, d) {
				}
				if got := strings.Join(w.receiver.bodies(), ","); got != row.want {
					t.Errorf("arrived\n%s, want\n%s", got, row.want)
				}
				b, _ = w.batch(s, behind.ID)
				same(w, "afterwards", b.HeldBack, false)
			})
		})
	}
}

// What is behind goes out as soon as the one before arrives, not at the time that
// the one before would have been tried at.
func TestWhatIsHeldBackFollowsAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		s, d := w.service(nil), w.destination("hook", nil)
		w.receiver.answer = refuse("old", 2)
		first := w.holding(d, "op-1", "old", "a")
		w.holding(d, "op-2", "new", "a")
		w.drain(s, d)
		w.clock.move(5 * time.Second)
		w.drain(s, d) // again in five minutes
		w.clock.move(time.Second)
		n, err := s.Replay(w.ctx(), "acme", deliver.ReplayRequest{BatchID: first.ID})
		w.must(err)
		same(w, "replayed", n, 1)
		w.drain(s, d)
		same(w, "arrived", strings.Join(w.receiver.bodies(), ","), "old,old,old,new")
		for _, r := range w.receiver.requests() {
			same(w, "a retry is no replay", r.header.Get("Windlass-Replay"), "")
		}
	})
}

// More of them than one round holds: the order stays.
func TestManyHeldBack(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		s, d := w.service(nil), w.destination("hook", nil)
		w.receiver.answer = refuse("v000", 1)
		want := []string{"v000"}
		for i, body := range numbered("v", 230) {
			if i > 0 || body == "v000" {
				w.holding(d, "op-1", body, "a")
				want = append(want, body)
			}
		}
		for w.step(s, d) {
		}
		if got := w.receiver.bodies(); !slices.Equal(got, want) {
			t.Errorf("%d arrived: %v", len(got), got)
		}
	})
}

// A replay brings an older version on purpose. It says so, and its number in the
// lane tells which of two messages is the newer one.
func TestReplaysAreMarked(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		s := w.service(nil)
		d := w.destination("hook", func(d *windlass.Destination) {
			sinktest.At(d, d.Address, map[string]string{"windlass-replay": "forged", "Windlass-Operation-Id": "forged", "WINDLASS-SEQUENCE": "forged"})
		})
		first := w.holding(d, "op-1", "old", "a")
		w.holding(d, "", "new", "a")
		w.drain(s, d)
		for range 2 {
			_, err := s.Replay(w.ctx(), "acme", deliver.ReplayRequest{BatchID: first.ID})
			w.must(err)
			w.drain(s, d)
		}
		type marks struct{ body, operation, sequence, replay string }
		var got []marks
		for _, r := range w.receiver.requests() {
			got = append(got, marks{r.body, r.header.Get("Windlass-Operation-Id"), r.header.Get("Windlass-Sequence"), r.header.Get("Windlass-Replay")})
		}
		want := []marks{{"old", "op-1", "1", ""}, {"new", "", "2", ""}, {"old", "op-1", "1", "1"}, {"old", "op-1", "1", "2"}}
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}
