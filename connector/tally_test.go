package connector_test

import (
	"fmt"
	"runtime"
	"strconv"
	"testing"
	"time"

	"windlass/connector"
)

func record(id string, second int64) connector.Record {
	r := connector.Record{ID: id}
	if second > 0 {
		r.Updated = time.Unix(second, 0)
	}
	return r
}

func TestATallyCountsIdentities(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name     string
		records  []connector.Record
		passedOn string
		count    int
		versions int
	}{
		{"each once", []connector.Record{record("1", 0), record("2", 0)}, "yy", 2, 2},
		{"one twice", []connector.Record{record("1", 0), record("2", 0), record("1", 0)}, "yyn", 2, 2},
		{"one twice, changed in between", []connector.Record{record("1", 5), record("1", 6)}, "yy", 1, 2},
		{"one twice, the older state last", []connector.Record{record("1", 6), record("1", 5)}, "yn", 1, 1},
		{"one from before 1970", []connector.Record{record("1", -5), record("1", 0)}, "yn", 1, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var tally, restored connector.Tally
			got := ""
			for _, r := range row.records {
				if tally.Take(r) {
					got += "y"
				} else {
					got += "n"
				}
			}
			if err := restored.Restore(tally.Drain()); err != nil {
				t.Fatal(err)
			}
			if got != row.passedOn || tally.Count() != row.count || tally.Versions() != row.versions {
				t.Errorf("passed on %s, counted %d and %d", got, tally.Count(), tally.Versions())
			}
			if restored.Count() != row.count || restored.Versions() != row.versions || restored.Known() != row.count {
				t.Errorf("restored, it counts %d and %d", restored.Count(), restored.Versions())
			}
		})
	}
}

func TestPassesAgreeWhenTheyBringTheSame(t *testing.T) {
	t.Parallel()
	var tally connector.Tally
	pass := func(from, to int) {
		for i := from; i < to; i++ {
			tally.Take(record(fmt.Sprint(i), 0))
		}
	}
	pass(0, 10)
	if tally.Agrees() {
		t.Error("a first pass agrees with none")
	}
	tally.Again()
	pass(3, 13) // as many, and others
	if tally.Agrees() || tally.Count() != 10 || tally.Known() != 13 {
		t.Errorf("it agrees: %t; %d of %d", tally.Agrees(), tally.Count(), tally.Known())
	}
	tally.Again()
	pass(3, 12)
	if tally.Agrees() {
		t.Error("a pass that brings fewer does not agree")
	}
	tally.Again()
	pass(3, 12)
	if !tally.Agrees() {
		t.Error("the same records agree")
	}
}

// A tally of half a million records agrees with a map, and keeps some 20 bytes a
// record. This test measures memory, so it runs alone.
func TestATallyStaysSmall(t *testing.T) {
	const records = 500_000
	at := time.Date(2026, time.November, 27, 10, 0, 0, 0, time.UTC)
	heap := func() uint64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	before := heap()
	var tally connector.Tally
	for i := range records {
		if !tally.Take(connector.Record{ID: strconv.Itoa(i), Updated: at}) {
			t.Fatalf("record %d is taken for another one", i)
		}
		tally.Drain()
	}
	if each := float64(heap()-before) / records; each > 24 {
		t.Errorf("it keeps %.1f bytes a record", each)
	}
	for i := 0; i < records; i += 1000 {
		if tally.Take(connector.Record{ID: strconv.Itoa(i), Updated: at}) {
			t.Fatalf("record %d is not known", i)
		}
		if !tally.Take(connector.Record{ID: strconv.Itoa(i), Updated: at.Add(time.Millisecond)}) {
			t.Fatalf("a change of record %d is not passed on", i)
		}
	}
	if tally.Count() != records || tally.Known() != records || tally.Versions() != records+records/1000 {
		t.Errorf("counted %d, knows %d, %d versions", tally.Count(), tally.Known(), tally.Versions())
	}
	tally.Again()
	for i := range records {
		if tally.Take(connector.Record{ID: strconv.Itoa(i), Updated: at}) {
			t.Fatalf("record %d is passed on in the second pass", i)
		}
	}
	if !tally.Agrees() {
		t.Error("two passes over the same do not agree")
	}
}
