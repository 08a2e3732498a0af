package server_test

import (
	"net/http"
	"testing"
	"time"

	"windlass/bitbucket/sandbox"
)

// checks waits until so many checks of an installation have found nothing. One that
// could not be noted at once is made again when its claim ends, 90 seconds later.
func (r *running) checks(installation string, want int64) {
	r.tb.Helper()
	var states []struct {
		Checks    int64
		LastCheck time.Time
	}
	for begun := time.Now(); time.Since(begun) < 3*time.Minute; time.Sleep(20 * time.Millisecond) {
		r.must(http.MethodGet, installation+"/objects", nil, &states)
		if len(states) == 1 && states[0].Checks == want && !states[0].LastCheck.IsZero() {
			return
		}
	}
	r.tb.Fatalf("%+v, want %d checks", states, want)
}

// What is due while nothing has changed is asked for once, and leaves no operation
// and no job. What has changed is an operation and comes.
func TestASchedulesCheckLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, driver := range []string{"sqlite", "postgres"} {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			bitbucket := sandbox.New(&sandbox.Options{Repositories: 3, Limit: -1})
			to := newReceiver(t)
			config := delivering(configOf(t, driver), bitbucket)
			config.Keyset, _ = newKeyset(t)
			r := connectedTo(t, config, bitbucket, to)
			key := r.key
			in := r.reads("repositories")
			r.logOf(in, "passed them on")
			to.await(t, 3, time.Minute)
			rows := 0
			again := func() *running { // with the schedule due
				if err := r.end(); err != nil {
					t.Fatal(err)
				}
				makeDue(t, config)
				if n := countRows(t, config); rows == 0 {
					rows = n
				} else if n != rows {
					t.Errorf("%d rows, want %d", n, rows)
				}
				r = start(t, config)
				r.key = key
				return r
			}
			var operations struct{ Results []struct{ ID, Status string } }
			for i := range 2 {
				before := bitbucket.Requests()
				again().checks(in, int64(i+1))
				if n := bitbucket.Requests() - before; n != 1 {
					t.Errorf("%d requests for a check", n)
				}
				if r.must(http.MethodGet, in+"/operations", nil, &operations); len(operations.Results) != 1 {
					t.Errorf("%+v", operations)
				}
			}
			if _, err := bitbucket.CreateRepository("brand-new", ""); err != nil {
				t.Fatal(err)
			}
			before := bitbucket.Requests()
			again()
			to.await(t, 4, 3*time.Minute)
			if n := bitbucket.Requests() - before; n != 1 {
				t.Errorf("%d requests for a page that brings something", n)
			}
			if r.must(http.MethodGet, in+"/operations", nil, &operations); len(operations.Results) != 2 || operations.Results[0].Status != "success" {
				t.Errorf("%+v", operations)
			}
			to.check(t)
		})
	}
}
