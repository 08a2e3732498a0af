package connect_test

import (
	"testing"

	"windlass/internal/store"
	"windlass/internal/store/storetest"
)

// The same on SQLite and PostgreSQL, where each process has a store of its own
// (on SQLite there is one process). Time does not pass by itself here: a
// database knows nothing of a bubble.
func TestProcessesOnOneDatabase(t *testing.T) {
	t.Parallel()
	for _, driver := range []string{store.SQLite, store.Postgres} {
		for _, scenario := range scenarios {
			t.Run(driver+": "+scenario.name, func(t *testing.T) {
				t.Parallel()
				clock := &clock{}
				database := storetest.New(t, driver)
				open := func() kept {
					return database.Open(t, func(o *store.Options) { o.Now = clock.Now })
				}
				first := open()
				processes := []kept{first, first, first}
				if driver == store.Postgres {
					processes[1], processes[2] = open(), open()
				}
				scenario.test(newWorld(t, scene{}, first, clock), processes)
			})
		}
	}
}
