package read

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"windlass"
	"windlass/internal/config"
	"windlass/internal/logkey"
	"windlass/internal/operation"
	"windlass/manifest"
)

const (
	// checkers is how many checks one process makes at once.
	checkers = 32
	// claimAtOnce is how many schedules one claim takes, which wait in memory.
	claimAtOnce = 64
	// settleAtOnce bounds how many checks are ended in one transaction.
	settleAtOnce = 200
	// settleAfter is how long a check that has ended waits for others.
	settleAfter = 20 * time.Millisecond
	// lookEvery is how often to look for what is due when nothing is.
	lookEvery = time.Second
	// staleAfter is for how long a check goes by what was so at the claim.
	staleAfter = 5 * time.Second
	// claimMargin is how long a claim lasts beyond the time that a page may take.
	claimMargin = 30 * time.Second
)

// What becomes of a scheduled check.
const (
	CheckedUnchanged = "unchanged" // nothing is new: it leaves nothing
	CheckedChanged   = "changed"   // an operation begins with the page that came
	CheckedLeft      = "left"      // an operation finds out, where there is something to read
	CheckedLimited   = "limited"   // it waits until there are requests again
	CheckedStopped   = "stopped"   // it is given back, since the process stops
	CheckedFailed    = "failed"    // it is tried again soon: something of ours is wrong
)

// Next is when a schedule of reads is due again; the zero time for never. Schedules
// are spread, see [config.NextDue].
func Next(schedule windlass.Schedule, after time.Time) time.Time {
	cron, err := manifest.ParseSchedule(schedule.Cron)
	if err != nil {
		return time.Time{} // it was checked when it came in
	}
	// The first time, and one that was made up for, may be any: the next is not
	// nearer to it than two reads may be to each other.
	if nearest := schedule.Next.Add(min(cron.MinGap(), manifest.ShortestGap)); after.Before(nearest) && !schedule.Next.After(after) {
		after = nearest.Add(-time.Nanosecond)
	}
	return config.NextDue(cron, schedule.ID, after)
}

// A claimed schedule is to be checked.
type claimed struct {
	windlass.Check

	start  windlass.CheckStart
	there  bool      // the installation is
	loaded time.Time // when that was so; zero: it is not known
}

// RunChecks checks what is due, until ctx ends: whether anything has changed. Any
// number of processes may do so. A time that was missed, because no process ran, is
// made up for once.
//
// Only a check that finds something becomes an operation, with the page that it got.
// What finds nothing is noted in the mark, many checks in one transaction. No
// schedule is checked twice at a time: it is claimed, and not due before the claim
// ends.
func (f *Flow) RunChecks(ctx context.Context) {
	due, ended := make(chan claimed, claimAtOnce), make(chan windlass.Check, claimAtOnce)
	var working, settling sync.WaitGroup
	settling.Go(func() { f.settle(ctx, ended) })
	for range checkers {
		working.Go(func() {
			for c := range due {
				if f.check(ctx, &c) {
					ended <- c.Check
				}
			}
		})
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for ctx.Err() == nil {
		n, err := f.claim(ctx, due)
		if err != nil && ctx.Err() == nil {
			f.opts.Logger.WarnContext(ctx, "cannot look for reads that are due", slog.String(logkey.Error, err.Error()))
		}
		if err == nil && n == claimAtOnce {
			continue // there are more
		}
		timer.Reset(lookEvery)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
	}
	close(due)
	working.Wait()
	close(ended)
	settling.Wait()
}

// claim takes schedules that are due, and hands them over: no more than can be
// checked soon.
func (f *Flow) claim(ctx context.Context, due chan<- claimed) (n int, err error) {
	now := f.now()
	until := now.Add(f.opts.Call + claimMargin)
	all, err := f.store.ClaimReads(ctx, now, until, claimAtOnce)
	if err != nil || len(all) == 0 {
		return 0, err
	}
	starts, err := f.store.CheckStarts(ctx, all)
	if err != nil {
		now = time.Time{} // each check tries again, and says what is wrong
	}
	for i := range all {
		start, there := starts[all[i].ID]
		due <- claimed{Check: windlass.Check{Schedule: all[i], Claim: until}, start: start, there: there, loaded: now}
	}
	return len(all), nil
}

// settle ends checks, many at a time. When that fails their claims run out, and they
// are made again.
func (f *Flow) settle(ctx context.Context, ended <-chan windlass.Check) {
	const patience = 5 * time.Second
	for first := range ended {
		all := []windlass.Check{first}
		enough := time.After(settleAfter)
	more:
		for len(all) < settleAtOnce {
			select {
			case c, open := <-ended:
				if !open {
					break more
				}
				all = append(all, c)
			case <-enough:
				break more
			}
		}
		// What was checked is noted although the process stops.
		noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		if err := f.store.EndChecks(noting, all); err != nil {
			f.opts.Logger.WarnContext(ctx, "cannot note which reads were checked", slog.String(logkey.Error, err.Error()))
		}
		cancel()
	}
}

// check makes one check. It returns false for one that is to be made again when its
// claim runs out.
func (f *Flow) check(ctx context.Context, c *claimed) bool {
	began := f.now()
	if c.Claim.Sub(began) < f.opts.Call {
		return false // it has waited too long
	}
	c.Next = Next(c.Schedule, began)
	var err error
	var result string
	if ctx.Err() == nil {
		result, err = f.checkNow(ctx, c, began)
	}
	switch {
	case ctx.Err() != nil: // the process stops: others may have it at once
		c.Next, c.Began, result = c.Schedule.Next, time.Time{}, CheckedStopped
	case err != nil:
		f.opts.Logger.WarnContext(ctx, "a read that is due cannot begin for now",
			slog.String(logkey.Project, c.Schedule.ProjectID), slog.String(logkey.Installation, c.Schedule.InstallationID),
			slog.String(logkey.Object, c.Schedule.Object), slog.String(logkey.Error, err.Error()))
		c.Next, c.Began, result = f.now().Add(troubleFor), time.Time{}, CheckedFailed
	}
	f.opts.Checked(result)
	return true
}

// checkNow finds out whether anything has changed. Where that cannot be told with one
// request, or there is something to tell of it, an operation begins as ever.
func (f *Flow) checkNow(ctx context.Context, c *claimed, began time.Time) (result string, err error) {
	s, err := f.checking(ctx, c, began)
	if err != nil {
		return "", err
	}
	if s == nil {
		return CheckedLeft, f.Due(ctx, c.Schedule)
	}
	got, err := s.ask(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		return "", err
	case errors.Is(err, windlass.RateLimited):
		// It keeps its place in the line of the budget, and needs no operation for that.
		c.Next = f.now().Add(operation.Limited(err))
		return CheckedLimited, nil
	case err != nil:
		return CheckedLeft, f.Due(ctx, c.Schedule) // the operation says what is wrong, and waits
	}
	nothing, err := s.nothing(ctx, got)
	if err != nil {
		return "", err
	}
	if nothing {
		c.Began, c.Ended = began, f.now()
		return CheckedUnchanged, nil
	}
	if err := s.beginWith(ctx, got); err != nil {
		return CheckedLeft, f.Due(ctx, c.Schedule)
	}
	return CheckedChanged, nil
}

// checking returns the step that makes a check; nil where that is an operation's, if
// anything is to be read.
func (f *Flow) checking(ctx context.Context, check *claimed, began time.Time) (*step, error) {
	schedule := check.Schedule
	if began.Sub(check.loaded) > staleAfter {
		starts, err := f.store.CheckStarts(ctx, []windlass.Schedule{schedule})
		if err != nil {
			return nil, err
		}
		check.start, check.there = starts[schedule.ID]
	}
	if !check.there {
		return nil, nil //nolint:nilnil // see above
	}
	in, mark := check.start.Installation, check.start.Mark
	c, err := config.Parse(in.Config.Content)
	if err != nil {
		return nil, err
	}
	o, there := c.Reads(schedule.Object)
	// After a failure, and the first time, an operation says that reads succeed.
	if check.start.Reading || len(f.lineage(in.Connection, schedule.Object)) > 1 || in.LastStatus != windlass.OperationSuccess || !there || o.Disabled || o.Schedule == "" || mark.Paused || mark.Mark.IsZero() || mark.Failures > 0 || !in.Healthy ||
		!in.Connection.InWorkspace(mark.Workspace) || in.Connection.Status == windlass.ConnectionBad {
		return nil, nil //nolint:nilnil // see above
	}
	check.Workspace, check.Mark = mark.Workspace, mark.Mark
	p := f.operation(in, windlass.Operation{Object: schedule.Object, Trigger: windlass.TriggerSchedule, Since: mark.Mark.Add(-f.opts.Overlap)})
	p.Created, p.Started, p.Updated = began, began, began
	s := &step{Flow: f, in: in, walk: newWalk()}
	s.Turn = f.Turn(s)
	s.Op, s.Began = p, began
	return s, nil
}

// ask asks the provider for the first page.
func (s *step) ask(ctx context.Context) (fetched, error) {
	reader, err := s.opts.Open(ctx, s.in.Connection, s.Op.Trigger)
	if err != nil {
		return fetched{}, err
	}
	s.use(reader)
	s.fetch(ctx, "")
	got := s.fetched()
	return got, got.err
}

// nothing reports whether a first page is all there is, and nothing in it is to be
// delivered.
func (s *step) nothing(ctx context.Context, got fetched) (bool, error) {
	if got.page.Next != "" || len(got.page.Notes) > 0 || s.renamed(got.page.Workspace) {
		return false, nil
	}
	fresh, _, err := s.fresh(ctx, got.page)
	if err != nil || len(fresh) > 0 {
		return false, err
	}
	s.take(got, false)
	whole := s.complete(got.page) && s.unfinished(got.page) == ""
	s.walk = newWalk() // the page has not been taken yet
	return whole, nil
}

// beginWith begins the operation with its first page, in the transaction that commits
// that page: it is not asked for again, and there is no operation without it.
func (s *step) beginWith(ctx context.Context, got fetched) error {
	if err := s.nameIntegration(ctx); err != nil {
		return err
	}
	if err := s.prepareFor(ctx, s.in.Config.Content); err != nil {
		return err
	}
	s.begins = true
	c, err := s.commit(ctx, got, true)
	if err != nil {
		return err
	}
	c.After = nil // a job looks again
	return s.Commit(ctx, c)
}

// errChanged says that what a check began with is not so any more.
var errChanged = errors.New("the installation has changed meanwhile")

// beginNow begins the operation that a check has become, within the transaction of
// its first page.
func (s *step) beginNow(ctx context.Context, changed bool) error {
	if changed {
		return errChanged
	}
	if err := s.add(ctx, s.in, s.Op); err != nil {
		return err
	}
	won, _, err := s.Take(ctx, s.Op.ID)
	if err == nil && !won {
		err = errChanged
	}
	s.tellBegun(ctx)
	return err
}

// goOn lets a job carry on the operation that a check has become.
func (s *step) goOn(ctx context.Context) error {
	if err := s.Release(ctx, time.Time{}, 0); err != nil {
		return err
	}
	return s.Flow.Enqueue(ctx, s.Op.ID, time.Time{})
}
