package read

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/config"
	"windlass/internal/mapping"
	"windlass/internal/operation"
	"windlass/internal/sink"
)

const (
	// pausedFor is how long an operation sleeps while reads are paused. [Flow.Unpause]
	// wakes it.
	pausedFor = 24 * time.Hour
	// troubleFor is how long a check waits that could not begin an operation.
	troubleFor = 15 * time.Second
)

// step is one turn of one read: what the engine asks to read pages.
type step struct {
	*Flow
	*operation.Turn

	in          windlass.Installation // as it was last seen
	integration string                // its name
	object      config.ReadObject     // of the config that the operation began with
	filters     []config.Filter       // likewise
	plan        *mapping.Plan         // likewise
	target      windlass.Destination  // where the batches go
	stream      sink.Stream           // what they belong to
	entries     []byte                // of the page at hand; the memory is used again
	reader      connector.Reader      // of the connection
	ahead       <-chan fetched        // the page that is on its way; nil for none
	cancel      context.CancelFunc    // ends the request for it
	walk        walked                // the pages so far
	above       []connector.Object    // those that the object is below, and itself
	unit        *windlass.ReadUnit    // the one that is read, of an object below another
	appeared    bool                  // its parent has, since the last read
	refusals    int                   // units passed over in this turn
	refused     int64                 // likewise in the operation, once that ends
	begins      bool                  // the operation begins with the page that is committed: see beginWith
}

// Prepare does what there is to do before the first page.
func (s *step) Prepare(ctx context.Context, t *operation.Turn) error {
	s.tellBegun(ctx)
	if err := s.look(ctx); err != nil {
		return err
	}
	content, err := s.store.OperationConfig(ctx, s.Op.ConfigID)
	if err != nil {
		return err
	}
	if err := s.prepareFor(ctx, content); err != nil {
		return err
	}
	s.above = s.lineage(s.in.Connection, s.Op.Object)
	if !s.below() {
		if err := s.restoreWalk(ctx); err != nil {
			return err
		}
	}
	reader, err := s.opts.Open(ctx, s.in.Connection, s.Op.Trigger)
	if err != nil {
		return err
	}
	s.use(reader)
	t.Cleanup(s.drop)
	return nil
}

// look sees whether the operation may go on, and says how it ends or sleeps if not.
func (s *step) look(ctx context.Context) error {
	standing, err := s.store.Standing(ctx, s.Op.InstallationID, s.Op.Object)
	if err == nil {
		s.in, err = s.store.Installation(ctx, s.Op.ProjectID, s.Op.InstallationID)
	}
	if errors.Is(err, windlass.NotFound) {
		return errUninstalled
	}
	if err == nil {
		err = s.nameIntegration(ctx)
	}
	if err != nil {
		return err
	}
	now, err := config.Parse(s.in.Config.Content)
	if err != nil {
		return err
	}
	o, there := now.Reads(s.Op.Object)
	switch {
	case !there || o.Disabled:
		return operation.End(&stopped{result: s.Op.Object + " is not read any more: it was disabled."})
	case !s.in.Connection.InWorkspace(s.Op.Workspace):
		return operation.End(&stopped{
			result: fmt.Sprintf("The installation was moved to another workspace, %s.", s.in.Connection.Workspace),
			also:   func(ctx context.Context) error { return s.resume(ctx, s.in, now, s.Op.Object) },
		})
	case stops(standing):
		return s.sleep(standing)
	default:
		return nil
	}
}

// stops reports whether a read has to wait until a person does something.
func stops(standing windlass.Standing) bool {
	return standing.Paused || standing.Status == windlass.ConnectionBad
}

// sleep lets the operation sleep until then.
func (s *step) sleep(standing windlass.Standing) *operation.Sleep {
	sleep := s.Turn.Disconnected()
	if standing.Paused {
		sleep.For, sleep.Severity = pausedFor, windlass.SeverityInfo
		sleep.Reason = "Reads are paused. This one goes on from here when the pause ends."
	}
	sleep.Still = stops
	return sleep
}

// nameIntegration gets the name of the integration, for notifications. It is asked
// outside of transactions, which would lock the integration for every read of it.
func (s *step) nameIntegration(ctx context.Context) error {
	in, err := s.store.Integration(ctx, s.Op.ProjectID, s.Op.IntegrationID)
	if errors.Is(err, windlass.NotFound) {
		return nil
	}
	s.integration = in.Name
	return err
}

// prepareFor gets what the batches are made with. Its error is one that repeating
// does not mend, or the database's.
func (s *step) prepareFor(ctx context.Context, content json.RawMessage) error {
	c, err := config.Parse(content)
	if err != nil {
		return err
	}
	s.object, _ = c.Reads(s.Op.Object)
	s.filters = s.object.Filters(s.Op.Trigger == windlass.TriggerBackfill)
	revision, err := s.store.Revision(ctx, s.Op.IntegrationID, s.Op.RevisionID)
	if err != nil {
		return err
	}
	entry, err := config.ReadEntry(revision, s.Op.Object)
	if err != nil {
		return err
	}
	if s.plan, err = s.object.Plan(entry); err != nil {
		return err
	}
	if s.target, err = s.store.Destination(ctx, s.Op.ProjectID, s.object.Destination); err != nil {
		return err
	}
	if _, err := s.opts.Sinks.Of(s.target.Type); err != nil {
		return err
	}
	s.stream = sink.Stream{
		Kind: windlass.BatchRead, Lane: Lane(s.Op.InstallationID, s.Op.Object), ProjectID: s.Op.ProjectID,
		InstallationID: s.Op.InstallationID, OperationID: s.Op.ID, Object: s.Op.Object,
		Read: sink.Read{Installation: s.in, Operation: s.Op, MappedName: entry.MapToName},
	}
	if entry.Delivery != nil {
		s.stream.Read.MaxRecords = entry.Delivery.PageSize
	}
	return nil
}

// fetched is a page that has come, or why it has not.
type fetched struct {
	page         connector.Page
	err          error
	began, ended time.Time
}

// Next reads a page. While it is committed the next one is on its way: one ahead, so
// that what is in memory does not grow with the read.
func (s *step) Next(ctx context.Context, t *operation.Turn) (operation.Commit, error) {
	if s.below() {
		return s.nextBelow(ctx, t)
	}
	got := s.page(ctx)
	if got.err != nil {
		return operation.Commit{}, got.err
	}
	more := got.page.Next != "" && t.More()
	if more {
		s.fetch(ctx, string(got.page.Next))
	}
	return s.commit(ctx, got, !more)
}

// page returns the next page, which may be on its way already.
func (s *step) page(ctx context.Context) fetched {
	cursor := s.part().cursor
	if s.ahead == nil {
		s.fetch(ctx, cursor)
	}
	got := s.fetched()
	if got.err == nil && got.page.Next != "" && string(got.page.Next) == cursor {
		got.err = &windlass.Error{Kind: windlass.Malformed, Op: "read " + s.part().object, Message: "a page names itself as the next one", Provider: &windlass.ProviderDetails{}}
	}
	return got
}

// fetch asks for a page in the background.
func (s *step) fetch(ctx context.Context, cursor string) {
	// A request must not outlive the lease under which it was made, which is half of
	// it, or, where leases are extended, a time of its own.
	ctx, s.cancel = context.WithTimeout(ctx, s.opts.Call)
	came := make(chan fetched, 1)
	p := s.part()
	request := connector.ReadRequest{Object: p.object, Parent: p.parent, Since: p.since, Until: p.until, Cursor: connector.Cursor(cursor)}
	began := s.now()
	go func() {
		page, err := s.reader.Read(ctx, request)
		came <- fetched{page, err, began, s.now()}
	}()
	s.ahead = came
}

// fetched waits for the page that is on its way.
func (s *step) fetched() fetched {
	got := <-s.ahead
	s.cancel()
	s.ahead = nil
	s.Called()
	return got
}

// drop does without the page that is on its way, if there is one.
func (s *step) drop() {
	if s.ahead != nil {
		s.cancel()
		s.fetched()
	}
}

// use takes a reader.
func (s *step) use(reader connector.Reader) {
	s.reader = reader
	s.Meter(reader)
}
