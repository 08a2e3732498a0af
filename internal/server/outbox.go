package server

import (
	"context"

	"windlass"
	"windlass/internal/connect"
	"windlass/internal/deliver"
	"windlass/internal/notify"
	"windlass/internal/store"
)

// An outbox is the store for the code that makes batches: deliveries begin when they have
// been committed.
type outbox struct {
	*store.Store

	metrics *metrics
	wake    func(destinationID string)
}

// AddBatches adds batches in the transaction of ctx.
func (o *outbox) AddBatches(ctx context.Context, batches []windlass.Batch) error {
	if err := o.Store.AddBatches(ctx, batches); err != nil {
		return err
	}
	records, destinations := 0, map[string]bool{}
	for i := range batches {
		records += batches[i].Records
		destinations[batches[i].DestinationID] = true
	}
	o.Afterwards(ctx, func() {
		o.metrics.records.Add(float64(records))
		o.metrics.batches.Add(float64(len(batches)))
		for id := range destinations {
			o.wake(id)
		}
	})
	return nil
}

// deliveries are the store for the code that delivers: attempts are counted.
type deliveries struct {
	*store.Store

	metrics *metrics
}

// RecordOutcomes keeps attempts, and counts those that it has kept.
func (d *deliveries) RecordOutcomes(ctx context.Context, o windlass.Outcomes) (held bool, err error) {
	held, err = d.Store.RecordOutcomes(ctx, o)
	if held && err == nil {
		d.Afterwards(ctx, func() {
			for i := range o.Outcomes {
				d.metrics.delivered.WithLabelValues(o.Outcomes[i].Status).Inc()
			}
		})
	}
	return held, err
}

// newDeliveries makes what sends messages, and what tells products of events.
func (s *Server) newDeliveries() error {
	s.outbox = &outbox{s.store, s.metrics, func(id string) { s.deliver.Wake(id) }}
	err := s.newSinks()
	if err != nil {
		return err
	}
	if s.notify, err = notify.New(notify.Config{Store: s.outbox, Sinks: s.sinks, Now: s.config.Now}); err != nil {
		return err
	}
	s.deliver, err = deliver.New(deliver.Config{
		Store: &deliveries{s.store, s.metrics}, Sinks: s.sinks, Notifier: s.notify, Logger: s.log, Now: s.config.Now, Owner: s.owner,
	})
	return err
}

// connected is told of what happens to connections.
type connected struct{ server *Server }

// Notify counts an event, tells the product, and lets reads and writes go on that have
// waited for the customer, all in the transaction that makes it true.
func (c *connected) Notify(ctx context.Context, event connect.Event) error {
	s := c.server
	s.store.Afterwards(ctx, func() { s.metrics.connection(event) })
	notice := windlass.ConnectionNotice{
		ProjectID: event.Connection.ProjectID, ConnectionID: event.Connection.ID, Provider: event.Connection.Provider,
		GroupRef: event.Connection.Group.Ref, ConsumerRef: event.Connection.Consumer.Ref, ConsumerName: event.Connection.Consumer.Name,
	}
	if event.Problem != "" {
		notice.Errors = []string{event.Problem}
	}
	if err := s.notify.Notify(ctx, event.Connection.ProjectID, event.Type, notice); err != nil {
		return err
	}
	if event.Type != connect.EventUpdated || event.Connection.Status == windlass.ConnectionBad {
		return nil
	}
	for _, c := range s.carries() {
		if err := c.engine.Connected(ctx, event.Connection); err != nil {
			return err
		}
	}
	return nil
}
