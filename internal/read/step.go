package read

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/config"
	"windlass/internal/mapping"
)

// Waiting is what [Flow.Step] returns when an operation is to be carried on
// later: its job should come again after the time that Wait says.
type Waiting struct {
	For    time.Duration
	Reason string // why, for who watches jobs; the operation's log says it to people
}

// Error says how long, and why.
func (w *Waiting) Error() string { return fmt.Sprintf("wait for %s: %s", w.For, w.Reason) }

// Wait is how long.
func (w *Waiting) Wait() time.Duration { return max(w.For, 0) }

// step is one turn of one operation, from taking its lease to giving it back.
type step struct {
	*Flow

	holder  string
	began   time.Time
	p       windlass.Operation    // as it was last committed
	in      windlass.Installation // as it was last seen
	object  config.ReadObject     // of the config that the operation began with
	filters []config.Filter       // likewise
	plan    *mapping.Plan         // likewise
	target  windlass.Destination  // where the batches go
	packer  *packer               // makes their bodies
	reader  connector.Reader      // of the connection
	counted func() int64          // requests of the reader in all; nil counts calls
	paid    int64                 // what counted said last
	over    *ending               // how it ended, once that is committed
	unpaid  int64                 // requests that are not in the operation's count yet
	walk    walked                // the pages so far
	begins  bool                  // the operation begins with the page that is committed: see beginWith
}

// Step carries an operation on for one slice. It returns nil when the operation
// has ended, and a *[Waiting] when there is more to do, now or later. It may be
// called any number of times, at once and by several processes: one of them has
// the lease, and the others wait.
func (f *Flow) Step(ctx context.Context, operationID string) error {
	s := &step{Flow: f, holder: f.holder(), began: f.now()}
	defer f.hold(s.holder)()
	p, won, held, err := f.store.LeaseOperation(ctx, operationID, s.holder, s.began, s.began.Add(f.opts.Lease))
	switch {
	case kindIs(err, windlass.NotFound):
		return nil
	case err != nil:
		return s.trouble(ctx, "take the operation", err)
	case won:
		s.p = p
		s.tellBegun(ctx)
		err := s.run(ctx)
		s.tellEnded(ctx)
		return err
	case p.Status != windlass.OperationRunning:
		return nil
	case p.Wait.After(s.began):
		return &Waiting{p.Wait.Sub(s.began), "the operation waits"}
	default:
		return &Waiting{max(held.Sub(s.began), time.Second), "another job carries the operation on"}
	}
}

// run does what there is to do before the first page, and then the pages.
func (s *step) run(ctx context.Context) error {
	if stop, err := s.look(ctx); stop || err != nil {
		return err
	}
	if err := s.prepare(ctx); err != nil {
		return s.failed(ctx, "prepare the read", err)
	}
	if err := s.restoreWalk(ctx); err != nil {
		return s.failed(ctx, "see which records have come", err)
	}
	reader, err := s.opts.Open(ctx, s.in.Connection, s.p.Trigger)
	if err != nil {
		return s.refused(ctx, err)
	}
	s.use(reader)
	return s.pages(ctx)
}

// look sees whether the operation may go on, and ends or suspends it if not.
func (s *step) look(ctx context.Context) (stop bool, err error) {
	standing, err := s.store.Standing(ctx, s.p.InstallationID, s.p.Object)
	if kindIs(err, windlass.NotFound) {
		return true, s.uninstalled(ctx)
	}
	if err == nil {
		s.in, err = s.store.Installation(ctx, s.p.ProjectID, s.p.InstallationID)
	}
	if kindIs(err, windlass.NotFound) {
		return true, s.uninstalled(ctx)
	}
	if err != nil {
		return true, s.trouble(ctx, "see how the installation stands", err)
	}
	now, err := config.Parse(s.in.Config.Content)
	if err != nil {
		return true, s.failed(ctx, "read the config", err)
	}
	o, there := now.Reads(s.p.Object)
	switch {
	case !there || o.Disabled:
		return true, s.stopped(ctx, s.p.Object+" is not read any more: it was disabled.", nil)
	case !s.in.Connection.InWorkspace(s.p.Workspace):
		return true, s.stopped(ctx, fmt.Sprintf("The installation was moved to another workspace, %s.", s.in.Connection.Workspace),
			func(ctx context.Context) error { return s.resume(ctx, s.in, now, s.p.Object) })
	case s.stops(standing):
		return true, s.sleep(ctx, standing)
	default:
		return false, nil
	}
}

// prepare gets what the batches are made with. Its error is one that repeating
// does not mend, or the database's.
func (s *step) prepare(ctx context.Context) error {
	content, err := s.store.OperationConfig(ctx, s.p.ConfigID)
	if err != nil {
		return err
	}
	return s.prepareFor(ctx, content)
}

// prepareFor is prepare for the content of a config.
func (s *step) prepareFor(ctx context.Context, content json.RawMessage) error {
	c, err := config.Parse(content)
	if err != nil {
		return err
	}
	s.object, _ = c.Reads(s.p.Object)
	s.filters = s.object.Filters(s.p.Trigger == windlass.TriggerBackfill)
	revision, err := s.store.Revision(ctx, s.p.IntegrationID, s.p.RevisionID)
	if err != nil {
		return err
	}
	entry, err := config.ReadEntry(revision, s.p.Object)
	if err != nil {
		return err
	}
	if s.plan, err = s.object.Plan(entry); err != nil {
		return err
	}
	if s.target, err = s.store.Destination(ctx, s.p.ProjectID, s.object.Destination); err != nil {
		return err
	}
	mostRecords := 0
	if entry.Delivery != nil {
		mostRecords = entry.Delivery.PageSize
	}
	s.packer, err = newPacker(newEnvelope(s.in, s.p, entry.MapToName), mostRecords)
	return err
}

// fetched is a page that has come, or why it has not.
type fetched struct {
	page         connector.Page
	err          error
	began, ended time.Time
}

// pages reads pages until the operation ends, stops, or the slice is used up.
// While a page is committed the next one is on its way: one ahead, so that what
// is in memory does not grow with the read.
func (s *step) pages(ctx context.Context) error {
	ahead, cancel := s.fetch(ctx, s.p.Cursor)
	defer func() { cancel() }()
	for n := 1; ; n++ {
		got := <-ahead
		s.count()
		if got.err == nil && got.page.Next != "" && string(got.page.Next) == s.p.Cursor {
			got.err = &windlass.Error{Kind: windlass.Malformed, Op: "read " + s.p.Object, Message: "a page names itself as the next one", Provider: &windlass.ProviderDetails{}}
		}
		if got.err != nil {
			return s.refused(ctx, got.err)
		}
		last := got.page.Next == ""
		more := !last && n < s.opts.SlicePages && s.now().Sub(s.began) < s.opts.Slice
		if more {
			cancel()
			ahead, cancel = s.fetch(ctx, string(got.page.Next))
		}
		changed, ended, err := s.commit(ctx, got, !more)
		if err == nil && ended {
			return nil
		}
		if err == nil && more && !changed {
			continue
		}
		cancel()
		if more { // no request outlives the step
			<-ahead
			s.count()
		}
		if err != nil {
			return s.uncommitted(ctx, err)
		}
		if changed {
			if stop, err := s.look(ctx); stop {
				return err
			}
		}
		return s.giveWay(ctx)
	}
}

// fetch asks for a page in the background.
func (s *step) fetch(ctx context.Context, cursor string) (<-chan fetched, context.CancelFunc) {
	// A request must not outlive the lease under which it was made, which is half of
	// it, or, where leases are extended, a time of its own.
	ctx, cancel := context.WithTimeout(ctx, s.opts.Page)
	came := make(chan fetched, 1)
	request := connector.ReadRequest{
		Object: s.p.Object, Since: s.p.Since, Until: s.p.Until, Cursor: connector.Cursor(cursor),
	}
	began := s.now()
	go func() {
		page, err := s.reader.Read(ctx, request)
		came <- fetched{page, err, began, s.now()}
	}()
	return came, cancel
}

// count notes what a call of the reader has cost.
func (s *step) count() {
	if s.counted == nil {
		s.unpaid++
		return
	}
	total := s.counted()
	s.unpaid += total - s.paid
	s.paid = total
}

// giveWay ends a slice: others are served before this operation goes on.
func (s *step) giveWay(ctx context.Context) error {
	if err := s.suspend(ctx, time.Time{}, 0); err != nil {
		return s.trouble(ctx, "give way", err)
	}
	return &Waiting{0, "the operation gives way to others"}
}

// suspend gives the lease back.
func (s *step) suspend(ctx context.Context, until time.Time, attempt int) error {
	return s.store.SuspendOperation(ctx, s.p.ID, s.holder, until, attempt, s.spent(), s.now())
}

// spent returns the requests that are not in the operation's count yet.
func (s *step) spent() int64 {
	n := s.unpaid
	s.unpaid = 0
	return n
}

// trouble is for the database and everything else that is ours and passes: a
// full disk, a restart. There is nowhere to note it but the process's own log;
// the operation is as it was after its last page, and goes on by itself.
func (s *step) trouble(ctx context.Context, what string, err error) error {
	if kindIs(err, windlass.Conflict) {
		return &Waiting{s.opts.Lease, "another job carries the operation on"}
	}
	if ctx.Err() == nil {
		s.opts.Logger.WarnContext(ctx, "a read cannot go on for now",
			slog.String(logOperation, s.p.ID), slog.String(logObject, s.p.Object), slog.String(logReason, what+": "+err.Error()))
	}
	// The context may have ended because the process stops.
	broken := ctx.Err() != nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	after := troubleFor
	if broken {
		after = 0 // another process, or the next start, goes on at once
	}
	if s.p.ID != "" && s.suspend(ctx, s.p.Wait, s.p.Attempt) != nil {
		after = s.opts.Lease // it cannot be given back, and runs out
	}
	return &Waiting{after, "the database is not ready"}
}
