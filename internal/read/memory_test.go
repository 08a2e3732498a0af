package read_test

import (
	"fmt"
	"runtime"
	"testing"

	"windlass"
	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

// What a read holds does not grow with what it reads. Not parallel: others would
// be measured along.
func TestMemoryIsFlat(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.Store) {
		w := newWorld(t, open())
		w.provider.fill(100, 4000)
		w.provider.records = w.provider.records[:100]
		page := w.provider.records
		for range 119 { // the same bytes under other ids, so that the provider itself stays small
			for _, record := range page {
				record.ID = fmt.Sprint(len(w.provider.records))
				w.provider.records = append(w.provider.records, record)
			}
		}
		var heaps []uint64
		pages := 0
		w.outbox.sink = func([]windlass.Batch) {
			if pages++; pages%20 == 0 {
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				heaps = append(heaps, m.HeapAlloc)
			}
		}
		w.install(configOf(""))
		w.succeed()
		if len(heaps) != 6 {
			t.Fatalf("measured %v", heaps)
		}
		const room = 3 << 20
		if least, last := heaps[1], heaps[len(heaps)-1]; last > least+room {
			t.Errorf("the heap grew from %d to %d bytes over 10,000 records", least, last)
		}
	})
}
