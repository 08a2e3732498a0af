package read

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"windlass"
	"windlass/connector"
)

// everyPages is how often the log says how far a read has come.
const everyPages = 25

// errUninstalled says that the installation was removed.
var errUninstalled = errors.New("the installation was removed")

// commit makes batches of a page and, in one transaction, stores them, moves the
// cursor behind the page and has the batches delivered (invariant 1). The last
// page ends the operation in the same transaction, or begins another pass.
// changed reports that something happened to the installation that may stop the
// read.
func (s *step) commit(ctx context.Context, got fetched, gaveWay bool) (changed, ended bool, err error) {
	page := got.page
	var counted int
	var kept windlass.ReadPage
	page.Records, counted, kept = s.take(got, gaveWay)
	fresh, before, err := s.fresh(ctx, page)
	if err != nil {
		return false, false, err
	}
	batches, large, records, err := s.batches(fresh)
	if err != nil {
		return false, false, err
	}
	now := s.now()
	move := windlass.Progress{
		OperationID: s.p.ID, Holder: s.holder, From: s.p.Cursor, To: string(page.Next),
		Walked: int64(counted), Records: int64(records), Batches: int64(len(batches)), Requests: s.unpaid,
		Estimate: int64(page.Size), Full: s.p.Full || page.Full, Now: now, LeaseUntil: now.Add(s.opts.Lease),
	}
	after := s.p
	after.Cursor, after.Full, after.Estimate, after.Attempt = move.To, move.Full, move.Estimate, 0
	after.Pages++
	after.Walked += move.Walked
	after.Records += move.Records
	after.Batches += move.Batches
	after.Requests += move.Requests
	end, again, err := s.ending(ctx, page, after)
	if err != nil {
		return false, false, err
	}
	err = s.store.In(ctx, func(ctx context.Context) error {
		standing, err := s.store.Standing(ctx, s.p.InstallationID, s.p.Object)
		if kindIs(err, windlass.NotFound) {
			return errUninstalled
		}
		if err != nil {
			return err
		}
		changed = s.stops(standing) || standing.ConfigID != s.in.Config.ID || standing.ConnectionID != s.in.Connection.ID
		if err := s.before(ctx, changed, page.Workspace); err != nil {
			return err
		}
		if err := s.store.MoveCursor(ctx, move); err != nil {
			return err
		}
		if err := s.deliver(ctx, batches, large); err != nil {
			return err
		}
		if err := s.remember(ctx, fresh, page.Full); err != nil {
			return err
		}
		if err := s.append(ctx, s.notes(page)...); err != nil {
			return err
		}
		if end != nil {
			return s.end(ctx, *end)
		}
		if err := s.store.KeepReadPage(ctx, kept); err != nil {
			return err
		}
		return s.between(ctx, again, s.progress(after, page.Full, before))
	})
	if err != nil {
		return false, false, err
	}
	s.p, s.unpaid, s.over = after, 0, end
	s.tellPage(ctx, move)
	return changed, end != nil, nil
}

// before is what there is to do before the cursor moves.
func (s *step) before(ctx context.Context, changed bool, workspace string) error {
	if s.begins {
		if err := s.beginNow(ctx, changed); err != nil {
			return err
		}
	}
	// The connection before the operation, as whatever replaces credentials does.
	return s.rename(ctx, workspace)
}

// between is what there is to do behind a page that is not the last: another pass,
// if there is a reason, or else lines for the log.
func (s *step) between(ctx context.Context, again string, lines []windlass.OperationLog) (err error) {
	if again != "" {
		err = s.walkAgain(ctx, again)
	} else {
		err = s.append(ctx, lines...)
	}
	if err != nil || !s.begins {
		return err
	}
	return s.goOn(ctx)
}

// walkAgain begins another pass. What came before is not delivered again.
func (s *step) walkAgain(ctx context.Context, why string) error {
	message := fmt.Sprintf("The read walks through %s once more (pass %d of at most %d): %s.", s.p.Object, s.walk.last.Pass+2, maxPasses, why)
	if err := s.store.RestartOperation(ctx, s.p.ID, s.holder, 0, s.now()); err != nil {
		return err
	}
	return s.append(ctx, s.note(s.p.ID, windlass.SeverityWarning, message, nil))
}

// rename notes that the workspace has another name now. Its id, by which it is read,
// has stayed.
func (s *step) rename(ctx context.Context, workspace string) error {
	if !s.renamed(workspace) {
		return nil
	}
	c := &s.in.Connection
	message := fmt.Sprintf("The workspace %s is now called %s.", c.Workspace, workspace)
	if err := s.append(ctx, s.note(s.p.ID, windlass.SeverityInfo, message, nil)); err != nil {
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
func (s *step) deliver(ctx context.Context, batches []windlass.Batch, large []windlass.LargeRecord) error {
	if len(batches) == 0 {
		return nil
	}
	for _, record := range large {
		if err := s.store.KeepLargeRecord(ctx, record); err != nil {
			return err
		}
	}
	if err := s.outbox.AddBatches(ctx, batches); err != nil {
		return err
	}
	return s.jobs.EnqueueDelivery(ctx, batches[0].DestinationID, batches[0].Lane)
}

// Lane names what is delivered in the order in which it was read: one object of
// one installation.
func Lane(installationID, object string) string { return installationID + "/" + object }

// batches makes the batches of records.
func (s *step) batches(records []connector.Record) (batches []windlass.Batch, large []windlass.LargeRecord, n int, err error) {
	for i := range records {
		if !passes(records[i].Raw, s.filters) {
			continue
		}
		n++
		if err := s.packer.add(windlass.KeyOf(records[i].ID), func(dst []byte) ([]byte, error) { return s.plan.AppendEntry(dst, records[i].Raw) }); err != nil {
			s.packer.take() // of no use without the rest
			return nil, nil, 0, &windlass.Error{
				Kind: windlass.Malformed, Op: "read " + s.p.Object, Message: "record " + records[i].ID + " cannot be delivered: " + plain(err), Err: err, Provider: &windlass.ProviderDetails{},
			}
		}
	}
	now := s.now()
	for _, m := range s.packer.take() {
		b := windlass.Batch{
			ID: newID(), ProjectID: s.p.ProjectID, DestinationID: s.target.ID, InstallationID: s.p.InstallationID,
			OperationID: s.p.ID, Object: s.p.Object, Kind: windlass.BatchRead, Lane: Lane(s.p.InstallationID, s.p.Object),
			Records: m.records, RecordKeys: m.keys, Body: m.body, Status: windlass.BatchPending, NextAttempt: now, Created: now, Updated: now,
		}
		if m.large != nil {
			kept, url := s.setAside(s.p.ProjectID, b.ID, m.large)
			if b.Body, err = s.packer.pointer(url); err != nil {
				return nil, nil, 0, err
			}
			large = append(large, kept)
		}
		batches = append(batches, b)
	}
	return batches, large, n, nil
}

// fresh leaves out what was delivered already in the state that it is in: the
// overlap of an incremental read with the one before.
func (s *step) fresh(ctx context.Context, page connector.Page) (fresh []connector.Record, before int, err error) {
	if s.p.Trigger != windlass.TriggerSchedule || s.p.Since.IsZero() || page.Full || len(page.Records) == 0 {
		return page.Records, 0, nil
	}
	ids := make([]string, 0, len(page.Records))
	for i := range page.Records {
		ids = append(ids, page.Records[i].ID)
	}
	seen, err := s.store.Seen(ctx, s.p.InstallationID, s.p.Object, ids)
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
	if s.p.Trigger == windlass.TriggerAsked || full {
		return nil
	}
	// Until the mark moves the next read begins where this one did, if this one
	// is incremental; else where this one started.
	from := s.p.Started.Add(-s.opts.Overlap)
	if s.p.Trigger == windlass.TriggerSchedule {
		from = s.p.Since
	}
	at := map[string]int{}
	var sightings []windlass.Sighting
	for _, record := range records {
		if record.Updated.IsZero() || record.Updated.Before(from) {
			continue
		}
		sighting := windlass.Sighting{ID: record.ID, Updated: record.Updated}
		if i, twice := at[record.ID]; twice {
			sightings[i] = sighting
			continue
		}
		at[record.ID] = len(sightings)
		sightings = append(sightings, sighting)
	}
	if len(sightings) == 0 {
		return nil
	}
	return s.store.Remember(ctx, s.p.InstallationID, s.p.Object, sightings)
}

// progress are the lines for what a page brought.
func (s *step) progress(after windlass.Operation, full bool, before int) []windlass.OperationLog {
	if full && after.Pages == 1 {
		return []windlass.OperationLog{s.note(s.p.ID, windlass.SeverityInfo,
			"The provider cannot tell what has changed of "+s.p.Object+": everything is read.", nil)}
	}
	if after.Pages%everyPages != 0 {
		return nil
	}
	message := fmt.Sprintf("Read %d records so far.", after.Walked)
	if after.Estimate >= 0 {
		message = fmt.Sprintf("Read %d of about %d records so far.", after.Walked, after.Estimate)
	}
	details := figures(after)
	if before > 0 {
		details[logDelivered] = strconv.Itoa(before)
	}
	return []windlass.OperationLog{s.note(s.p.ID, windlass.SeverityInfo, message, details)}
}

func figures(p windlass.Operation) map[string]string {
	all := map[string]string{
		logPages: strconv.FormatInt(p.Pages, 10), logRecords: strconv.FormatInt(p.Records, 10),
		logMessages: strconv.FormatInt(p.Batches, 10), logRequests: strconv.FormatInt(p.Requests, 10),
	}
	if p.Estimate >= 0 {
		all[logEstimate] = strconv.FormatInt(p.Estimate, 10)
	}
	return all
}

// uncommitted says what becomes of the operation when a page was not committed:
// everything is as it was before the page.
func (s *step) uncommitted(ctx context.Context, err error) error {
	if errors.Is(err, errUninstalled) {
		return s.uninstalled(ctx)
	}
	if provider, ok := windlass.FromProvider(err); ok {
		return s.refused(ctx, provider)
	}
	return s.trouble(ctx, "keep a page", err)
}
