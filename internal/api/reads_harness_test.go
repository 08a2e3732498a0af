package api_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/api"
	"windlass/internal/budget"
	"windlass/internal/deliver"
	"windlass/internal/notify"
	"windlass/internal/read"
	"windlass/internal/sink/sinktest"
)

// readJobs remembers what is to be carried on.
type readJobs struct {
	mu    sync.Mutex
	begun []string
}

func (j *readJobs) Enqueue(_ context.Context, operationID string, _ time.Time) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.begun = append(j.begun, operationID)
	return nil
}

// twoRecords is a workspace of two repositories.
type twoRecords struct{}

func (twoRecords) Read(_ context.Context, _ connector.ReadRequest) (connector.Page, error) {
	return connector.Page{Size: 2, Records: []connector.Record{
		{ID: "a", Raw: []byte(`{"uuid":"a","full_name":"acme/a"}`)}, {ID: "b", Raw: []byte(`{"uuid":"b","full_name":"acme/b"}`)},
	}}, nil
}

type noBudgets struct{}

func (noBudgets) Budgets(context.Context, string) ([]budget.State, error) {
	return []budget.State{{Key: "app:1", Limit: 1000, Used: [budget.Classes]int{1, 2, 3}}}, nil
}

// addReads gives the world what reads, delivers and tells.
func (w *world) addReads(tb testing.TB, config *api.Config) {
	tb.Helper()
	w.jobs = &readJobs{}
	var err error
	if config.Destinations == nil {
		config.Destinations, config.Downloads = sinktest.Webhook(tb, nil)
	}
	w.notify, err = notify.New(notify.Config{Store: w.store, Sinks: config.Destinations, Now: w.clock.Now})
	if err != nil {
		tb.Fatal(err)
	}
	reads := read.Config{
		Store: w.store, Outbox: w.store, Sinks: config.Destinations, Jobs: w.jobs, Notifier: w.notify,
		Open: func(context.Context, windlass.Connection, string) (connector.Reader, error) { return twoRecords{}, nil },
	}
	reads.Now = w.clock.Now
	w.reads, err = read.New(reads)
	if err != nil {
		tb.Fatal(err)
	}
	w.deliver, err = deliver.New(deliver.Config{Store: w.store, Sinks: config.Destinations, Now: w.clock.Now})
	if err != nil {
		tb.Fatal(err)
	}
	config.Reads, config.Deliver, config.Notify, config.Budgets = w.reads, w.deliver, w.notify, noBudgets{}
}
