package read

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"windlass"
	"windlass/connector"
	"windlass/internal/logkey"
	"windlass/internal/operation"
	"windlass/internal/sink"
)

// everyPages is how often the log says how far a read has come.
const everyPages = 25

// commit makes batches of a page and says how, in one transaction, they are stored,
// the cursor moves behind the page and the batches are delivered (invariant 1). The
// last page ends the operation in the same transaction, or begins another pass. A
// read that brought fewer records than the provider counts, in as many passes as
// make sense, is a failure: it is not all there is.
func (s *step) commit(ctx context.Context, got fetched, gaveWay bool) (c operation.Commit, err error) {
	page := got.page
	var counted int
	var kept windlass.ReadPage
	page.Records, counted, kept = s.take(got, gaveWay)
	fresh, before, err := s.fresh(ctx, page)
	if err != nil {
		return c, err
	}
	batches, records, err := s.batches(fresh)
	if err != nil {
		return c, err
	}
	again := ""
	if page.Next == "" {
		again = s.unfinished(page)
	}
	move := windlass.Progress{
		To: string(page.Next), Walked: int64(counted), Records: int64(records), Batches: int64(len(batches)),
		Estimate: int64(page.Size), Full: s.Op.Full || page.Full,
	}
	c = operation.Commit{GiveWay: gaveWay, Ends: page.Next == "" && again == ""}
	if c.Ends && !s.complete(page) {
		c.Cause = connector.ErrIncomplete(s.Op.Object, s.counts(page.Full), page.Size)
	}
	changed, paid := false, s.Op.Requests
	c.Do = func(ctx context.Context) (err error) {
		s.store.Afterwards(ctx, func() { s.tellPage(ctx, move, s.Op.Requests-paid) })
		if changed, err = s.before(ctx, page.Workspace); err != nil {
			return err
		}
		if err := s.Move(ctx, move); err != nil {
			return err
		}
		if err := s.deliver(ctx, batches); err != nil {
			return err
		}
		if err := s.remember(ctx, fresh, page.Full); err != nil {
			return err
		}
		if err := s.notes(ctx, page); err != nil || c.Ends {
			return err
		}
		if err := s.store.KeepReadPage(ctx, kept); err != nil {
			return err
		}
		return s.between(ctx, again, page.Full, before)
	}
	c.After = func(ctx context.Context) error {
		return s.lookAgain(ctx, changed && !c.Ends)
	}
	return c, nil
}

// lookAgain sees whether the operation may go on after something has changed. If so,
// it does in another turn.
func (s *step) lookAgain(ctx context.Context, changed bool) error {
	if !changed {
		return nil
	}
	s.drop()
	if err := s.look(ctx); err != nil {
		return err
	}
	return &operation.Sleep{}
}

// before is what there is to do before the cursor moves. changed reports that
// something happened to the installation that may stop the read.
func (s *step) before(ctx context.Context, workspace string) (changed bool, err error) {
	standing, err := s.store.Standing(ctx, s.Op.InstallationID, s.Op.Object)
	if errors.Is(err, windlass.NotFound) {
		return false, errUninstalled
	}
	if err != nil {
		return false, err
	}
	changed = stops(standing) || standing.ConfigID != s.in.Config.ID || standing.ConnectionID != s.in.Connection.ID
	if s.begins {
		if err := s.beginNow(ctx, changed); err != nil {
			return changed, err
		}
	}
	// The connection before the operation, as whatever replaces credentials does.
	return changed, s.rename(ctx, workspace)
}

// between is what there is to do behind a page that is not the last: another pass,
// if there is a reason, or else lines for the log.
func (s *step) between(ctx context.Context, again string, full bool, before int) (err error) {
	if again != "" {
		err = s.walkAgain(ctx, again)
	} else {
		err = s.progress(ctx, full, before)
	}
	if err != nil || !s.begins {
		return err
	}
	return s.goOn(ctx)
}

// walkAgain begins another pass. What came before is not delivered again.
func (s *step) walkAgain(ctx context.Context, why string) error {
	message := fmt.Sprintf("The read walks through %s once more (pass %d of at most %d): %s.", s.Op.Object, s.walk.last.Pass+2, maxPasses, why)
	if err := s.Restart(ctx); err != nil {
		return err
	}
	return s.Log(ctx, windlass.SeverityWarning, message, nil)
}

// rename notes that the workspace has another name now. Its id, by which it is read,
// has stayed.
func (s *step) rename(ctx context.Context, workspace string) error {
	if !s.renamed(workspace) {
		return nil
	}
	c := &s.in.Connection
	message := fmt.Sprintf("The workspace %s is now called %s.", c.Workspace, workspace)
	if err := s.Log(ctx, windlass.SeverityInfo, message, nil); err != nil {
		return err
	}
	c.Workspace = workspace
	return s.store.RenameWorkspace(ctx, c.ID, workspace, s.now())
}

// renamed reports whether a page says another name of the workspace than is known.
func (s *step) renamed(workspace string) bool {
	c := &s.in.Connection
	return workspace != "" && workspace != c.Workspace && c.WorkspacePath() != c.Workspace
}

// deliver hands batches over, in the page's transaction.
func (s *step) deliver(ctx context.Context, batches []windlass.Batch) error {
	if len(batches) == 0 {
		return nil
	}
	return s.outbox.AddBatches(ctx, batches)
}

// Lane names what is delivered in the order in which it was read: one object of
// one installation.
func Lane(installationID, object string) string { return installationID + "/" + object }

// maxKept is how much memory a step keeps from one page to the next.
const maxKept = 4 << 20

// batches makes the batches of records.
func (s *step) batches(records []connector.Record) ([]windlass.Batch, int, error) {
	ids, ends := make([]string, 0, len(records)), make([]int, 0, len(records))
	all := s.entries[:0]
	for i := range records {
		if !passes(records[i].Raw, s.filters) {
			continue
		}
		var err error
		if all, err = s.plan.AppendEntry(all, records[i].Raw); err != nil {
			return nil, 0, &windlass.Error{
				Kind: windlass.Malformed, Op: "read " + s.Op.Object, Message: "record " + records[i].ID + " cannot be delivered: " + operation.Plain(err), Err: err, Provider: &windlass.ProviderDetails{},
			}
		}
		ids, ends = append(ids, records[i].ID), append(ends, len(all))
	}
	entries, begin := make([]sink.Entry, len(ids)), 0
	for i, id := range ids {
		entries[i] = sink.Entry{ID: id, JSON: all[begin:ends[i]:ends[i]]}
		begin = ends[i]
	}
	if s.entries = all; cap(all) > maxKept {
		s.entries = nil
	}
	batches, err := s.opts.Sinks.Batches(s.target, s.stream, entries, s.now())
	return batches, len(entries), err
}

// fresh leaves out what was delivered already in the state that it is in: the
// overlap of an incremental read with the one before.
func (s *step) fresh(ctx context.Context, page connector.Page) (fresh []connector.Record, before int, err error) {
	if s.Op.Trigger != windlass.TriggerSchedule || s.part().since.IsZero() || page.Full || len(page.Records) == 0 {
		return page.Records, 0, nil
	}
	ids := make([]string, 0, len(page.Records))
	for i := range page.Records {
		ids = append(ids, page.Records[i].ID)
	}
	seen, err := s.store.Seen(ctx, s.Op.InstallationID, s.Op.Object, ids)
	if err != nil {
		return nil, 0, err
	}
	for _, record := range page.Records {
		if at, found := seen[record.ID]; found && !record.Updated.IsZero() && at.Equal(record.Updated.Truncate(time.Microsecond)) {
			before++
			continue
		}
		fresh = append(fresh, record)
	}
	return fresh, before, nil
}

// remember notes what the next incremental read is going to come across again.
func (s *step) remember(ctx context.Context, records []connector.Record, full bool) error {
	if s.Op.Trigger == windlass.TriggerAsked || full {
		return nil
	}
	// Until the mark moves the next read begins where this one did, if this one
	// is incremental; else where this one started.
	from := s.Op.Started.Add(-s.opts.Overlap)
	if s.Op.Trigger == windlass.TriggerSchedule && !s.appeared {
		from = s.part().since
	}
	at := map[string]int{}
	var seen []windlass.SeenRecord
	for _, record := range records {
		if record.Updated.IsZero() || record.Updated.Before(from) {
			continue
		}
		one := windlass.SeenRecord{ID: record.ID, Updated: record.Updated}
		if i, twice := at[record.ID]; twice {
			seen[i] = one
			continue
		}
		at[record.ID] = len(seen)
		seen = append(seen, one)
	}
	if len(seen) == 0 {
		return nil
	}
	return s.store.Remember(ctx, s.Op.InstallationID, s.Op.Object, seen)
}

// progress logs what a page brought.
func (s *step) progress(ctx context.Context, full bool, before int) error {
	if full && s.Op.Pages == 1 {
		return s.Log(ctx, windlass.SeverityInfo, "The provider cannot tell what has changed of "+s.Op.Object+": everything is read.", nil)
	}
	if s.Op.Pages%everyPages != 0 {
		return nil
	}
	message := fmt.Sprintf("Read %d records so far.", s.Op.Walked)
	if s.Op.Estimate >= 0 {
		message = fmt.Sprintf("Read %d of about %d records so far.", s.Op.Walked, s.Op.Estimate)
	}
	details := figures(s.Op)
	if before > 0 {
		details[logkey.DeliveredBefore] = strconv.Itoa(before)
	}
	return s.Log(ctx, windlass.SeverityInfo, message, details)
}

func figures(p windlass.Operation) map[string]string {
	all := map[string]string{
		logkey.Pages: strconv.FormatInt(p.Pages, 10), logkey.Records: strconv.FormatInt(p.Records, 10),
		logkey.Messages: strconv.FormatInt(p.Batches, 10), logkey.Requests: strconv.FormatInt(p.Requests, 10),
	}
	if p.Estimate >= 0 {
		all[logkey.Estimate] = strconv.FormatInt(p.Estimate, 10)
	}
	return all
}
